"""One chunk: images of one size as one stream, by one walk that pushes and one that pops."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pixelcnn.codec.coder import LevelDecoder, LevelEncoder
from pixelcnn.codec.entropy_model import EntropyModel
from pixelcnn.codec.frequencies import level_frequencies
from pixelcnn.codec.tiles import Window, waves
from pixelcnn.order import Front
from pixelcnn.walk import walk_rows

MOST_WINDOWS = 1024
"""Windows of one walk at most: part of the format, as the batch may decide the last bit."""

MOST_TABLE = 2**24
"""Numbers of the logits of one step of a walk at most, likewise."""

Report = Callable[[int], None]
"""Is told how many sub-pixels were coded since the last time."""


class Stream(ABC):
    """Either side of the coder: what a walk does with a row of frequencies."""

    @abstractmethod
    def code(self, levels: Tensor, logits: Tensor) -> Tensor:
        """Codes one level (N,) for each row of logits (N, K); returns the levels."""


class Pushing(Stream):
    """Writes the levels that it is given."""

    def __init__(self) -> None:
        self.encoder = LevelEncoder()

    def code(self, levels: Tensor, logits: Tensor) -> Tensor:
        self.encoder.push(levels, level_frequencies(logits))
        return levels


class Popping(Stream):
    """Reads levels, whatever it is given."""

    def __init__(self, content: bytes) -> None:
        self.decoder = LevelDecoder(content)

    def code(self, levels: Tensor, logits: Tensor) -> Tensor:
        return self.decoder.pop(level_frequencies(logits))


@dataclass(frozen=True)
class ChunkCoder:
    """Codes chunks of images with one model.

    Attributes:
        entropy_model: Gives the logits.
        num_labels: Labels that are coded, each with the same frequency; 0 for none: p(x).
        window: Height and width of what is walked at a time.
        context: Pixels of neighbouring windows that a window sees.
    """

    entropy_model: EntropyModel
    num_labels: int
    window: tuple[int, int]
    context: int

    def encode(self, x: Tensor, labels: Tensor | None, report: Report | None = None) -> bytes:
        """The stream of images (N, C, H, W) of any integer type and their labels (N,)."""
        stream = Pushing()
        self._code(stream, x, labels, report)
        return stream.encoder.content()

    def decode(
        self, content: bytes, shape: tuple[int, int, int, int], report: Report | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Images of a shape (N, C, H, W), and their labels (N,), from their stream."""
        levels = self.entropy_model.model.num_classes
        x = torch.zeros(shape, dtype=torch.uint8 if levels <= 256 else torch.int32)
        labels = torch.zeros(len(x), dtype=torch.int64) if self.num_labels else None
        return x, self._code(Popping(content), x, labels, report)

    def _code(
        self, stream: Stream, x: Tensor, labels: Tensor | None, report: Report | None
    ) -> Tensor | None:
        """The loop of both sides: fills `x` by what the stream gives; returns the labels."""
        if labels is not None:
            labels = stream.code(labels, torch.zeros(len(x), self.num_labels))
        height, width = x.shape[2:]
        for wave in waves((height, width), self.window, self.context):
            pairs = [(number, window) for window in wave for number in range(len(x))]
            size = self._batch_size(height, width)
            for first in range(0, len(pairs), size):
                self._code_windows(stream, x, labels, pairs[first : first + size], report)
        return labels

    def _batch_size(self, height: int, width: int) -> int:
        model = self.entropy_model.model
        lag = model.lag or width
        rows = min(height, self.window[0], -(-min(width, self.window[1]) // lag))
        return max(1, min(MOST_WINDOWS, MOST_TABLE // (rows * model.num_classes)))

    def _code_windows(
        self,
        stream: Stream,
        x: Tensor,
        labels: Tensor | None,
        pairs: list[tuple[int, Window]],
        report: Report | None,
    ) -> None:
        """Walks over windows of one size as a batch."""
        device = self.entropy_model.model.device
        height, width = (min(*pair) for pair in zip(x.shape[2:], self.window, strict=True))
        views = [
            x[number, :, each.row : each.row + height, each.column : each.column + width]
            for number, each in pairs
        ]
        inner = torch.stack(views).to(device, torch.int64)
        known = torch.zeros(inner.shape, dtype=torch.bool, device=device)
        for mask, (_, each) in zip(known, pairs, strict=True):
            mask[:, : each.known_rows] = True
            mask[:, :, : each.known_columns] = True
        has_known = bool(known.any())

        def choose(logits: Tensor, front: Front) -> Tensor:
            levels = front.of(inner).flatten().clone()
            if not has_known:
                return stream.code(levels, logits)
            new = ~front.of(known).flatten()
            levels[new] = stream.code(levels[new], logits[new])
            return levels

        cond = None if labels is None else labels[[number for number, _ in pairs]].to(device)
        new_by_row = (~known).sum((0, 1, 3)).tolist()
        for row in walk_rows(self.entropy_model.stepper(), inner, choose, cond=cond):
            if report is not None:
                report(new_by_row[row - 1])
        for view, filled in zip(views, inner.cpu(), strict=True):
            view.copy_(filled)


def content_checksum(x: Tensor, labels: Tensor | None, num_levels: int) -> int:
    """CRC-32 of images and labels: labels as 16 bits, levels as 8 bits or, above 256 levels, 16."""
    found = 0
    if labels is not None:
        found = zlib.crc32(labels.cpu().numpy().astype("<u2").tobytes())
    kind = np.dtype("u1" if num_levels <= 256 else "<u2")
    return zlib.crc32(x.cpu().numpy().astype(kind).tobytes(), found)
