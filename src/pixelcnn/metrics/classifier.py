"""A small convolutional classifier: features of images that Inception does not fit."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pixelcnn.errors import ConfigError
from pixelcnn.spec import ImageSpec, to_signed

MOST_PARTS = 4  # of a side: pooling keeps positions, but files of large images stay small


class ImageClassifier(nn.Module):
    """Maps images to features and to logits of their labels.

    Four 3×3 convolutions, two of which halve the resolution, each with batch norm and ReLU; means
    over at most 4×4 parts of the image; a hidden layer, whose outputs are the features; the logits
    of the labels.

    Args:
        spec: Shape and levels of the images.
        num_labels: Number of classes L.
        width: Features of the first convolution; the others have twice as many.
        num_features: Features F of an image.
        labels: Names of the classes, if they have any.

    Raises:
        ConfigError: If a number is below 1, or there are not as many names as labels.

    Example:
        >>> classifier = ImageClassifier(ImageSpec(1, 8, 8, 17), num_labels=10).eval()
        >>> features, logits = classifier(torch.zeros(3, 1, 8, 8).long())
        >>> features.shape, logits.shape
        (torch.Size([3, 64]), torch.Size([3, 10]))
    """

    def __init__(
        self,
        spec: ImageSpec,
        num_labels: int,
        *,
        width: int = 16,
        num_features: int = 64,
        labels: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if min(num_labels, width, num_features) < 1:
            raise ConfigError(
                f"`num_labels`, `width` and `num_features` must be at least 1, got {num_labels}, "
                f"{width} and {num_features}."
            )
        if labels is not None and len(labels) != num_labels:
            raise ConfigError(
                f"`labels` must name the {num_labels} classes, got {len(labels)} names."
            )
        self.spec = spec
        self.labels = None if labels is None else tuple(labels)
        self.config: dict[str, Any] = {
            "num_labels": num_labels,
            "width": width,
            "num_features": num_features,
        }
        self.convolutions = nn.Sequential(
            _layer(spec.channels, width),
            _layer(width, 2 * width, stride=2),
            _layer(2 * width, 2 * width),
            _layer(2 * width, 2 * width, stride=2),
        )
        rows, columns = (min(MOST_PARTS, -(-side // 4)) for side in (spec.height, spec.width))
        self.parts = nn.AdaptiveAvgPool2d((rows, columns))
        self.hidden = nn.Linear(2 * width * rows * columns, num_features)
        self.out = nn.Linear(num_features, num_labels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps levels (B, C, H, W) to features (B, F) and logits (B, L)."""
        pixels = to_signed(x, self.spec.levels, dtype=self.hidden.weight.dtype)
        features = self.hidden(self.parts(self.convolutions(pixels)).flatten(1)).relu()
        return features, self.out(features)

    @property
    def num_labels(self) -> int:
        """Number of classes L."""
        return self.out.out_features

    @property
    def num_features(self) -> int:
        """Features F of an image."""
        return self.out.in_features

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.out.weight.device

    @torch.no_grad()
    def predict(self, x: Tensor, *, batch_size: int = 500) -> Tensor:
        """The most probable label of each image, in eval mode.

        Args:
            x: Levels, as `spec` says. (N, C, H, W).
            batch_size: Images per forward pass.

        Returns:
            Class numbers. (N,), int64, on the CPU.

        Raises:
            ShapeError: If the images are not as `spec` says.
        """
        self.spec.check(x)
        was_training = self.training
        self.eval()
        try:
            parts = [self(part.to(self.device))[1].argmax(1).cpu() for part in x.split(batch_size)]
        finally:
            self.train(was_training)
        return torch.cat(parts)


def _layer(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Sequential:
    # No bias: batch norm subtracts it.
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU())
