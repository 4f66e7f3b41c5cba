import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import PixelCNN


@pytest.fixture
def sampler():
    model = PixelCNN(num_classes=3, num_labels=4, image_size=(5, 6), num_residual_blocks=1)
    return PixelCNNSampler(model.double())


def test_an_image_depends_on_seed_and_number_not_on_its_neighbours(sampler):
    cond = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    together = sampler.generate_samples(7, cond=cond, seed=3)
    for batch_size in (1, 2, 3):
        chunked = sampler.generate_samples(7, cond=cond, seed=3, batch_size=batch_size)
        assert torch.equal(chunked, together)
    assert not torch.equal(sampler.generate_samples(7, cond=cond, seed=4), together)


def test_partial_samples_show_rows_and_end_with_the_same_images(sampler):
    final = sampler.generate_samples(3, cond=1, seed=3, batch_size=2)
    steps = list(sampler.generate_progressively(3, cond=1, seed=3, batch_size=2))
    assert torch.equal(steps[-1].images, final)
    counts = [step.num_known for step in steps]
    assert counts == sorted(set(counts)) and counts[-1] == steps[-1].num_total == 3 * 5 * 6
    for step in steps[:5]:
        rows = step.num_known // (2 * 6)
        assert torch.equal(step.images[:2, :, :rows], final[:2, :, :rows])
    assert torch.equal(steps[4].images[2], torch.zeros(1, 5, 6, dtype=torch.int64))


def test_guided_images_do_not_depend_on_their_neighbours_either():
    torch.manual_seed(0)
    model = PixelCNN(num_classes=3, num_labels=4, label_dropout=0.1, image_size=(5, 6)).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    sampler, cond = PixelCNNSampler(model), torch.tensor([0, 1, 2, 3, 0, 1, 2])
    together = sampler.generate_samples(7, cond=cond, guidance=3.0)
    assert torch.equal(sampler.generate_samples(7, cond=cond, guidance=3.0, batch_size=2), together)
    *_, last = sampler.generate_progressively(7, cond=cond, guidance=3.0)
    assert torch.equal(last.images, together)
    assert not torch.equal(sampler.generate_samples(7, cond=cond), together)
    ignored = sampler.generate_samples(7, cond=cond, guidance=0.0)
    assert torch.equal(ignored, sampler.generate_samples(7))


def test_arguments_are_checked_before_the_first_step(sampler):
    with pytest.raises(ConfigError, match="temperature"):
        sampler.generate_progressively(1, cond=1, temperature=0)
    with pytest.raises(ConfigError, match="guidance"):
        sampler.generate_progressively(1, cond=1, guidance=2.0)
    with pytest.raises(ConfigError, match="seed"):
        sampler.generate_progressively(1, cond=1, seed=-1)
    with pytest.raises(ConfigError, match="batch_size"):
        sampler.generate_progressively(1, cond=1, batch_size=0)
    with pytest.raises(ShapeError, match="needs `cond`"):
        sampler.generate_progressively(1)
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        sampler.generate_progressively(2, cond=torch.tensor([1, 2, 3]))


def test_a_stream_gives_the_same_images_a_batch_at_a_time(sampler):
    cond = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    together = sampler.generate_samples(7, cond=cond, seed=3, batch_size=3)
    batches = list(sampler.stream(7, cond=cond, seed=3, batch_size=3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert torch.equal(torch.cat(batches), together)
    later = sampler.stream(4, first=3, cond=cond[3:], seed=3, batch_size=3)
    assert torch.equal(torch.cat(list(later)), together[3:])


def test_a_stream_samples_one_batch_at_a_time(sampler):
    calls = []
    images = sampler.stream(6, cond=1, batch_size=2, on_progress=lambda *each: calls.append(each))
    assert calls == []
    next(images)
    assert calls == [(2 * 6 * row, 6 * 30) for row in range(1, 6)]


def test_a_stream_checks_its_arguments_before_it_is_read(sampler):
    with pytest.raises(ConfigError, match="first"):
        sampler.stream(1, cond=1, first=-1)
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        sampler.stream(2, cond=torch.tensor([1, 2, 3]))


def test_weights_that_overflow_are_refused_and_not_sampled_as_black_images():
    model = PixelCNN(num_classes=3, num_residual_blocks=1, image_size=(5, 6))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1e20)
    with pytest.raises(ConfigError, match=r"`model` must give .* numbers, got NaN"):
        PixelCNNSampler(model).generate_samples(2)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", torch.device("cuda", 99), 3])
def test_a_device_that_does_not_exist_is_named(sampler, device):
    with pytest.raises(ConfigError, match="`device` must be "):
        PixelCNNSampler(sampler.model, device)
    PixelCNNSampler(sampler.model, torch.device("cpu", 0))
