"""The images to compress: levels in memory, or files that are read when they are needed."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pixelcnn.codec.pixels import PixelFormat, format_of, read_exactly, to_file_image
from pixelcnn.errors import DataError, ShapeError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import check_levels

METADATA = ("exif", "icc_profile")


@dataclass(frozen=True)
class Shape:
    """What the images of a chunk have in common."""

    format: PixelFormat
    height: int
    width: int


class ImageSource(Protocol):
    """Images by number."""

    @property
    def shapes(self) -> Sequence[Shape]:
        """Of each image."""

    @property
    def digest(self) -> str:
        """Changes when an image does."""

    def read(self, numbers: Sequence[int]) -> Tensor:
        """Images of one shape. (N, C, H, W), uint8 or int32."""

    def notes(self) -> dict[str, Any]:
        """Names and metadata of all images, in JSON types; empty if they have none."""


@dataclass(frozen=True)
class LevelSource:
    """Levels in memory.

    Attributes:
        images: Each (C, H, W), any integer type.
        names: Of each; empty for none.
    """

    images: Sequence[Tensor]
    names: Sequence[str] = ()

    @property
    def shapes(self) -> list[Shape]:
        return [Shape(PixelFormat.LEVELS, *each.shape[1:]) for each in self.images]

    @property
    def digest(self) -> str:
        found = hashlib.sha256()
        for each in self.images:
            found.update(str((each.shape, each.dtype)).encode())
            found.update(np.ascontiguousarray(each.cpu().numpy()).tobytes())
        return found.hexdigest()[:16]

    def read(self, numbers: Sequence[int]) -> Tensor:
        return torch.stack([self.images[number] for number in numbers]).cpu()

    def notes(self) -> dict[str, Any]:
        return {"names": list(self.names)} if self.names else {}


@dataclass(frozen=True)
class FileSource:
    """Image files.

    Attributes:
        files: Paths, or contents.
        names: What each is called: in messages, and when it is decompressed.
        channels: C of the model.
        levels: K of the model.

    Raises:
        DataError: If a file is no image, or of a format that cannot be kept exactly.
    """

    files: Sequence[Path | bytes]
    names: Sequence[str]
    channels: int
    levels: int
    shapes: list[Shape] = field(init=False)
    metadata: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        shapes, metadata = [], {}
        for number, (file, name) in enumerate(zip(self.files, self.names, strict=True)):
            shape, found = read_file_header(file, name)
            shapes.append(shape)
            if found:
                metadata[str(number)] = found
        object.__setattr__(self, "shapes", shapes)
        object.__setattr__(self, "metadata", metadata)

    @property
    def digest(self) -> str:
        found = hashlib.sha256()
        for file in self.files:
            own = file
            if isinstance(file, Path):
                stat = file.stat()
                own = str((str(file), stat.st_size, stat.st_mtime_ns)).encode()
            found.update(hashlib.sha256(own).digest())  # type: ignore[arg-type]
        return found.hexdigest()[:16]

    def read(self, numbers: Sequence[int]) -> Tensor:
        return torch.stack(
            [
                read_exactly(
                    self.files[n], self.names[n], channels=self.channels, levels=self.levels
                )
                for n in numbers
            ]
        )

    def notes(self) -> dict[str, Any]:
        found: dict[str, Any] = {"names": list(self.names)}
        return found | ({"metadata": self.metadata} if self.metadata else {})


def read_file_header(file: Path | bytes, name: str) -> tuple[Shape, dict[str, str]]:
    """The shape of an image file, and its metadata in base64.

    Raises:
        DataError: If it is no image, or of a format that cannot be kept exactly.
    """
    try:
        with Image.open(BytesIO(file) if isinstance(file, bytes) else file) as image:
            shape = Shape(format_of(image, name), image.height, image.width)
            found = {key: image.info[key] for key in METADATA if image.info.get(key)}
    except DataError:
        raise
    except Exception as error:  # decoders raise errors of many types
        raise DataError(f"{name} cannot be read as an image: {error}. Repair it.") from error
    return shape, {key: base64.b64encode(value).decode() for key, value in found.items()}


def image_source(
    images: object, model: AutoregressiveModel, names: Sequence[str] | None = None
) -> ImageSource:
    """The source of what a user gives.

    Args:
        images: Levels, as a tensor or array (N, C, H, W) or a list of (C, H, W); or image files,
            as a list of paths or contents.
        model: Whose levels they are.
        names: Of the images; by default those of files.

    Raises:
        ShapeError: If levels do not fit the model.
        DataError: If there is no image, or a file cannot be used.
    """
    given = [images] if isinstance(images, str | Path | bytes) else images
    if not isinstance(given, Tensor | np.ndarray | Sequence):
        raise ShapeError(
            f"`images` must be levels (N, C, H, W) or a list of image files, got "
            f"{type(images).__name__}."
        )
    if len(given) == 0:
        raise DataError("`images` must hold at least one image, got none.")
    if isinstance(given[0], str | Path | bytes):
        files = [Path(each) if isinstance(each, str) else each for each in given]
        own = [
            f"image {n}" if isinstance(file, bytes) else str(file) for n, file in enumerate(files)
        ]
        return FileSource(files, names or own, model.in_channels, model.num_classes)
    levels = [torch.as_tensor(each) for each in given]
    for each in levels:
        if each.ndim != 3:
            raise ShapeError(
                f"`images` must have shape (N, C, H, W), got {tuple(each.shape)} each."
            )
        if each.shape[0] != model.in_channels or not each.numel():
            raise ShapeError(
                f"`images` must have {model.in_channels} channels as the model, and at least a "
                f"pixel, got {tuple(each.shape)} each."
            )
        check_levels(each, model.num_classes, name="images")
    return LevelSource(levels, names or ())


def png_length(x: Tensor, kind: PixelFormat, levels: int) -> int | None:
    """Bytes of images (N, C, H, W) as one PNG file each; None where PNG cannot hold them."""
    total = 0
    for each in x:
        file = BytesIO()
        try:
            to_file_image(each, kind, levels=levels).save(file, "PNG")
        except DataError:
            return None
        total += file.tell()
    return total
