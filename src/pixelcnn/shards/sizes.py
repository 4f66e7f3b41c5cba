"""Sizes of shards and batches, checked before a folder is touched."""

from pixelcnn.arguments import whole_number
from pixelcnn.errors import ConfigError

BATCH_SIZE = 256
SHARD_SIZE = 4096


def check_sizes(
    num_samples: int, shard_size: int, batch_size: int | None, *, default: int = BATCH_SIZE
) -> dict[str, int]:
    """Checks the numbers of images: of all, of a shard and of a batch.

    Args:
        num_samples: Of all.
        shard_size: Of a shard.
        batch_size: Of a batch; None for `default`, or `shard_size` if that is less.
        default: Of a batch.

    Returns:
        `num_samples`, `shard_size` and `batch_size`, by name.

    Raises:
        ConfigError: If one is no whole number of at least 1, or a batch would lie in two shards.

    Example:
        >>> check_sizes(1000, 100, None)
        {'num_samples': 1000, 'shard_size': 100, 'batch_size': 100}
    """
    num_samples = whole_number("num_samples", num_samples)
    shard_size = whole_number("shard_size", shard_size)
    least = min(default, shard_size)
    batch_size = least if batch_size is None else whole_number("batch_size", batch_size)
    if shard_size % batch_size:
        up = -(-shard_size // batch_size) * batch_size
        raise ConfigError(
            f"`shard_size` must be a multiple of `batch_size` {batch_size}, so that no batch lies "
            f"in two shards, got {shard_size}. Take {up}, or another `batch_size`."
        )
    return {"num_samples": num_samples, "shard_size": shard_size, "batch_size": batch_size}
