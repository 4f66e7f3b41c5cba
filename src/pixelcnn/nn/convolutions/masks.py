"""Masks that make a convolution causal."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError

MaskKind: TypeAlias = Literal["A", "B"]


def raster_mask(
    kind: MaskKind,
    out_channels: int,
    in_channels: int,
    kernel_size: tuple[int, int],
    *,
    groups: int = 1,
) -> Tensor:
    """Builds the mask that makes a convolution causal in raster order.

    A weight is kept when it reads a sub-pixel that comes before the one it writes:
    rows above, then columns to the left, then earlier colour groups of the same pixel.

    Args:
        kind: "A" hides the centre's own group (first layer); "B" shows it (all others).
        out_channels: Channels written, in `groups` equal runs.
        in_channels: Channels read, in `groups` equal runs.
        kernel_size: Odd height and width of the window, in pixels.
        groups: Colour groups: 1 for grey images, 3 for R before G before B.

    Returns:
        Zeros and ones. Shape: (O, I, kh, kw).

    Raises:
        ConfigError: If a kernel side is even or `groups` does not divide the channels.

    References:
        Pixel Recurrent Neural Networks (van den Oord et al., 2016), section 3.4.
        https://arxiv.org/abs/1601.06759

    Example:
        >>> raster_mask("A", 3, 3, (1, 1), groups=3)[:, :, 0, 0]  # G sees R, B sees R and G
        tensor([[0., 0., 0.],
                [1., 0., 0.],
                [1., 1., 0.]])
    """
    if kind not in ("A", "B"):
        raise ConfigError(f"`kind` must be 'A' or 'B', got {kind!r}.")
    kernel_height, kernel_width = kernel_size
    if kernel_height % 2 == 0 or kernel_width % 2 == 0:
        raise ConfigError(f"`kernel_size` must be odd in both directions, got {kernel_size}.")
    if out_channels % groups or in_channels % groups:
        raise ConfigError(
            f"The {groups} colour groups must divide the channels of every layer, got "
            f"{in_channels} in and {out_channels} out. Choose `hidden_channels` divisible by "
            f"{2 * groups}."
        )
    mask = torch.zeros(out_channels, in_channels, kernel_height, kernel_width)
    middle_row, middle_column = kernel_height // 2, kernel_width // 2
    mask[:, :, :middle_row] = 1
    mask[:, :, middle_row, :middle_column] = 1
    writes = torch.arange(out_channels) // (out_channels // groups)
    reads = torch.arange(in_channels) // (in_channels // groups)
    seen = reads[None, :] < writes[:, None] if kind == "A" else reads[None, :] <= writes[:, None]
    mask[:, :, middle_row, middle_column] = seen.float()
    return mask
