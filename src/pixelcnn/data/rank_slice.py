"""Which images of a batch one of several processes takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RankSlice:
    """The share of one process in every batch: a run of images, as even as whole images allow.

    Random draws of a batch are made for all of its images by every process, and cut after that: an
    image is the same, however many processes share its batch.

    Attributes:
        rank: Which process, from 0.
        world_size: How many there are.

    Example:
        >>> [RankSlice(rank, 3).of(7) for rank in range(3)]
        [slice(0, 2, None), slice(2, 4, None), slice(4, 7, None)]
    """

    rank: int = 0
    world_size: int = 1

    def of(self, count: int) -> slice:
        """The images of this process, of a batch of `count`; none if there are too few."""
        return slice(
            self.rank * count // self.world_size, (self.rank + 1) * count // self.world_size
        )

    def size(self, count: int) -> int:
        """How many images that is."""
        own = self.of(count)
        return int(own.stop - own.start)

    def computed(self, count: int) -> slice:
        """The images to compute with: `of`, or the first image where that is none.

        Processes take every step together, so whoever has no image computes with one that belongs
        to another, and counts it as none.

        Example:
            >>> RankSlice(0, 2).of(1), RankSlice(0, 2).computed(1)
            (slice(0, 0, None), slice(0, 1, None))
        """
        return self.of(count) if self.size(count) else slice(0, 1)

    def weight(self, count: int) -> float:
        """What the mean over own images is multiplied by, before processes are averaged.

        The average of processes is then the mean over all images of the batch.

        Example:
            >>> [round(RankSlice(rank, 3).weight(7), 3) for rank in range(3)]
            [0.857, 0.857, 1.286]
        """
        return self.world_size * self.size(count) / count


ALL = RankSlice()
