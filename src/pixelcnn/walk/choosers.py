"""What is put at each site of a walk."""

import torch
from torch import Tensor

from pixelcnn.order import Front
from pixelcnn.walk.filters import Filter
from pixelcnn.walk.noise import image_noise, sample_levels
from pixelcnn.walk.walk import Chooser


def sampling_chooser(
    x: Tensor, *, seed: int, first: int = 0, filters: Filter | None = None
) -> Chooser:
    """A chooser that samples every level.

    Args:
        x: The images to be filled. (B, C, H, W).
        seed: With its number, decides each image.
        first: Number of the first image of the batch.
        filters: Temperature, top-k, top-p.
    """
    return chooser_from_noise(image_noise(seed, first, len(x), *x.shape[1:]), x.device, filters)


def chooser_from_noise(
    noise: Tensor, device: torch.device, filters: Filter | None = None
) -> Chooser:
    """A chooser that samples every level from given noise.

    Args:
        noise: Uniform numbers in [0, 1). (B, C, H, W), float64.
        device: Where the images are.
        filters: Temperature, top-k, top-p.
    """
    # A Metal device has no doubles, so there each level is sampled on the CPU.
    samples_on = torch.device("cpu") if device.type == "mps" else device
    noise = noise.to(samples_on)
    filters = filters or Filter()

    def choose(logits: Tensor, front: Front) -> Tensor:
        uniform = front.of(noise).flatten()
        return sample_levels(filters(logits).to(samples_on), uniform).to(device)

    return choose


def scoring_chooser(x: Tensor, log_prob: Tensor) -> Chooser:
    """A chooser that keeps every level and notes its log-probability.

    Args:
        x: The images to score. (B, C, H, W).
        log_prob: Filled with nats. (B, C, H, W).
    """

    def choose(logits: Tensor, front: Front) -> Tensor:
        levels = front.of(x).flatten().clone()  # they are put where they are read
        nats = logits.log_softmax(1).gather(1, levels[:, None])
        target = front.of(log_prob)
        target.copy_(nats.view(target.shape))
        return levels

    return choose
