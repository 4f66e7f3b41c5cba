"""Many paths in little memory."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class PackedPaths:
    """Files below one folder, with their names in one block of bytes.

    A million names take some tens of megabytes, where a million paths take hundreds. Worker
    processes share the block: without an object per path, no reference count changes, which would
    copy its page of memory.

    Args:
        root: The folder.
        text: Names relative to it, as the file system encodes them, each ended by a zero byte.
        numbers: A selection of them. Shape: (N,); or None for all.

    Example:
        >>> paths = PackedPaths.of(Path("photos"), ["a.png", "b/c.png", "d.png"])
        >>> len(paths), paths[1].as_posix(), paths.take(np.array([2, 0])).name(0)
        (3, 'photos/b/c.png', 'd.png')
    """

    def __init__(self, root: Path, text: bytes, numbers: NDArray[np.int64] | None = None) -> None:
        self.root = root
        self.text = text
        self._ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0)
        self._numbers = np.arange(len(self._ends)) if numbers is None else numbers

    @classmethod
    def of(cls, root: Path, names: Iterable[str]) -> "PackedPaths":
        """Packs names relative to a folder."""
        return cls(root, b"".join(os.fsencode(name) + b"\0" for name in names))

    def __len__(self) -> int:
        return len(self._numbers)

    def name(self, index: int) -> str:
        """The name of one file, relative to the folder."""
        number = self._numbers[index]
        start = self._ends[number - 1] + 1 if number else 0
        return os.fsdecode(self.text[start : self._ends[number]])

    def __getitem__(self, index: int) -> Path:
        return self.root / self.name(index)

    def content(self, index: int) -> Path:
        """The file itself, see `pixelcnn.data.files.headers.EncodedImages`."""
        return self[index]

    def origin(self, index: int) -> str:
        """Its path, for messages."""
        return str(self[index])

    def take(self, indices: Tensor | NDArray[np.int64]) -> "PackedPaths":
        """Those with these numbers, (M,), in this order."""
        numbers: NDArray[np.int64] = self._numbers[np.asarray(indices)]
        return PackedPaths(self.root, self.text, numbers)

    def packed(self) -> "PackedPaths":
        """The same in a block without other names."""
        return PackedPaths.of(self.root, (self.name(index) for index in range(len(self))))
