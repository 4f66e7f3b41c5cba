"""From integer levels to the features that a network reads."""

import torch
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.nn.cursor import Cursor
from pixelcnn.spec import to_signed


class PixelInput(nn.Module):
    """Levels as floats in [-1, 1], channels-last.

    Zero, which pads the borders, is the middle of the range.

    Args:
        channels: C.
        levels: K.
        groups: Colour groups of the network: 1, or C when it predicts channel by channel.
    """

    like: Tensor

    def __init__(self, channels: int, levels: int, *, groups: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.levels = levels
        self.groups = groups
        # Holds nothing, but follows the module to its dtype and device.
        self.register_buffer("like", torch.empty(0), persistent=False)

    def forward(self, x: Tensor, cursor: Cursor | None = None) -> Tensor | None:
        """Maps levels (B, C, H, W) to (B, H, W, C).

        With a cursor: the newest known front, sub-pixels (R × B, 1), or pixels (R × B, C) of a
        network without colour groups; None at the first.
        """
        if cursor is None:
            return self._features(rearrange(x, "b c h w -> b h w c"))
        newest = cursor.newest
        if newest is None:
            return None
        pixels = newest.pixels_of(x)
        if self.groups > 1:
            pixels = pixels[:, :, newest.channel : newest.channel + 1]
        return self._features(pixels.flatten(0, 1))

    def row_above(self, x: Tensor, cursor: Cursor) -> Tensor:
        """The row above that of the cursor, known in full. (B, W, C); zeros at the first row."""
        row = cursor.front.row
        known = self._features(rearrange(x[:, :, row - 1], "b c w -> b w c"))
        return known if row > 0 else torch.zeros_like(known)

    def _features(self, x: Tensor) -> Tensor:
        return to_signed(x, self.levels, dtype=self.like.dtype)
