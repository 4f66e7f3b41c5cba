"""What is put at each site of a walk."""

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
    # A Metal device has no doubles, so there each draw is made on the CPU.
    device = "cpu" if x.device.type == "mps" else x.device
    noise = image_noise(seed, first, len(x), *x.shape[1:]).to(device)
    keep = keep or Filter()

    def choose(logits: Tensor, front: Front) -> Tensor:
        uniform = front.of(noise).flatten()
        return draw(keep(logits).to(device), uniform).to(x.device)

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
