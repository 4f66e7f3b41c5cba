"""From integer levels to the features that a network reads."""

import torch
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.nn.cursor import Cursor
from pixelcnn.spec import to_unit


class PixelInput(nn.Module):
    """Levels as floats in [-1, 1], channels-last.

    Zero, which pads the borders, is the middle of the range.

    Args:
        channels: C.
        levels: K.
        groups: Colour groups of the network: 1, or C when it predicts channel by channel.
    """

    scale: Tensor

    def __init__(self, channels: int, levels: int, *, groups: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.levels = levels
        self.groups = groups
        # Carries the dtype that the features have, wherever the module is moved.
        self.register_buffer("scale", torch.tensor(2.0), persistent=False)

    def forward(self, x: Tensor, cursor: Cursor | None = None) -> Tensor | None:
        """Maps levels (B, C, H, W) to (B, H, W, C).

        With a cursor: the newest known sub-pixel (B, 1), or pixel (B, C) of a network without
        colour groups; None at the first site.
        """
        if cursor is None:
            return self._features(rearrange(x, "b c h w -> b h w c"))
        if cursor.newest is None:
            return None
        row, column, group = cursor.newest
        if self.groups == 1:
            return self._features(x[:, :, row, column])
        return self._features(x[:, group : group + 1, row, column])

    def _features(self, x: Tensor) -> Tensor:
        return to_unit(x, self.levels, dtype=self.scale.dtype) * self.scale - 1
