"""`compress` and `decompress`: images to bytes and back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from pixelcnn.arguments import named_arguments
from pixelcnn.codec.archive import DecodedImage, Source, opened
from pixelcnn.codec.container import write_container
from pixelcnn.codec.encoding import Labels, plan_encoding
from pixelcnn.codec.sources import image_source
from pixelcnn.errors import DataError
from pixelcnn.files import atomic_write
from pixelcnn.inference.query import Progress, check_model
from pixelcnn.models import AutoregressiveModel


@named_arguments
def compress(
    model: AutoregressiveModel,
    images: object,
    out: str | Path | BinaryIO | None = None,
    *,
    labels: Labels = None,
    entropy_model: str | None = None,
    chunk_size: int | None = None,
    context: int | None = None,
    names: Sequence[str] | None = None,
    keep_names: bool = False,
    verify: bool = False,
    progress: Progress | None = None,
) -> bytes:
    """Compresses images without loss; docs/format.md describes the bytes.

    Args:
        model: Any architecture; decompressing needs the same weights.
        images: Levels, as a tensor or array (N, C, H, W) or a list of (C, H, W); or image files, as
            a list of paths or contents.
        out: File, which appears when it is whole, or binary stream; None for neither.
        labels: Of a model of labels: one for each image; "cheapest" for the most probable, at the
            cost of a forward pass for each label; "none" for p(x). None for "none" where the
            model serves without a label, else "cheapest". Labels are stored.
        entropy_model: "portable": decodes on every machine. "machine-bound": decodes on machines
            that compute as this one does, in about a third of the time. None for "portable" where
            the model can be run so, which all architectures of this package can.
        chunk_size: Images that are coded together, at most 4096: one image is decoded with its
            chunk. None for at most 1024, and 4 million sub-pixels.
        context: Pixels above and to the left that each window of an image sees which is larger
            than the model's own. None for a quarter of its side.
        names: Of the images; by default those of files.
        keep_names: Whether to store names, and EXIF data and colour profiles of files.
        verify: Whether to decode each chunk at once and compare: twice the time.
        progress: Called with the sub-pixels that are done, and all.

    Returns:
        The file; empty if `out` is given.

    Raises:
        ConfigError: If an option is out of range or does not fit the model.
        ShapeError: If levels do not fit the model.
        DataError: If a file cannot be read, or the model lacks its levels.
        OutputError: If the file cannot be written.

    Example:
        >>> import pixelcnn
        >>> model = pixelcnn.load("digits")
        >>> images = model.generate(num_samples=3, seed=0, cond=7)
        >>> content = pixelcnn.compress(model, images, labels=7)
        >>> restored = pixelcnn.decompress(content, model)
        >>> torch.equal(restored.stacked, images), restored.labels.tolist()
        (True, [7, 7, 7])
    """
    check_model(model)
    source = image_source(images, model, names)
    encoding = plan_encoding(
        model,
        source,
        labels=labels,
        entropy_model=entropy_model,
        chunk_size=chunk_size,
        context=context,
        verify=verify,
    )
    total = sum(encoding.num_dims(n) for n in range(len(encoding.chunks)))
    report = _counting(progress, total)
    chunks = (encoding.encode(n, report)[0] for n in range(len(encoding.chunks)))
    notes = source.notes() if keep_names else {}

    def write(stream: BinaryIO) -> None:
        write_container(stream, encoding.header, chunks, numbers=encoding.numbers, notes=notes)

    if out is None:
        held = BytesIO()
        write(held)
        return held.getvalue()
    if isinstance(out, str | Path):
        with atomic_write(out) as temporary, temporary.open("wb") as file:
            write(file)
    else:
        write(out)
    return b""


@dataclass(frozen=True)
class DecodedImages:
    """Images of a file, in the order in which they were compressed.

    Attributes:
        images: Each with what was stored of it.
        levels: K.
    """

    images: list[DecodedImage]
    levels: int

    @property
    def stacked(self) -> Tensor:
        """Levels of images of one size. (N, C, H, W), int64.

        Raises:
            DataError: If they have several sizes.
        """
        sizes = {tuple(each.x.shape) for each in self.images}
        if len(sizes) > 1:
            raise DataError(
                f"Images must have one size to be stacked, got {sorted(sizes)[:4]}. Take `x` of "
                f"each of `images`."
            )
        return torch.stack([each.x for each in self.images]).long()

    @property
    def labels(self) -> Tensor | None:
        """Labels of the images (N,), int64; None if none were stored."""
        found = [each.label for each in self.images if each.label is not None]
        return torch.tensor(found) if found else None


@named_arguments
def decompress(
    source: Source,
    model: AutoregressiveModel | None = None,
    *,
    index: int | Sequence[int] | None = None,
    progress: Progress | None = None,
) -> DecodedImages:
    """Decompresses images.

    Args:
        source: File, its content, or a binary stream.
        model: With the weights of the encoder; None for the bundled model that has them.
        index: Numbers of images, from 0; only their chunks are decoded. None for all.
        progress: Called with the sub-pixels that are done, and all.

    Raises:
        DataError: If the file is damaged, or cannot be decoded on this machine.
        CheckpointError: If the model has other weights, or no bundled model has them.
        ConfigError: If there is no such image.
    """
    with opened(source) as archive:
        coder = archive.coder(model)
        numbers = archive.check_index(index)
        chunks = archive.chunks_of(numbers)
        report = _counting(progress, sum(archive.num_dims(n) for n in chunks))
        wanted = set(numbers)
        found = [
            each
            for n in chunks
            for each in archive.decode(n, coder, report)
            if each.number in wanted
        ]
    by_number = {each.number: each for each in found}
    return DecodedImages([by_number[n] for n in numbers], archive.container.header.levels)


def _counting(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    return report
