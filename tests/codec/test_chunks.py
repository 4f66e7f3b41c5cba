"""A chunk comes back to the bit, and costs what the model says."""

import math

import pytest
import torch

from pixelcnn.codec.chunks import ChunkCoder, content_checksum
from pixelcnn.codec.entropy_model import MachineBound
from tests.codec.models import levels, small

CASES = {
    "wavefront": small(num_classes=4),
    "RGB": small(in_channels=3, num_classes=5),
    "gated": small("gated", num_classes=2, num_layers=2),
    "mixture": small("pixelcnnpp", in_channels=3, likelihood="logistic_mixture", num_mixtures=2),
    "65,536 levels": small(
        "gated", num_classes=65_536, likelihood="logistic_mixture", num_mixtures=2
    ),
}


def coder(model, *, num_labels=0, window=(8, 8), context=0) -> ChunkCoder:
    return ChunkCoder(MachineBound(model), num_labels, window, context)


@pytest.mark.parametrize("name", CASES)
def test_images_come_back(name):
    model = CASES[name]
    x = levels(model, 2, 4, 4)
    own = coder(model)
    restored, labels = own.decode(own.encode(x, None), tuple(x.shape))
    assert restored.equal(x.to(restored.dtype))
    assert labels is None


@pytest.mark.parametrize("name", ["wavefront", "gated", "RGB"])
def test_the_length_is_the_likelihood(name):
    model = CASES[name]
    x = levels(model, 40, 8, 8)
    bits = -model.log_prob(x).double().sum().item() / math.log(2)
    assert bits <= 8 * len(coder(model).encode(x, None)) <= 1.001 * bits + 64


@pytest.mark.parametrize("context", [0, 3])
def test_larger_images_are_walked_in_windows(context):
    model = small(num_classes=4)
    x, own = levels(model, 2, 13, 9), coder(model, window=(6, 5), context=context)
    restored, _ = own.decode(own.encode(x, None), tuple(x.shape))
    assert restored.equal(x.byte())


class Noting:
    """A stream that notes the log-probabilities of what it is given."""

    def __init__(self) -> None:
        self.nats: list[torch.Tensor] = []

    def code(self, values: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        self.nats.append(logits.log_softmax(1).gather(1, values[:, None])[:, 0])
        return values


def nats_of(images: torch.Tensor, context: int) -> torch.Tensor:
    stream = Noting()
    model = small("gated", num_classes=2, num_layers=2)
    coder(model, context=context)._code(stream, images, None, None)
    return torch.cat(stream.nats)


def test_context_is_seen_across_borders():
    x = torch.zeros(1, 1, 8, 16, dtype=torch.int64)
    changed = x.clone()
    changed[:, :, :, 7:9] = 1
    # Without context both windows are one batch, and what the second codes is every second number.
    changed_left = x.clone()
    changed_left[:, :, :, 7] = 1
    assert nats_of(x, 0)[1::2].equal(nats_of(changed_left, 0)[1::2])
    # With context the last window, of columns 8 to 15, codes the last four of them.
    assert not nats_of(x, 4)[-32:].equal(nats_of(changed, 4)[-32:])


def test_labels_are_stored_at_their_entropy():
    model = small(num_classes=2, num_labels=10)
    x, labels = levels(model, 50, 2, 2), torch.arange(50) % 10
    own = coder(model, num_labels=10)
    content = own.encode(x, labels)
    restored, found = own.decode(content, tuple(x.shape))
    assert restored.equal(x.byte())
    assert found is not None
    assert found.equal(labels)
    bits = -model.log_prob(x, labels).double().sum().item() / math.log(2) + 50 * math.log2(10)
    assert 8 * len(content) <= bits + 64


def test_progress_counts_every_sub_pixel_once():
    model, done = small(num_classes=4), []
    x = levels(model, 2, 13, 9)
    coder(model, window=(6, 5), context=2).encode(x, None, done.append)
    assert sum(done) == x.numel()


def test_the_checksum_tells_images_and_labels_apart():
    x, labels = torch.zeros(2, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1])
    found = content_checksum(x, labels, 2)
    assert found != content_checksum(x, labels.flip(0), 2)
    assert found != content_checksum(x + 1, labels, 2)
