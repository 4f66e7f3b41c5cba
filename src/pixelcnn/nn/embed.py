"""From integer levels to the features that a network reads."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.errors import ConfigError
from pixelcnn.nn.cursor import Cursor
from pixelcnn.spec import to_signed


class PixelInput(nn.Module):
    """Levels as floats in [-1, 1] or as learned vectors, channels-last.

    A float says how bright a level is, and suits levels that have an order. A learned vector for
    each level, looked up, suits those that have none, such as the codes of a vector quantiser.
    All channels share the vectors; the first layer tells them apart.

    Zero, which pads the borders, is the middle of the range, and the vector of no level.

    Args:
        channels: C.
        levels: K.
        groups: Colour groups of the network: 1, or C when it predicts channel by channel.
        embedding_dim: E, features learned for each level; None for its float.

    Attributes:
        num_features: Features of a pixel, C × E, those of a channel in one run (E = 1 for floats).

    Raises:
        ConfigError: If `embedding_dim` is below 1.

    References:
        Neural Discrete Representation Learning (van den Oord et al., 2017), section 3.1, for
        learned vectors of codes. https://arxiv.org/abs/1711.00937

    Example:
        >>> codes = torch.tensor([[[[0, 511]]]])
        >>> PixelInput(1, 512)(codes).tolist()
        [[[[-1.0], [1.0]]]]
        >>> PixelInput(1, 512, embedding_dim=8)(codes).shape
        torch.Size([1, 1, 2, 8])
    """

    like: Tensor

    def __init__(
        self, channels: int, levels: int, *, groups: int = 1, embedding_dim: int | None = None
    ) -> None:
        super().__init__()
        if embedding_dim is not None and embedding_dim < 1:
            raise ConfigError(
                f"`level_embedding_dim` must be at least 1, got {embedding_dim}. Leave it out for "
                f"one number per level."
            )
        self.channels = channels
        self.levels = levels
        self.groups = groups
        self.num_features = channels * (embedding_dim or 1)
        self.vectors = None if embedding_dim is None else nn.Embedding(levels, embedding_dim)
        # Holds nothing, but follows the module to its dtype and device.
        self.register_buffer("like", torch.empty(0), persistent=False)

    def forward(self, x: Tensor, cursor: Cursor | None = None) -> Tensor | None:
        """Maps levels (B, C, H, W) to (B, H, W, C × E).

        With a cursor: the newest known front, sub-pixels (R × B, E), or pixels (R × B, C × E) of
        a network without colour groups; None at the first.
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
        """The row above that of the cursor, known in full. (B, W, C × E); zeros at the first."""
        row = cursor.front.row
        known = self._features(rearrange(x[:, :, row - 1], "b c w -> b w c"))
        return known if row > 0 else torch.zeros_like(known)

    def _features(self, x: Tensor) -> Tensor:
        if self.vectors is None:
            return to_signed(x, self.levels, dtype=self.like.dtype)
        # Indices must be 32 bits or 64: images are stored in 8 where that is enough.
        return rearrange(self.vectors(x.int()), "... c e -> ... (c e)")


def with_ones(h: Tensor, *, groups: int = 1, inside: bool = True) -> Tensor:
    """Adds a one to the features of each colour group, which tells pixels from padding by zeros.

    Args:
        h: Features of any region, in `groups` equal runs.
        groups: Colour groups; 1 along a walk, where features are those of one group.
        inside: Whether `h` is of the image. Outside of it a zero is added.

    Returns:
        In `groups` equal runs, each one feature wider.
    """
    runs = rearrange(h, "... (g d) -> ... g d", g=groups)
    return rearrange(F.pad(runs, (0, 1), value=float(inside)), "... g d -> ... (g d)")
