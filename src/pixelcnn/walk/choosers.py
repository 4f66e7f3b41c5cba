"""What is put at each site of a walk."""

from torch import Tensor

from pixelcnn.order import RasterOrder, Site
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
    order = RasterOrder(*x.shape[1:])
    # A Metal device has no doubles, so there each draw is made on the CPU.
    device = "cpu" if x.device.type == "mps" else x.device
    noise = image_noise(seed, first, len(x), len(order)).to(device)
    keep = keep or Filter()

    def choose(logits: Tensor, site: Site) -> Tensor:
        uniform = noise[order.index(site)]
        return draw(keep(logits).to(device), uniform).to(x.device)

    return choose


def reading(x: Tensor, log_prob: Tensor) -> Chooser:
    """A chooser that keeps every level and notes its log-probability.

    Args:
        x: The images to score. (B, C, H, W).
        log_prob: Filled with nats. (B, C, H, W).
    """

    def choose(logits: Tensor, site: Site) -> Tensor:
        at = (slice(None), *site)
        levels = x[at]
        log_prob[at] = logits.log_softmax(1).gather(1, levels[:, None])[:, 0]
        return levels

    return choose
