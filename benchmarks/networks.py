"""The networks of the sampling benchmark, and the limits that each must meet."""

from collections.abc import Callable
from dataclasses import dataclass

from pixelcnn.models import (
    AutoregressiveModel,
    GatedPixelCNN,
    PixelCNN,
    PixelCNNPlusPlus,
    PixelSNAIL,
)


@dataclass(frozen=True)
class Network:
    """One architecture at the size that is measured.

    Attributes:
        name: For the table.
        make: Builds it, untrained: the weights do not change the speed.
        shape: (C, H, W) of its images.
        width: Features of a pixel, for the size of its products.
        at_least: Limit of naive ÷ cached at batch 64; None: no limit.
        at_most: Limit of cached ÷ one forward pass at batch 64; None: no limit.
        attends: Whether the cost of a step grows with the pixels before it.

    """

    name: str
    make: Callable[[], AutoregressiveModel]
    shape: tuple[int, int, int]
    width: int
    at_least: float | None = None
    at_most: float | None = None
    attends: bool = False


def plus_plus() -> AutoregressiveModel:
    """PixelCNN++ of colours, half as wide as for CIFAR-10 in the paper."""
    return PixelCNNPlusPlus(
        in_channels=3,
        num_classes=256,
        likelihood="logistic_mixture",
        hidden_channels=64,
        num_resnets=5,
        num_resolutions=3,
    )


NETWORKS = [
    Network(
        "PixelCNN 64×4",
        lambda: PixelCNN(hidden_channels=64, num_residual_blocks=4, num_classes=2),
        (1, 28, 28),
        64,
        at_least=500,
        at_most=1.5,
    ),
    Network(
        "gated 10×128",
        lambda: GatedPixelCNN(hidden_channels=128, num_layers=10, num_classes=2),
        (1, 28, 28),
        128,
        at_least=400,
        at_most=2,
    ),
    Network(
        "SNAIL, 2 attentions",
        lambda: PixelSNAIL(hidden_channels=64, num_blocks=2, num_classes=2),
        (1, 28, 28),
        64,
        at_least=150,
        attends=True,
    ),
    Network("++, 3 resolutions", plus_plus, (3, 32, 32), 64, at_least=200, at_most=4),
    Network(
        "PixelCNN 64×4, 2 attentions",
        lambda: PixelCNN(
            hidden_channels=64, num_residual_blocks=4, attention_every=2, num_classes=2
        ),
        (1, 28, 28),
        64,
        attends=True,
    ),
]
