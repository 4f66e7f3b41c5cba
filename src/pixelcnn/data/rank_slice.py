"""The share of one process in every batch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RankSlice:
    """A consecutive share of every batch, as equal among processes as whole images allow.

    Every process makes the random choices for the whole batch and takes its share afterwards, so an
    image is the same however many processes share its batch.

    Attributes:
        rank: Number of the process, from 0.
        world_size: Number of processes.

    Example:
        >>> [RankSlice(rank, 3).of(7) for rank in range(3)]
        [slice(0, 2, None), slice(2, 4, None), slice(4, 7, None)]
    """

    rank: int = 0
    world_size: int = 1

    def of(self, count: int) -> slice:
        """The images of this process in a batch of `count`; none if there are too few."""
        return slice(
            self.rank * count // self.world_size, (self.rank + 1) * count // self.world_size
        )

    def size(self, count: int) -> int:
        """Number of images of this process."""
        own = self.of(count)
        return int(own.stop - own.start)

    def computed(self, count: int) -> slice:
        """The images to compute with: `of`, or the first image where that is empty.

        Processes take every step together, so one without images computes with the first image,
        and gives it weight 0.

        Example:
            >>> RankSlice(0, 2).of(1), RankSlice(0, 2).computed(1)
            (slice(0, 0, None), slice(0, 1, None))
        """
        return self.of(count) if self.size(count) else slice(0, 1)

    def weight(self, count: int) -> float:
        """Factor of the mean over own images, before the average over processes.

        That average is then the mean over all images of the batch.

        Example:
            >>> [round(RankSlice(rank, 3).weight(7), 3) for rank in range(3)]
            [0.857, 0.857, 1.286]
        """
        return self.world_size * self.size(count) / count


ALL = RankSlice()
