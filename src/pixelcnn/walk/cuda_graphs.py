"""Sampling batch after batch: batches of one shape replay one recording."""

import warnings
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from pixelcnn.walk.choosers import chooser_from_noise
from pixelcnn.walk.guided import stepper_for
from pixelcnn.walk.noise import image_noise
from pixelcnn.walk.options import SamplingOptions
from pixelcnn.walk.precision import RoundedModel, in_precision
from pixelcnn.walk.spread import PART, Rows, walk_parts
from pixelcnn.walk.stepper import Walkable
from pixelcnn.walk.walk import walk_rows

Replay: TypeAlias = Callable[[], object]


class Recorder(Protocol):
    """Makes work on fixed tensors repeatable without what Python does between its kernels."""

    def record(self, work: Callable[[], None]) -> Replay:
        """Runs the work once, or only notes it; each replay does it again, in the same order."""


class CudaRecorder:
    """Records kernels in CUDA graphs, which are launched as one.

    A step of a walk is some hundred small kernels, and a processor takes longer to launch them than
    a graphics card to run them.

    References:
        https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, work: Callable[[], None]) -> Replay:
        """Notes the kernels of the work without running them."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            work()
        return graph.replay


def recorder_for(device: torch.device) -> Recorder | None:
    """What records on a device; None where nothing does."""
    return CudaRecorder() if device.type == "cuda" else None


class RepeatedSampling:
    """Samples batches of images with one model and one set of options.

    The kernels of a walk do not depend on the levels that are sampled: a walk over a batch of the
    same shape is the same list of kernels with other noise and another condition. Where a device
    can record that list, the first batch is walked step by step, the second is recorded row by
    row, and it and all others are replayed. The images are the same.

    Args:
        model: What is walked.
        options: How to sample; `cond`, `shape` and `batch_size` are not read.
        recorder: None for none.
    """

    def __init__(
        self, model: Walkable, options: SamplingOptions, *, recorder: Recorder | None = None
    ) -> None:
        self.model, self.options = in_precision(model, options.precision), options
        self.recorder = recorder
        self._walked: torch.Size | None = None
        self._recording: Recording | None = None

    def rows(self, x: Tensor, *, first: int = 0, cond: Tensor | None = None) -> Iterator[int]:
        """Fills a batch in place, and yields the number of rows that are complete.

        Args:
            x: Images. (B, C, H, W), int64.
            first: Number of the first of them.
            cond: As the model takes it, one entry for each.

        Raises:
            ConfigError: If the features of the network overflow the precision.
        """
        if x.device.type == "cpu" and self.recorder is None and len(x) > PART:
            yield from self._parts(x, first, cond)
            return
        noise = image_noise(self.options.seed, first, len(x), *x.shape[1:])
        recording = self._recording_of(x, cond)
        if recording is None:
            self._walked = x.shape
            yield from self._checked(self._walk(x, noise, cond), x)
            return
        for rows in self._checked(recording.replayed(noise, cond), x):
            x.copy_(recording.x)
            yield rows

    def _parts(self, x: Tensor, first: int, cond: Tensor | None) -> Iterator[int]:
        """A batch in parts, spread over the cores."""
        was_training = self.model.training
        self.model.eval()

        def walk_of(images: Tensor, part: slice) -> Rows:
            own = None if cond is None else cond[part]
            yield from self.rows(images, first=first + part.start, cond=own)

        try:
            yield from walk_parts(x, walk_of)
        finally:
            self.model.train(was_training)

    def _walk(self, x: Tensor, noise: Tensor, cond: Tensor | None) -> Iterator[int]:
        choose = chooser_from_noise(noise, x.device, self.options.filters)
        return walk_rows(stepper_for(self.model, self.options.guidance), x, choose, cond=cond)

    def _checked(self, walk: Iterator[int], x: Tensor) -> Iterator[int]:
        """Refuses a batch, before its last row is shown, whose features overflowed."""
        for rows in walk:
            if rows == x.shape[2] and isinstance(self.model, RoundedModel):
                self.model.check()
            yield rows

    def _recording_of(self, x: Tensor, cond: Tensor | None) -> "Recording | None":
        """The recording of walks over such a batch, made if this is the second of them."""
        if self._recording is not None:
            return self._recording if self._recording.x.shape == x.shape else None
        if self.recorder is None or self._walked != x.shape:
            return None
        try:
            self._recording = Recording(self.recorder, self._walk, x, cond)
        except RuntimeError as error:
            self.recorder = None
            reason = str(error).splitlines()[0]
            warnings.warn(f"Samples step by step: walks are not recorded ({reason}).", stacklevel=3)
        return self._recording


class Recording:
    """A walk over a batch, in parts that end with a row.

    Args:
        recorder: Makes the parts repeatable.
        walk: Walks over images (B, C, H, W) by noise of the same shape and a condition.
        x: Images of the shape of the batch.
        cond: A condition of the shape of all that will be replayed.

    Attributes:
        x: The images as they are sampled. (B, C, H, W).
    """

    def __init__(
        self,
        recorder: Recorder,
        walk: Callable[[Tensor, Tensor, Tensor | None], Iterator[int]],
        x: Tensor,
        cond: Tensor | None,
    ) -> None:
        self.x = torch.zeros_like(x)
        self.noise = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
        self.cond = None if cond is None else cond.clone()
        self.parts: list[tuple[int, Replay]] = []
        rows = walk(self.x, self.noise, self.cond)
        done: list[int] = []
        while not done or done[-1] < x.shape[2]:
            replay = recorder.record(lambda: done.append(next(rows)))
            self.parts.append((done[-1], replay))

    def replayed(self, noise: Tensor, cond: Tensor | None) -> Iterator[int]:
        """Samples from other noise (B, C, H, W) and another condition, row by row."""
        self.noise.copy_(noise)
        if self.cond is not None and cond is not None:
            self.cond.copy_(cond)
        for rows, replay in self.parts:
            replay()
            yield rows
