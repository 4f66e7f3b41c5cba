"""Images decoded batch by batch from the disk, by worker processes."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from pixelcnn.data.conditions import Conditions
from pixelcnn.data.files.packed_paths import PackedPaths
from pixelcnn.data.image_sets import ImageSet, Transform, narrow
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec

# A file to levels (C, H, W); picklable, as workers may be spawned.
Decoder = Callable[[Path], Tensor]


class Store(Protocol):
    """Images that are decoded one by one. Picklable, and small once pickled."""

    def __len__(self) -> int:
        """Number of images N."""

    def decode(self, index: int) -> Tensor:
        """The levels of one image. Shape: (C, H, W).

        Raises:
            DataError: If it is broken or missing.
        """

    def take(self, indices: Tensor) -> "Store":
        """The images with these numbers, (M,), in this order."""


@dataclass(frozen=True)
class Files:
    """Files, and how to decode one."""

    paths: PackedPaths
    decoder: Decoder

    def __len__(self) -> int:
        return len(self.paths)

    def decode(self, index: int) -> Tensor:
        """The levels of one file, as `Store` has it."""
        return self.decoder(self.paths[index])

    def take(self, indices: Tensor) -> "Files":
        """Some of the files, as `Store` has it."""
        return Files(self.paths.take(indices), self.decoder)


class FileImageSet(ImageSet):
    """Images decoded when needed, for sets that are larger than the memory.

    Args:
        store: The encoded images.
        labels: Class numbers. Shape: (N,); or None.
        attributes: Numbers that describe each image. Shape: (N, A); or None.
        maps: Planes as large as the images. Shape: (N, A, H, W); or None.
        spec: Shape and levels of the images.
    """

    def __init__(
        self,
        store: Store,
        labels: Tensor | None = None,
        *,
        attributes: Tensor | None = None,
        maps: Tensor | None = None,
        spec: ImageSpec,
    ) -> None:
        conditions = Conditions(labels, attributes, maps)
        super().__init__(spec, conditions.checked(len(store), (spec.height, spec.width)))
        self.store = store
        self.transforms: tuple[Transform, ...] = ()  # of the levels of the store
        self.device = torch.device("cpu")  # of the batches

    def __len__(self) -> int:
        return len(self.store)

    def take(self, indices: Tensor) -> "FileImageSet":
        return self._changed(
            store=self.store.take(indices), conditions=self.conditions.take(indices)
        )

    def apply(self, transform: Transform, spec: ImageSpec) -> "FileImageSet":
        return self._changed(
            conditions=self.conditions.resized((spec.height, spec.width)),
            spec=spec,
            stored_levels=spec.levels,
            transforms=(*self.transforms, transform),
        )

    def reader(self, num_workers: int = 0) -> "StreamReader":
        decoded = _Decoded(self.store, self.transforms, self.stored_levels)
        return StreamReader(decoded, num_workers, self.device)

    def to(self, device: torch.device | str) -> "FileImageSet":
        """The set with its conditions, and its decoded batches, on a device."""
        return self._changed(conditions=self.conditions.to(device), device=torch.device(device))


class StreamReader:
    """Reads batches by worker processes that stay from epoch to epoch.

    Args:
        decoded: The batches by their numbers.
        num_workers: Number of worker processes; with 0 this process decodes.
        device: Of the batches. For a CUDA device they go through pinned memory, so that they are
            copied while the device computes.
    """

    def __init__(self, decoded: "_Decoded", num_workers: int, device: torch.device) -> None:
        self._decoded = decoded
        self._num_workers = num_workers
        self._device = device
        self._order = _Order()
        self._loader: DataLoader[Any] | None = None
        self._is_busy = False

    def __call__(self, order: Sequence[Tensor]) -> Iterator[Tensor]:
        if self._is_busy:
            # Workers serve one order: another iteration at the same time gets its own workers.
            yield from StreamReader(self._decoded, self._num_workers, self._device)(order)
            return
        self._is_busy = True
        self._order.batches = order
        self._loader = self._loader or self._start()
        try:
            for item in self._loader:
                if isinstance(item, str):
                    raise DataError(item)
                yield item.to(self._device, non_blocking=True)
        except (Exception, KeyboardInterrupt) as error:
            # Now, and not when the error and its references are collected.
            self.close()
            if not isinstance(error, RuntimeError) or "DataLoader worker" not in str(error):
                raise
            raise DataError(
                f"A process that decodes images has died ({str(error).split('.')[0]}). It may "
                f"have been out of memory: reduce `num_workers`."
            ) from error
        finally:
            self._is_busy = False

    def close(self) -> None:
        """Ends the worker processes. Reading again starts new ones."""
        self._loader = None

    def _start(self) -> DataLoader[Any]:
        return DataLoader(
            self._decoded,
            sampler=self._order,
            batch_size=None,
            num_workers=self._num_workers,
            persistent_workers=self._num_workers > 0,
            pin_memory=self._device.type == "cuda",
            # Its own generator: the seeds of workers must not advance the global one.
            generator=torch.Generator(),
            worker_init_fn=_ignore_signals,
        )


def _ignore_signals(worker: int) -> None:
    """Ignores Ctrl-C and SIGTERM in a worker: the reading process handles them.

    Terminals, `timeout` and SLURM send them to all processes, and a training that stops needs its
    batches until its state is saved.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


class _Order(Sampler[Tensor]):
    """The image numbers of each batch, which change from epoch to epoch."""

    def __init__(self) -> None:
        self.batches: Sequence[Tensor] = ()

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class _Decoded(Dataset[Tensor | str]):
    """Whole batches, by the tensor of their image numbers."""

    def __init__(self, store: Store, transforms: tuple[Transform, ...], levels: int) -> None:
        self.store = store
        self.transforms = transforms
        self.levels = levels

    def __getitem__(self, indices: Tensor) -> Tensor | str:
        try:
            return narrow(torch.stack([self._read(i) for i in indices.tolist()]), self.levels)
        except DataError as error:
            # Raised in a worker, it would come back with the worker's traceback as its text.
            return str(error)

    def _read(self, index: int) -> Tensor:
        x = self.store.decode(index)[None]
        for transform in self.transforms:
            x = transform(x)
        return x[0]
