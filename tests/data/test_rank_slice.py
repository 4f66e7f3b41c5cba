"""The share of each process in a batch."""

import pytest
import torch

from pixelcnn.data import Conditions, RankSlice, TensorImageSet, batches
from pixelcnn.data.rank_slice import ALL


@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_each_image_is_in_one_part_and_parts_are_even(world_size, count):
    parts = [RankSlice(rank, world_size) for rank in range(world_size)]
    taken = [number for part in parts for number in range(count)[part.of(count)]]
    assert taken == list(range(count))
    sizes = [part.size(count) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert sum(part.weight(count) for part in parts) == pytest.approx(world_size)
    assert all(
        len(range(count)[part.computed(count)]) == max(1, part.size(count)) for part in parts
    )


def test_the_average_of_weighed_means_is_the_mean_of_all():
    x = torch.arange(7.0).square()
    parts = [RankSlice(rank, 3) for rank in range(3)]
    weighed = [x[part.computed(7)].mean() * part.weight(7) for part in parts]
    assert torch.stack(weighed).mean() == pytest.approx(x.mean().item())


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_parts_hold_the_very_images_of_the_whole_batches(world_size):
    numbers = torch.arange(14)
    stored = torch.randint(256, (14, 1, 3, 4))
    images = TensorImageSet(
        stored, numbers, maps=stored.float(), levels=256
    ).dynamically_binarized()

    def read(part):
        options = {"shuffle": True, "augment": True, "mutation_rate": 0.2, "part": part}
        generator = torch.Generator().manual_seed(3)
        return list(batches(images, 4, generator=generator, **options))

    whole = read(ALL)
    shared = zip(*(read(RankSlice(rank, world_size)) for rank in range(world_size)), strict=True)
    for batch, cuts in zip(whole, shared, strict=True):
        for rank, cut in enumerate(cuts):
            own = RankSlice(rank, world_size).computed(len(batch.x))
            assert torch.equal(cut.x, batch.x[own])
            for ours, theirs in zip(cut.conditions, batch.conditions.cut(own), strict=True):
                assert (ours is None and theirs is None) or torch.equal(ours, theirs)


def test_a_batch_says_how_many_images_all_processes_have():
    images = TensorImageSet(torch.zeros(10, 1, 2, 2).long(), levels=2)
    found = batches(images, 4, part=RankSlice(0, 2))
    assert [found.num_images(number) for number in range(len(found))] == [4, 4, 2]
    assert Conditions().cut(slice(1)) == Conditions()
