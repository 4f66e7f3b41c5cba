"""An open .pxc file: what it holds, and its images chunk by chunk."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from torch import Tensor

from pixelcnn.arguments import to_wholes
from pixelcnn.checkpoint import fingerprint, read_model
from pixelcnn.codec.chunks import ChunkCoder
from pixelcnn.codec.container import Chunk, Container, damaged_pxc
from pixelcnn.codec.encoding import check_content, chunk_coder
from pixelcnn.codec.entropy_model import ENTROPY_MODELS
from pixelcnn.codec.pixels import PixelFormat
from pixelcnn.codec.reading import read_container
from pixelcnn.codec.sources import METADATA
from pixelcnn.errors import CheckpointError, ConfigError, DataError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.weights import FOLDER, list_weights

Source = str | Path | bytes | BinaryIO


@dataclass(frozen=True)
class DecodedImage:
    """One image of a file.

    Attributes:
        number: Among those that were compressed, from 0.
        x: Levels. (C, H, W), uint8 or, above 256 levels, int32.
        label: Its label; None if none was stored.
        format: What kind of file it came from.
        name: Its name; None if none was stored.
        metadata: EXIF data and colour profile: `exif`, `icc_profile`.
    """

    number: int
    x: Tensor
    label: int | None
    format: PixelFormat
    name: str | None = None
    metadata: dict[str, bytes] = field(default_factory=dict)


class PxcFile:
    """An open .pxc file.

    Args:
        stream: Its bytes; must be able to seek.
        closes: Whether to close the stream at the end of a `with` block.

    Raises:
        DataError: If it is damaged, or no such file.
    """

    def __init__(self, stream: BinaryIO, *, closes: bool = False) -> None:
        self.stream = stream
        self.closes = closes
        self.container: Container = read_container(stream)
        firsts, first = [], 0
        for chunk in self.container.chunks:
            firsts.append(first)
            first += chunk.count
        self._firsts = firsts

    def __enter__(self) -> "PxcFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self.closes:
            self.stream.close()

    def coder(self, model: AutoregressiveModel | None = None) -> ChunkCoder:
        """The coder that made the file.

        Raises:
            CheckpointError: If the model has other weights, or no bundled model has them.
            DataError: If this machine is not of the kind that the file needs.
        """
        header = self.container.header
        if model is None:
            model = bundled_model(header.fingerprint)
        elif fingerprint(model) != header.fingerprint:
            raise CheckpointError(
                f"The model must be the one that compressed the images, with fingerprint "
                f"{header.fingerprint}, got {fingerprint(model)}. Give that one."
            )
        shape = (header.channels, header.levels)
        has_labels = header.num_labels == (model.num_labels or -1)
        serves = has_labels or (not header.num_labels and _serves_without(model))
        if shape != (model.in_channels, model.num_classes) or not serves:
            raise damaged_pxc("its header does not fit its model")
        if header.entropy_model not in ENTROPY_MODELS:
            raise DataError(
                f"The .pxc file has the entropy model {header.entropy_model!r}, which this version "
                f"does not have. Decompress it with the version of this package that wrote it."
            )
        made = chunk_coder(
            model, entropy_model=header.entropy_model, num_labels=header.num_labels, context=0
        )
        here = made.entropy_model.requirements
        if here != header.requirements:
            raise DataError(
                f"The .pxc file is {header.entropy_model}: it needs {header.requirements}, got "
                f"{here}. Decompress it where it was made."
            )
        return ChunkCoder(made.entropy_model, header.num_labels, header.window, header.context)

    def check_index(self, index: int | Sequence[int] | None) -> list[int]:
        """Numbers of images, once there are such images."""
        count = len(self.container.numbers)
        if index is None:
            return list(range(count))
        found = to_wholes(index if isinstance(index, Sequence) else [index])
        if found is None or any(not 0 <= number < count for number in found):
            raise ConfigError(f"`index` must be from 0 to {count - 1}, got {index}.")
        return list(dict.fromkeys(found))

    def chunks_of(self, numbers: Sequence[int]) -> list[int]:
        """The chunks that hold images of these numbers."""
        wanted = set(numbers)
        return [n for n in range(len(self.container.chunks)) if wanted & set(self.numbers_of(n))]

    def numbers_of(self, chunk: int) -> Sequence[int]:
        """Numbers of the images of a chunk."""
        first = self._firsts[chunk]
        return self.container.numbers[first : first + self.container.chunks[chunk].count]

    def num_dims(self, chunk: int) -> int:
        """Sub-pixels of a chunk."""
        own = self.container.chunks[chunk]
        return own.count * self.container.header.channels * own.height * own.width

    def decode(
        self, number: int, coder: ChunkCoder, report: Callable[[int], None] | None = None
    ) -> Iterator[DecodedImage]:
        """The images of a chunk, once all of it has been checked.

        Raises:
            DataError: If the chunk is damaged, or cannot be decoded on this machine.
        """
        own = self.container.chunks[number]
        payload = self.container.payload(number, self.stream)
        chunk = Chunk(own.format, own.count, own.height, own.width, own.checksum, payload)
        x, labels = check_content(coder, chunk, report)
        notes = self.container.notes
        names, metadata = notes.get("names"), notes.get("metadata")
        for place, image in zip(self.numbers_of(number), range(own.count), strict=True):
            yield DecodedImage(
                place,
                x[image],
                None if labels is None else int(labels[image]),
                own.format,
                _entry(names, place),
                _metadata(metadata, place),
            )


def opened(source: Source) -> PxcFile:
    """Opens a .pxc file, its content, or a stream.

    Raises:
        DataError: If it is missing or damaged, or no such file.
    """
    if isinstance(source, bytes):
        return PxcFile(BytesIO(source))
    if isinstance(source, str | Path):
        try:
            stream = Path(source).open("rb")  # noqa: SIM115  # the file is closed by `with`
        except OSError as error:
            raise DataError(
                f"`{source}` cannot be read: {error.strerror}. Name a .pxc file."
            ) from error
        try:
            return PxcFile(stream, closes=True)
        except BaseException:
            stream.close()
            raise
    return PxcFile(source if source.seekable() else BytesIO(source.read()))


def bundled_model(wanted: str) -> AutoregressiveModel:
    """The bundled model of a fingerprint.

    Raises:
        CheckpointError: If none has it.
    """
    for name in list_weights():
        model = read_model(FOLDER / f"{name}.safetensors")
        if fingerprint(model) == wanted:
            return model
    raise CheckpointError(
        f"The .pxc file needs the model of fingerprint {wanted}, which is none of the bundled ones "
        f"({', '.join(list_weights())}). Give it: --run RUN, or `model` in Python."
    )


def _serves_without(model: AutoregressiveModel) -> bool:
    return model.condition.is_none or model.condition.is_optional


def _entry(names: Any, number: int) -> str | None:
    is_listed = isinstance(names, list) and number < len(names)
    return names[number] if is_listed and isinstance(names[number], str) else None


def _metadata(metadata: Any, number: int) -> dict[str, bytes]:
    found = metadata.get(str(number)) if isinstance(metadata, dict) else None
    known = found if isinstance(found, dict) else {}
    try:
        return {key: base64.b64decode(known[key]) for key in METADATA if key in known}
    except (TypeError, ValueError):
        raise damaged_pxc("its metadata cannot be read") from None
