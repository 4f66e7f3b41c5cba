"""Tables hold the nearest doubles, whoever computes them."""

import hashlib
from decimal import Decimal, localcontext

import pytest
import torch

from pixelcnn.codec.portable import tables

DIGESTS = {
    tables.exponential: "d1a5802d147ee12bfa119eba5980d85c38ea4a3ea57a02395a2a1dbf697e1c6f",
    tables.logistic: "f6243f4eaa4970fcb79fa83f691a3703fb096840641e820e57fdfb654b697db2",
    tables.hyperbolic: "d1b525174d4e37df4bc99bc1600254113875550bcbabff410420977c23404d0d",
    tables.logarithm: "d6b6c5d578bcdaea9e5e70aa96d6b95fa6338973512989e1feaf79df9ad328fc",
    tables.sines: "d5bb9d21011d0115a062dd7d4b91d2dc39c8a5996a1f9af32bed8cde32a88fb2",
}


@pytest.mark.parametrize("make", DIGESTS, ids=lambda make: make.__name__)
def test_a_table_is_that_of_the_format(make):
    content = make().numpy().astype("<f8").tobytes()
    assert hashlib.sha256(content).hexdigest() == DIGESTS[make]


def test_entries_are_the_nearest_doubles():
    with localcontext() as context:
        context.prec = 60
        for i in (1, 7, 1000, 1024, 12345, 24575):
            e = (Decimal(-i) / tables.STEPS).exp()
            assert tables.exponential()[i].item() == float(e)
            assert tables.logistic()[24 * 1024 - i].item() == float(e / (1 + e))
            assert tables.logistic()[24 * 1024 + i].item() == float(1 / (1 + e))
            if i < 12 * 1024:
                tanh = float((1 - e * e) / (1 + e * e))
                assert tables.hyperbolic()[12 * 1024 + i].item() == tanh
                assert tables.hyperbolic()[12 * 1024 - i].item() == -tanh
            if i <= 1024:
                assert tables.logarithm()[i].item() == float((1 + Decimal(i) / 1024).ln())


def test_sines_go_round():
    sines = tables.sines()
    assert len(sines) == tables.WAVE
    turns = torch.arange(tables.WAVE, dtype=torch.float64) / tables.WAVE
    torch.testing.assert_close(sines, (2 * torch.pi * turns).sin(), rtol=0, atol=1e-14)
    assert sines[tables.WAVE // 4] == 1


def test_arguments_beyond_the_ends_are_read_as_the_ends():
    h = torch.tensor([-torch.inf, -1e9, 0.0, 1e9, torch.inf], dtype=torch.float64)
    for read in (tables.read_nearest, tables.read_between):
        found = read(tables.logistic(), h, first=-24 * 1024)
        assert found[2] == 0.5 and found[0] == found[1] and found[3] == found[4]
        assert 0 < found[0] < 1e-10 and 1 - 1e-10 < found[4] < 1


def test_lines_between_entries_are_closer_than_the_nearest_ones():
    h = torch.linspace(-5, 5, 1001, dtype=torch.float64)
    for read, far in ((tables.read_nearest, 2e-4), (tables.read_between, 2e-8)):
        gap = (read(tables.logistic(), h, first=-24 * 1024) - h.sigmoid()).abs().max()
        assert gap < far
