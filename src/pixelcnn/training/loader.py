"""Training batches that know their epoch, so that a run can be stopped and resumed anywhere."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch import Generator

from pixelcnn.data import Batch, ImageSet, batches


class EpochLoader:
    """Shuffled batches; the order depends on the seed and the epoch alone.

    Args:
        image_set: The images to learn from.
        batch_size: Images per batch; the last one may be smaller.
        seed: Seed of the run.
        augment: Whether images are flipped at random.
        num_workers: Processes that read images, for sets not held in memory.
        device: Where the draws are made: the device of the images.

    Attributes:
        epoch: Number of the epoch that the next iteration is, from 0.
    """

    def __init__(
        self,
        image_set: ImageSet,
        batch_size: int,
        *,
        seed: int,
        augment: bool = False,
        num_workers: int = 0,
        device: str = "cpu",
    ) -> None:
        self.generator = Generator(device)
        self.seed = seed
        self.epoch = 0
        self.position = 0
        self._resume_at = (0, 0)
        self._batches = batches(
            image_set,
            batch_size,
            shuffle=True,
            generator=self.generator,
            augment=augment,
            num_workers=num_workers,
        )

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        self.generator.manual_seed(epoch_seed(self.seed, self.epoch))
        epoch, start = self._resume_at
        self.position = start if epoch == self.epoch else 0
        for batch in islice(self._batches, self.position, None):
            self.position += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Where in which epoch we are; Lightning stores it in its checkpoints."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Makes that epoch continue behind the batches already seen."""
        self._resume_at = (state["epoch"], state["position"])


def epoch_seed(seed: int, epoch: int) -> int:
    """One seed per run and epoch.

    Example:
        >>> epoch_seed(0, 3), epoch_seed(1, 3)
        (3, 1000006)
    """
    return (seed * 1_000_003 + epoch) % 2**63
