import pytest
import torch

from pixelcnn.data import TensorImageSet, batches
from pixelcnn.errors import ConfigError


@pytest.fixture
def numbered():
    """Seven images whose pixels all hold the image's number, which is also its label."""
    numbers = torch.arange(7)
    return TensorImageSet(numbers[:, None, None, None].expand(-1, 1, 2, 2), numbers, levels=8)


def numbers_of(epoch):
    return [int(x) for batch in epoch for x in batch.x[:, 0, 0, 0]]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_every_image_comes_once_and_in_order(numbered):
    loaded = batches(numbered, 3)
    assert len(loaded) == 3
    assert [len(batch.x) for batch in loaded] == [3, 3, 1]
    assert numbers_of(loaded) == list(range(7))


def test_batches_hold_int64_levels_with_their_labels(numbered):
    for batch in batches(numbered, 3, shuffle=True):
        assert batch.x.dtype == batch.labels.dtype == torch.int64
        assert torch.equal(batch.x[:, 0, 0, 0], batch.labels)


def test_a_set_without_labels_yields_none():
    (batch,) = batches(TensorImageSet(torch.zeros(2, 1, 2, 2, dtype=torch.int64), levels=2), 4)
    assert batch.labels is None


def test_shuffled_epochs_differ_and_each_is_complete(numbered):
    loaded = batches(numbered, 2, shuffle=True)
    first, second = numbers_of(loaded), numbers_of(loaded)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(7))


def test_the_generator_alone_decides_the_order(numbered):
    def order(seed):
        return numbers_of(batches(numbered, 2, shuffle=True, generator=generator(seed)))

    state = torch.random.get_rng_state()
    assert order(1) == order(1) != order(2)
    assert torch.equal(torch.random.get_rng_state(), state), "the global generator was used"


def test_drop_last_leaves_out_only_the_smaller_batch(numbered):
    loaded = batches(numbered, 3, drop_last=True)
    assert len(loaded) == 2
    assert numbers_of(loaded) == list(range(6))


def test_augmentation_mirrors_training_images_only_when_set():
    x = torch.tensor([[0, 1]]).expand(40, 1, 1, 2)
    held = TensorImageSet(x, levels=2)
    (plain,) = batches(held, 40)
    (mirrored,) = batches(held, 40, augment=True)
    assert torch.equal(plain.x, x)
    assert 0 < mirrored.x[:, 0, 0, 0].sum() < 40
    assert (mirrored.x.sum(-1) == 1).all()


def test_dynamic_binarization_samples_anew_in_every_epoch():
    grey = torch.full((4, 1, 8, 8), 8)
    loaded = batches(
        TensorImageSet(grey, levels=17).dynamically_binarized(), 4, generator=generator()
    )
    ((first, _),), ((second, _),) = loaded, loaded
    assert set(first.unique().tolist()) == {0, 1}
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"batch_size": 2, "num_workers": -1}, "`num_workers`"),
        ({"batch_size": 8, "drop_last": True}, "no batch would be left"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(numbered, options, word):
    with pytest.raises(ConfigError, match=word):
        batches(numbered, **options)


def test_mutated_images_hold_their_share_of_new_levels_and_change_every_epoch():
    images = TensorImageSet(torch.zeros(20, 1, 16, 16, dtype=torch.int64), levels=5)
    mutated = batches(images, 20, mutation_rate=0.3)
    first, second = (next(iter(mutated)).x for _ in range(2))
    # A fifth of the drawn levels is the old one. 5,120 pixels: within 0.05 but once in 10**10.
    assert (first != 0).double().mean().item() == pytest.approx(0.3 * 4 / 5, abs=0.05)
    assert first.max() == 4 and not torch.equal(first, second)
    with pytest.raises(ConfigError, match="mutation_rate"):
        batches(images, 20, mutation_rate=1.0)


COLOURS = torch.randint(256, (6, 3, 4, 4), generator=generator())
CHANGES = {
    "augment": True,
    "colour_jitter": 0.3,
    "mutation_rate": 0.2,
}


@pytest.mark.parametrize("change", [*CHANGES, "all"])
def test_a_change_depends_on_the_generator_and_the_number_of_the_batch_alone(change):
    options = CHANGES if change == "all" else {change: CHANGES[change]}
    held = TensorImageSet(COLOURS, levels=256)

    def epoch(position=0):
        loader = batches(held, 2, shuffle=True, generator=generator(), **options)
        return [batch.x for batch in loader.starting_at(position)]

    whole = epoch()
    for position in (0, 1, 2, 3):
        later = epoch(position)
        assert all(torch.equal(x, y) for x, y in zip(later, whole[position:], strict=True))
    plain = batches(held, 2, shuffle=True, generator=generator())
    assert not all(torch.equal(x, y.x) for x, y in zip(whole, plain, strict=True))


def test_dynamic_binarization_after_a_resumed_start_is_that_of_the_whole_epoch():
    redrawn = TensorImageSet(COLOURS, levels=256).dynamically_binarized()
    whole = [x for x, _ in batches(redrawn, 2, generator=generator())]
    later = [x for x, _ in batches(redrawn, 2, generator=generator()).starting_at(2)]
    assert len(later) == 1 and torch.equal(later[0], whole[2])


@pytest.mark.parametrize(
    ("images", "what"),
    [
        (TensorImageSet(COLOURS[:, :1], levels=256), "1 channel and 256 levels"),
        (TensorImageSet(COLOURS % 16, levels=16), "3 channels and 16 levels"),
        (TensorImageSet(COLOURS, levels=512), "3 channels and 512 levels"),
        (TensorImageSet(COLOURS, levels=256).dynamically_binarized(), "3 channels and 2 levels"),
    ],
    ids=["grey", "palette", "codes", "binary"],
)
def test_colours_are_jittered_only_where_levels_are_colours(images, what):
    with pytest.raises(ConfigError, match=rf"`colour_jitter` must be 0 unless .* {what}"):
        batches(images, 2, colour_jitter=0.1)
    with pytest.raises(ConfigError, match=r"`colour_jitter` must be in \[0, 1\), got 1"):
        batches(images, 2, colour_jitter=1.0)
