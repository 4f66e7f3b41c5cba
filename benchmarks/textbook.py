"""PixelCNN as tutorials write it, as a baseline: channels first, all taps, a mask on each."""

import torch.nn.functional as F
from torch import Tensor, nn

from pixelcnn.nn import raster_mask


class TextbookConv(nn.Conv2d):
    """A masked convolution as tutorials write it: all taps, channels first."""

    def __init__(self, kind: str, inputs: int, outputs: int, side: int) -> None:
        super().__init__(inputs, outputs, side, padding=side // 2)
        self.register_buffer("mask", raster_mask(kind, outputs, inputs, (side, side)))

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class TextbookBlock(nn.Sequential):
    """The residual block of the same sizes."""

    def __init__(self, hidden: int) -> None:
        half = hidden // 2
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(hidden, half, 1),
            nn.ReLU(),
            TextbookConv("B", half, half, 3),
            nn.ReLU(),
            nn.Conv2d(half, hidden, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def textbook(hidden: int = 64, blocks: int = 4) -> nn.Module:
    """The same network in plain PyTorch."""
    return nn.Sequential(
        TextbookConv("A", 1, hidden, 7),
        *(TextbookBlock(hidden) for _ in range(blocks)),
        nn.ReLU(),
        nn.Conv2d(hidden, hidden, 1),
        nn.ReLU(),
        nn.Conv2d(hidden, 1, 1),
    )


def textbook_nll(network: nn.Module, x: Tensor) -> Tensor:
    """Negative log-likelihood of binary images (B, 1, H, W) in nats. (B,)."""
    logits = network(2.0 * x - 1)
    sites = F.binary_cross_entropy_with_logits(logits, x.float(), reduction="none")
    return sites.sum((1, 2, 3))
