"""Splits of a set that do not depend on the seed of a run."""

import torch

from pixelcnn.data.image_sets import ImageSet
from pixelcnn.errors import DataError

# Not the run's seed: an evaluation under another seed would find training images among the
# validation images.
SPLIT_SEED = 20_160_119


def hold_out(image_set: ImageSet, fraction: float) -> tuple[ImageSet, ImageSet]:
    """Splits a set at random, by a fixed seed.

    Args:
        image_set: N images.
        fraction: Share of the images held out, in (0, 1); at least one image.

    Returns:
        The remaining and the held-out images, each in the order of the set.

    Raises:
        DataError: If there are fewer than two images.
    """
    count = len(image_set)
    if count < 2:
        raise DataError(f"At least 2 images are needed to hold some out, got {count}. Add images.")
    num_held = min(max(round(count * fraction), 1), count - 1)
    numbers = torch.randperm(count, generator=torch.Generator().manual_seed(SPLIT_SEED))
    held, rest = numbers[:num_held].sort().values, numbers[num_held:].sort().values
    return image_set.take(rest), image_set.take(held)


def subsample(image_set: ImageSet, max_samples: int | None, *, seed: int) -> ImageSet:
    """At most `max_samples` images, chosen at random by `seed`, in the order of the set."""
    if max_samples is None or len(image_set) <= max_samples:
        return image_set
    numbers = torch.randperm(len(image_set), generator=torch.Generator().manual_seed(seed))
    return image_set.take(numbers[:max_samples].sort().values)
