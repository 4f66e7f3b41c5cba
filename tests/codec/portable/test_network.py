"""A portable network gives equal bits however it is run."""

import pytest
import torch

from pixelcnn.codec.portable import PortableNetwork, refusal
from pixelcnn.codec.portable.arithmetic import PortableArithmetic
from pixelcnn.walk import CachedStepper, walk
from tests.laws.zoo import cases, condition_for, images_for, make

ARCHITECTURES = ("pixelcnn", "gated", "pixelcnnpp", "pixelsnail")


def some_quick():
    """Every case; all but each seventh, which meets all heads and colours, are slow."""
    known = [case for case in cases() if case.values[0][0] in ARCHITECTURES]
    for number, case in enumerate(known):
        marks = [pytest.mark.slow] * (number % 7 > 0)
        yield pytest.param(*case.values, id=case.id, marks=marks)


@pytest.fixture(params=some_quick())
def model(request):
    return make(*request.param)


def walked_logits(network, x, cond, *, wavefront):
    """Logits at every sub-pixel of given images, along a walk. (B, C, H, W, K)."""
    found = x.new_full((*x.shape, network.likelihood.levels), torch.nan, dtype=torch.float64)

    def choose(logits, front):
        for logit, site in zip(logits.split(len(x)), front.sites(), strict=True):
            found[(slice(None), *site)] = logit
        return front.of(x).flatten()

    walk(CachedStepper(network, wavefront=wavefront), x.clone(), choose, cond=cond)
    return found


@torch.inference_mode()
def whole_logits(network, x, cond):
    """The same by one pass."""
    params = network(x, cond).permute(0, 2, 3, 1).flatten(0, 2)
    pixels = x.permute(0, 2, 3, 1).flatten(0, 2)
    channels = [
        network.likelihood.level_logits(params, pixels[:, :channel], channel)
        for channel in range(x.shape[1])
    ]
    by_pixel = torch.stack(channels, 1).unflatten(0, (len(x), *x.shape[2:]))
    return by_pixel.permute(0, 3, 1, 2, 4)


class CheckedArithmetic(PortableArithmetic):
    """Sees that whatever is multiplied and added up is a multiple of a power of two."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = func.__name__
        if name in ("conv2d", "linear", "addmm", "addmm_", "bmm", "matmul"):
            factors = args[1:] if name == "addmm_" else args
            unit = 2.0**-20 if name == "bmm" else 2.0**-14
            for each in factors:
                if isinstance(each, torch.Tensor):
                    units = each.detach() / unit
                    assert torch.equal(units, units.round()), f"{name} of what is not rounded"
        return super().__torch_function__(func, types, args, kwargs)


def test_a_walk_gives_the_bits_of_one_pass(model):
    assert refusal(model) is None
    network = PortableNetwork(model)
    for size, arithmetic in [((4, 9), PortableArithmetic()), ((3, 2), CheckedArithmetic())]:
        network.arithmetic = arithmetic
        x, cond = images_for(model, 3, size), condition_for(model, 3, size)
        whole = whole_logits(network, x, cond)
        assert whole.isfinite().all()
        for wavefront in (False, True):
            assert torch.equal(walked_logits(network, x, cond, wavefront=wavefront), whole)
