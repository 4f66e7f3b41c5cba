"""Foreign networks, written anew from their published formulas, with their names of weights.

They exist to make files in the form of other programs, and to say what such files compute.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class UvaTutorial(nn.Module):
    """The gated PixelCNN of the UvA deep learning course, tutorial 12."""

    def __init__(self, hidden: int, dilations: tuple[int, ...] = (1, 2, 1, 4, 1, 2, 1)) -> None:
        super().__init__()
        self.conv_vstack = _Masked(1, hidden, (3, 3), rows=1, columns=3)
        self.conv_hstack = _Masked(1, hidden, (1, 3), rows=1, columns=1)
        self.conv_layers = nn.ModuleList(_UvaLayer(hidden, dilation) for dilation in dilations)
        self.conv_out = nn.Conv2d(hidden, 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        signed = x / 255 * 2 - 1
        above, path = self.conv_vstack(signed), self.conv_hstack(signed)
        for layer in self.conv_layers:
            above, path = layer(above, path)
        return self.conv_out(F.elu(path))


class _Masked(nn.Module):
    def __init__(self, reads, writes, size, *, rows, columns, dilation=1):
        super().__init__()
        mask = torch.zeros(1, 1, *size)
        mask[:, :, :rows, :columns] = 1
        self.register_buffer("mask", mask)
        padding = tuple(dilation * (side // 2) for side in size)
        self.conv = nn.Conv2d(reads, writes, size, padding=padding, dilation=dilation)

    def forward(self, h: Tensor) -> Tensor:
        conv, weight = self.conv, self.conv.weight * self.mask
        return F.conv2d(h, weight, conv.bias, padding=conv.padding, dilation=conv.dilation)


class _UvaLayer(nn.Module):
    def __init__(self, hidden: int, dilation: int) -> None:
        super().__init__()
        both = 2 * hidden
        self.conv_vert = _Masked(hidden, both, (3, 3), rows=2, columns=3, dilation=dilation)
        self.conv_horiz = _Masked(hidden, both, (1, 3), rows=1, columns=2, dilation=dilation)
        self.conv_vert_to_horiz = nn.Conv2d(both, both, 1)
        self.conv_horiz_1x1 = nn.Conv2d(hidden, hidden, 1)

    def forward(self, above: Tensor, path: Tensor) -> tuple[Tensor, Tensor]:
        above = self.conv_vert(above)
        along = self.conv_horiz(path) + self.conv_vert_to_horiz(above)
        return _gate(above), path + self.conv_horiz_1x1(_gate(along))


def _gate(h: Tensor) -> Tensor:
    value, opening = h.chunk(2, 1)
    return value.tanh() * opening.sigmoid()


class PytorchGenerative(nn.Module):
    """The plain PixelCNN of pytorch-generative: it reads 0 and 1, and gives a logit."""

    def __init__(self, residual: int, num_blocks: int, head: int) -> None:
        super().__init__()
        hidden = 2 * residual
        self._input = _Causal(1, hidden, 7, own=False)
        self._causal_layers = nn.ModuleList(_Residual(hidden) for _ in range(num_blocks))
        self._head = nn.Sequential(
            nn.ReLU(), nn.Conv2d(hidden, head, 1), nn.ReLU(), nn.Conv2d(head, 1, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self._input(x.to(self._input.weight.dtype))
        for layer in self._causal_layers:
            h = h + layer(h)
        return self._head(h)


class _Causal(nn.Conv2d):
    def __init__(self, reads: int, writes: int, side: int, *, own: bool) -> None:
        super().__init__(reads, writes, side, padding=side // 2)
        mask = torch.zeros(writes, reads, side, side)
        mask[:, :, : side // 2] = 1
        mask[:, :, side // 2, : side // 2 + own] = 1
        self.register_buffer("mask", mask)

    def forward(self, h: Tensor) -> Tensor:
        return F.conv2d(h, self.weight * self.mask, self.bias, padding=self.padding)


class _Residual(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        half = hidden // 2
        self._net = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(hidden, half, 1),
            nn.ReLU(),
            _Causal(half, half, 3, own=True),
            nn.ReLU(),
            nn.Conv2d(half, hidden, 1),
        )

    def forward(self, h: Tensor) -> Tensor:
        return h + self._net(h)


class PlusPlusPort(nn.Module):
    """PixelCNN++ as its PyTorch ports name it. It reads [-1, 1] and gives a mixture."""

    def __init__(self, hidden: int, num_resnets: int, num_mixtures: int, channels: int) -> None:
        super().__init__()
        up = [num_resnets, num_resnets + 1, num_resnets + 1]
        self.up_layers = nn.ModuleList(_Pairs(hidden, num_resnets, 0, 1) for _ in range(3))
        self.down_layers = nn.ModuleList(_Pairs(hidden, count, 1, 2) for count in up)
        for name, size in (("u", (2, 3)), ("ul", (2, 2))):
            down = [_Shifted(hidden, hidden, size, stride=2) for _ in range(2)]
            grow = [_Grown(hidden, size) for _ in range(2)]
            setattr(self, f"downsize_{name}_stream", nn.ModuleList(down))
            setattr(self, f"upsize_{name}_stream", nn.ModuleList(grow))
        self.u_init = _Shifted(channels + 1, hidden, (2, 3), shift=(1, 0))
        self.ul_init = nn.ModuleList(
            [
                _Shifted(channels + 1, hidden, (1, 3), shift=(1, 0)),
                _Shifted(channels + 1, hidden, (2, 1), shift=(0, 1)),
            ]
        )
        self.nin_out = _Point(hidden, num_mixtures * (3 if channels == 1 else 10))

    def forward(self, x: Tensor) -> Tensor:
        signed = x.to(self.nin_out.lin_a.bias.dtype) / 127.5 - 1
        pixels = torch.cat([signed, torch.ones_like(signed[:, :1])], 1)
        kept = [(self.u_init(pixels), self.ul_init[0](pixels) + self.ul_init[1](pixels))]
        for level in range(3):
            for pair in zip(*self.up_layers[level].streams, strict=True):
                kept.append(_through(pair, *kept[-1]))
            if level < 2:
                down = self.downsize_u_stream[level], self.downsize_ul_stream[level]
                kept.append(tuple(conv(h) for conv, h in zip(down, kept[-1], strict=True)))
        u, ul = kept.pop()
        for level in range(3):
            for pair in zip(*self.down_layers[level].streams, strict=True):
                u, ul = _through(pair, u, ul, kept.pop())
            if level < 2:
                u, ul = self.upsize_u_stream[level](u), self.upsize_ul_stream[level](ul)
        return self.nin_out(F.elu(ul))


def _through(pair, u, ul, shortcut=None):
    u = pair[0](u, None if shortcut is None else shortcut[0])
    return u, pair[1](ul, u if shortcut is None else torch.cat([u, shortcut[1]], 1))


class _Pairs(nn.Module):
    def __init__(self, hidden: int, count: int, reads_u: int, reads_ul: int) -> None:
        super().__init__()
        self.u_stream = nn.ModuleList(_Gated(hidden, (2, 3), reads_u) for _ in range(count))
        self.ul_stream = nn.ModuleList(_Gated(hidden, (2, 2), reads_ul) for _ in range(count))

    @property
    def streams(self):
        return self.u_stream, self.ul_stream


class _Gated(nn.Module):
    def __init__(self, hidden: int, size: tuple[int, int], num_read: int) -> None:
        super().__init__()
        self.conv_input = _Shifted(2 * hidden, hidden, size)
        if num_read:
            self.nin_skip = _Point(2 * num_read * hidden, hidden)
        self.conv_out = _Shifted(2 * hidden, 2 * hidden, size)

    def forward(self, h: Tensor, read: Tensor | None) -> Tensor:
        middle = self.conv_input(_concat_elu(h))
        if read is not None:
            middle = middle + self.nin_skip(_concat_elu(read))
        value, opening = self.conv_out(_concat_elu(middle)).chunk(2, 1)
        return h + value * opening.sigmoid()


def _concat_elu(h: Tensor) -> Tensor:
    return F.elu(torch.cat([h, -h], 1))


class _Point(nn.Module):
    def __init__(self, reads: int, writes: int) -> None:
        super().__init__()
        self.lin_a = nn.Linear(reads, writes)

    def forward(self, h: Tensor) -> Tensor:
        return self.lin_a(h.movedim(1, -1)).movedim(-1, 1)


class _Shifted(nn.Module):
    """A window that ends at the own pixel (or its column), whose output may be shifted."""

    def __init__(self, reads, writes, size, *, stride=1, shift=(0, 0)):
        super().__init__()
        self.conv = weight_norm(nn.Conv2d(reads, writes, size, stride=stride))
        width = size[1]
        left, right = (1, 1) if width == 3 else (width - 1, 0)
        self.padding, self.shift = (left, right, size[0] - 1, 0), shift

    def forward(self, h: Tensor) -> Tensor:
        out = self.conv(F.pad(h, self.padding))
        down, along = self.shift
        return F.pad(out, (along, -along, down, -down))


class _Grown(nn.Module):
    def __init__(self, hidden: int, size: tuple[int, int]) -> None:
        super().__init__()
        conv = nn.ConvTranspose2d(hidden, hidden, size, stride=2, output_padding=1)
        self.deconv = weight_norm(conv)
        self.size = size

    def forward(self, h: Tensor) -> Tensor:
        out = self.deconv(h)[:, :, : 2 * h.shape[2]]
        start = self.size[1] // 2 if self.size[1] == 3 else 0
        return out[..., start : start + 2 * h.shape[3]]
