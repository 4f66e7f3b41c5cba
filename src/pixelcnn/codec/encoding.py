"""How a set of images is coded: its settings, its chunks, and the work on each of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixelcnn.arguments import numbers_of, whole_number
from pixelcnn.checkpoint import fingerprint
from pixelcnn.codec.chunks import ChunkCoder, Report, content_checksum
from pixelcnn.codec.container import MOST_DIMS, MOST_IMAGES, Chunk, PxcHeader, fits
from pixelcnn.codec.entropy_model import ENTROPY_MODELS, MachineBound
from pixelcnn.codec.sources import ImageSource, Shape
from pixelcnn.codec.tiles import waves
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.models.generation import DEFAULT_SIDE

CHUNK_IMAGES, CHUNK_DIMS = 1024, 2**22
"""A chunk has that many images and sub-pixels at most by default."""

CHEAPEST, NO_LABEL = "cheapest", "none"
SCORED = 64  # windows that are scored together, to find the cheapest labels

Labels = int | Sequence[int] | Tensor | str | None


def chunk_coder(
    model: AutoregressiveModel, *, entropy_model: str, num_labels: int, context: int | None
) -> ChunkCoder:
    """The coder of a model.

    Args:
        model: In any mode.
        entropy_model: One of `ENTROPY_MODELS`.
        num_labels: Labels that are coded; 0 for none.
        context: Pixels, at most half a window; None for a quarter of the shorter side.

    Raises:
        ConfigError: If an argument is out of range, or the model cannot be run so.
    """
    side = max(DEFAULT_SIDE, model.least_side)
    window = model.image_size or (side, side)
    most = min(window) // 2
    context = min(window) // 4 if context is None else whole_number("context", context, at_least=0)
    if context > most:
        raise ConfigError(
            f"`context` must be at most half of the model's images, {most} pixels, got {context}."
        )
    made = ENTROPY_MODELS.find(entropy_model)(model)
    return ChunkCoder(made, num_labels, window, context)


def header_of(coder: ChunkCoder) -> PxcHeader:
    """The header of files of a coder."""
    model = coder.entropy_model.model
    return PxcHeader(
        fingerprint=fingerprint(model),
        channels=model.in_channels,
        levels=model.num_classes,
        num_labels=coder.num_labels,
        window=coder.window,
        context=coder.context,
        entropy_model=coder.entropy_model.name,
        requirements=coder.entropy_model.requirements,
    )


@dataclass(frozen=True)
class Encoding:
    """The chunks of a file, which can be made in any order and by any process.

    Attributes:
        coder: Codes each chunk.
        source: The images.
        labels: Of the images (N,), or "cheapest"; None where none are coded.
        chunks: Numbers of the images of each chunk, of one shape.
        verify: Whether to decode each chunk again.
    """

    coder: ChunkCoder
    source: ImageSource
    labels: Tensor | str | None
    chunks: list[list[int]]
    verify: bool

    @property
    def header(self) -> PxcHeader:
        """The header of the file."""
        return header_of(self.coder)

    @property
    def numbers(self) -> list[int] | None:
        """Number of each stored image; None where they are in order."""
        stored = [number for chunk in self.chunks for number in chunk]
        return None if stored == sorted(stored) else stored

    def num_dims(self, chunk: int) -> int:
        """Sub-pixels of a chunk."""
        shape = self.source.shapes[self.chunks[chunk][0]]
        channels = self.coder.entropy_model.model.in_channels
        return len(self.chunks[chunk]) * channels * shape.height * shape.width

    def encode(self, number: int, report: Report | None = None) -> tuple[Chunk, Tensor]:
        """Makes a chunk; returns its images, too.

        Raises:
            DataError: If an image cannot be read, or `verify` finds that it does not come back.
        """
        own = self.chunks[number]
        shape, x = self.source.shapes[own[0]], self.source.read(own)
        labels = self._labels_of(own, x)
        payload = self.coder.encode(x, labels, report)
        checksum = content_checksum(x, labels, self.coder.entropy_model.model.num_classes)
        chunk = Chunk(shape.format, len(x), shape.height, shape.width, checksum, payload)
        if self.verify:
            check_content(self.coder, chunk)
        return chunk, x

    def _labels_of(self, own: list[int], x: Tensor) -> Tensor | None:
        if isinstance(self.labels, str):
            return cheapest_labels(self.coder, x)
        return None if self.labels is None else self.labels[own]


def check_content(
    coder: ChunkCoder, chunk: Chunk, report: Report | None = None
) -> tuple[Tensor, Tensor | None]:
    """Decodes a chunk, and checks what comes out.

    Raises:
        DataError: If it is not what was encoded.
    """
    model = coder.entropy_model.model
    shape = (chunk.count, model.in_channels, chunk.height, chunk.width)
    try:
        x, labels = coder.decode(chunk.payload, shape, report)
        is_same = content_checksum(x, labels, model.num_classes) == chunk.checksum
    except ValueError:  # of a stream that is impossible with the frequencies of this machine
        is_same = False
    if not is_same:
        raise DataError(
            "The images of the .pxc file cannot be decoded here: this machine computes other "
            f"probabilities. Decompress it where it was made"
            f" ({coder.entropy_model.requirements or 'any machine should do: report this'})."
        )
    return x, labels


def plan_encoding(
    model: AutoregressiveModel,
    source: ImageSource,
    *,
    labels: Labels = None,
    entropy_model: str | None = None,
    chunk_size: int | None = None,
    context: int | None = None,
    verify: bool = False,
) -> Encoding:
    """Checks the settings of `compress`, and cuts the images into chunks."""
    chosen = chosen_labels(model, labels, len(source.shapes))
    num_labels = 0 if chosen is None else model.num_labels or 0
    coder = chunk_coder(
        model,
        entropy_model=entropy_model or preferred_entropy_model(model),
        num_labels=num_labels,
        context=context,
    )
    if chunk_size is not None and not 1 <= whole_number("chunk_size", chunk_size) <= MOST_IMAGES:
        raise ConfigError(f"`chunk_size` must be from 1 to {MOST_IMAGES}, got {chunk_size}.")
    by_shape = defaultdict(list)
    for number, shape in enumerate(source.shapes):
        by_shape[shape].append(number)
    chunks, header = [], header_of(coder)
    for shape, numbers in by_shape.items():
        size = chunk_size or _default_size(header, shape)
        if not fits(header, size, shape.height, shape.width):
            raise DataError(
                f"Images of a chunk must have at most {MOST_DIMS:,} sub-pixels together, got "
                f"{shape.height}×{shape.width} pixels. Choose a smaller `chunk_size`, or cut them."
            )
        chunks += [numbers[first : first + size] for first in range(0, len(numbers), size)]
    return Encoding(coder, source, chosen, chunks, verify)


def preferred_entropy_model(model: AutoregressiveModel) -> str:
    """The entropy model that decodes in most places, of those that a model can be run with."""
    kinds = [kind for kind in ENTROPY_MODELS.values() if kind is not MachineBound]
    return next((kind.name for kind in kinds if kind.refusal(model) is None), MachineBound.name)


def _default_size(header: PxcHeader, shape: Shape) -> int:
    most = CHUNK_DIMS // (header.channels * shape.height * shape.width)
    return max(1, min(CHUNK_IMAGES, most))


def chosen_labels(model: AutoregressiveModel, labels: Labels, count: int) -> Tensor | str | None:
    """The labels to code: "cheapest", those given (N,), or None for p(x).

    Raises:
        ConfigError: If they do not fit the model.
    """
    condition = model.condition
    if condition.kind != "labels":
        if labels is not None and not (isinstance(labels, str) and labels == NO_LABEL):
            raise ConfigError("`labels` must be left out: the model takes none.")
        if not condition.is_none and not condition.is_optional:
            raise ConfigError(
                f"The model must serve without its condition to compress, but needs "
                f"{condition.describe()}. Use a model without, or one trained with label_dropout."
            )
        return None
    if labels is None:
        labels = NO_LABEL if condition.is_optional else CHEAPEST
    if isinstance(labels, str):
        if labels == NO_LABEL and not condition.is_optional:
            raise ConfigError(
                f"`labels` none needs a model trained with label_dropout. Use {CHEAPEST}."
            )
        if labels not in (NO_LABEL, CHEAPEST):
            raise ConfigError(
                f"`labels` must be {CHEAPEST}, {NO_LABEL} or numbers of labels, got {labels!r}."
            )
        return None if labels == NO_LABEL else labels
    found = numbers_of("labels", labels, "numbers of labels", dtype=torch.int64).cpu()
    found = found.expand(count) if found.ndim == 0 else found
    num_labels = model.num_labels or 0
    if found.shape != (count,) or not bool(((found >= 0) & (found < num_labels)).all()):
        raise ConfigError(
            f"`labels` must be one number from 0 to {num_labels - 1} for each of "
            f"{count} images, got {found.tolist()[:10]}."
        )
    return found


@torch.inference_mode()
def cheapest_labels(coder: ChunkCoder, x: Tensor) -> Tensor:
    """The label of each image (N, C, H, W) under which it is most probable. (N,), int64."""
    model = coder.entropy_model.model
    height, width = (min(*pair) for pair in zip(x.shape[2:], coder.window, strict=True))
    nats = torch.zeros(model.num_labels or 0, len(x), dtype=torch.float64)
    for wave in waves((x.shape[2], x.shape[3]), coder.window, coder.context):
        for window in wave:
            rows, columns = (
                slice(a, a + b) for a, b in ((window.row, height), (window.column, width))
            )
            for first in range(0, len(x), SCORED):
                own = slice(first, first + SCORED)
                part = x[own, :, rows, columns].to(model.device, torch.int64)
                for label, sums in enumerate(nats):
                    sites = model.site_log_prob(part, label, check=False)
                    new = sites[:, :, window.known_rows :, window.known_columns :]
                    sums[own] += new.double().flatten(1).sum(1).cpu()
    return nats.argmax(0)
