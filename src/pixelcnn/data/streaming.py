"""Images that stay in their files and are decoded batch by batch, by worker processes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pixelcnn.data.conditions import Conditions
from pixelcnn.data.sets import ImageSet, Transform, narrow
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec

# A file to levels (C, H, W); picklable, since workers may be spawned.
Decoder = Callable[[Path], Tensor]


@dataclass(frozen=True)
class Files:
    """Files, how to decode one, and what to do with the levels then."""

    paths: tuple[Path, ...]
    decode: Decoder
    transforms: tuple[Transform, ...] = ()

    def read(self, index: int) -> Tensor:
        """The levels of one image. Shape: (C, H, W).

        Raises:
            DataError: If the file is broken, or missing by now.
        """
        x = self.decode(self.paths[index])[None]
        for transform in self.transforms:
            x = transform(x)
        return x[0]


class FileImageSet(ImageSet):
    """Images decoded when they are needed, for folders too big for the memory.

    Args:
        files: Where the images are and how to read them.
        labels: Class numbers. Shape: (N,); or None.
        attributes: Numbers that describe each image. Shape: (N, A); or None.
        maps: Planes as large as the images. Shape: (N, A, H, W); or None.
        spec: Shape and levels of the images that `batches` yields.
        stored_levels: Levels that `files` yields; those of `spec` if not given.
    """

    def __init__(
        self,
        files: Files,
        labels: Tensor | None = None,
        *,
        attributes: Tensor | None = None,
        maps: Tensor | None = None,
        spec: ImageSpec,
        stored_levels: int | None = None,
    ) -> None:
        conditions = Conditions(labels, attributes, maps)
        super().__init__(
            spec,
            conditions.stored(len(files.paths), (spec.height, spec.width)),
            stored_levels=stored_levels,
        )
        self.files = files

    def __len__(self) -> int:
        return len(self.files.paths)

    def take(self, indices: Tensor) -> "FileImageSet":
        paths = tuple(self.files.paths[index] for index in indices.tolist())
        return FileImageSet(
            replace(self.files, paths=paths),
            **self.conditions.take(indices)._asdict(),
            spec=self.spec,
            stored_levels=self.stored_levels,
        )

    def apply(self, transform: Transform, spec: ImageSpec) -> "FileImageSet":
        files = replace(self.files, transforms=(*self.files.transforms, transform))
        conditions = self.conditions.sized((spec.height, spec.width))
        return FileImageSet(files, **conditions._asdict(), spec=spec)

    def read(self, order: Sequence[Tensor], *, num_workers: int = 0) -> Iterator[Tensor]:
        loader: DataLoader[Any] = DataLoader(
            _Decoded(self.files, self.stored_levels),
            sampler=list(order),
            batch_size=None,
            num_workers=num_workers,
            # Its own generator: seeds of workers must not use up draws of the global one.
            generator=torch.Generator(),
        )
        for item in loader:
            if isinstance(item, str):
                raise DataError(item)
            yield item

    def to(self, device: torch.device | str) -> "FileImageSet":
        """Itself: nothing but conditions is held, and batches come from the CPU."""
        return self

    def _copy(self, spec: ImageSpec, *, stored_levels: int) -> "FileImageSet":
        return FileImageSet(
            self.files, **self.conditions._asdict(), spec=spec, stored_levels=stored_levels
        )


class _Decoded(Dataset[Tensor | str]):
    """Whole batches, by the tensor of their image numbers."""

    def __init__(self, files: Files, levels: int) -> None:
        self.files = files
        self.levels = levels

    def __getitem__(self, indices: Tensor) -> Tensor | str:
        try:
            return narrow(
                torch.stack([self.files.read(index) for index in indices.tolist()]), self.levels
            )
        except DataError as error:
            # Raised in a worker it would come back with the worker's traceback as its text.
            return str(error)
