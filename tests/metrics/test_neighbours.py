"""Distances to the nearest other images."""

import pytest
import torch
from scipy.stats import mannwhitneyu

from pixelcnn.errors import ShapeError
from pixelcnn.metrics import Memorisation, nearest


def images(count: int, *, seed: int, levels: int = 256) -> torch.Tensor:
    return torch.randint(levels, (count, 1, 5, 6), generator=torch.Generator().manual_seed(seed))


def test_the_nearest_are_found_whatever_the_batches():
    x, others = images(17, seed=0), images(40, seed=1)
    difference = (x[:, None] - others).double() / 255
    expected = difference.square().flatten(2).mean(2).sqrt().sort(1)
    for size in (1, 7, 40):
        distances, numbers = nearest(x, others.split(size), levels=256, count=3, batch_size=4)
        # Levels become floats of single precision on the way.
        torch.testing.assert_close(distances, expected.values[:, :3], rtol=1e-6, atol=0)
        assert torch.equal(numbers, expected.indices[:, :3])


@pytest.mark.parametrize("levels", [2, 17, 256, 65_536])
def test_the_distance_of_a_copy_is_exactly_zero(levels):
    others = images(50, seed=2, levels=levels)
    others[0] = levels - 1
    assert (nearest(others.flip(0), [others], levels=levels)[0] == 0).all()
    changed = others.clone()
    changed[0, 0, 0, 0] -= 1
    assert nearest(changed, [others], levels=levels)[0][0] > 0


def test_black_and_white_have_the_largest_distance():
    black = torch.zeros(1, 3, 4, 4).long()
    assert nearest(black, [black + 255], levels=256)[0].item() == 1


def test_images_of_different_shapes_are_refused():
    with pytest.raises(ShapeError, match="one shape"):
        nearest(images(2, seed=0), [torch.zeros(1, 1, 5, 5).long()], levels=256)
    with pytest.raises(ShapeError, match="At least 1 image"):
        nearest(images(2, seed=0), [], levels=256)


def test_samples_are_nearer_by_the_statistic_of_mann_and_whitney():
    generator = torch.Generator().manual_seed(0)
    test = torch.randint(20, (80,), generator=generator).double()
    samples = torch.randint(15, (50,), generator=generator).double()
    test, samples = (torch.stack([each, each + 1], 1) for each in (test, samples))
    found = Memorisation(samples, test)
    expected = mannwhitneyu(test[:, 0].numpy(), samples[:, 0].numpy()).statistic / (80 * 50)
    assert found.nearer_than_test == pytest.approx(expected)
    assert Memorisation(test, test).nearer_than_test == pytest.approx(0.5)
    copies = Memorisation(torch.zeros(5, 2).double(), test + 1)
    assert copies.nearer_than_test == 1
    assert copies.summary()["copies"] == 5
    assert copies.summary()["copies_in_test"] == 0


def test_a_few_altered_copies_among_many_samples_are_detected():
    train, test, samples = (images(count, seed=seed) for seed, count in enumerate((300, 200, 100)))

    def found(x):
        near = [nearest(each, [train], levels=256, count=2)[0] for each in (x, test)]
        return Memorisation(*near).summary()

    assert found(samples)["near_copies"] <= 0.03  # 0.01 on average
    changed = train[:8].clone()
    changed[:, 0, 0, :2] = 255 - changed[:, 0, 0, :2]
    mixed = found(torch.cat([changed, samples[8:]]))
    assert mixed["near_copies"] >= 0.08 and mixed["copies"] == 0
    assert mixed["nearer_than_test"] == pytest.approx(found(samples)["nearer_than_test"], abs=0.05)
    # An exact copy is one also where the training images hold it twice.
    twice = torch.cat([train, train[:1]])
    near = [nearest(each, [twice], levels=256, count=2)[0] for each in (train[:1], test)]
    assert Memorisation(*near).near_copies == 1
