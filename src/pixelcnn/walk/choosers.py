"""What is put at each site of a walk."""

import torch
from torch import Tensor

from pixelcnn.order import Front
from pixelcnn.walk.filters import Filter
from pixelcnn.walk.noise import draw, image_noise
from pixelcnn.walk.walk import Chooser


def drawing(x: Tensor, *, seed: int, first: int = 0, keep: Filter | None = None) -> Chooser:
    """A chooser that draws every level.

    Args:
        x: The images to be filled. (B, C, H, W).
        seed: With its number, decides each image.
        first: Number of the first image of the batch.
        keep: Temperature, top-k, top-p.
    """
    return drawing_by(image_noise(seed, first, len(x), *x.shape[1:]), x.device, keep)


def drawing_by(noise: Tensor, device: torch.device, keep: Filter | None = None) -> Chooser:
    """A chooser that draws every level by given noise.

    Args:
        noise: Uniform numbers in [0, 1). (B, C, H, W), float64.
        device: Where the images are.
        keep: Temperature, top-k, top-p.
    """
    # A Metal device has no doubles, so there each draw is made on the CPU.
    draws_on = torch.device("cpu") if device.type == "mps" else device
    noise = noise.to(draws_on)
    keep = keep or Filter()

    def choose(logits: Tensor, front: Front) -> Tensor:
        uniform = front.of(noise).flatten()
        return draw(keep(logits).to(draws_on), uniform).to(device)

    return choose


def reading(x: Tensor, log_prob: Tensor) -> Chooser:
    """A chooser that keeps every level and notes its log-probability.

    Args:
        x: The images to score. (B, C, H, W).
        log_prob: Filled with nats. (B, C, H, W).
    """

    def choose(logits: Tensor, front: Front) -> Tensor:
        levels = front.of(x).flatten()
        nats = logits.log_softmax(1).gather(1, levels[:, None])
        target = front.of(log_prob)
        target.copy_(nats.view(target.shape))
        return levels

    return choose
