"""What a drawing into shards is asked for, checked before its folder is touched."""

from typing import Any

from torch import Tensor

from pixelcnn.arguments import numbers_of, whole_number
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.models import AutoregressiveModel, Cond

BATCH_SIZE = 256
SHARD_SIZE = 4096


def checked_sizes(
    num_samples: int, shard_size: int, batch_size: int | None, *, usual: int = BATCH_SIZE
) -> dict[str, Any]:
    """Numbers of images, by name: of all, of a shard and of a batch.

    Args:
        num_samples: Of all.
        shard_size: Of a shard.
        batch_size: Of a batch; None for `usual`, or `shard_size` if that is less.
        usual: Of a batch, where nobody says.

    Raises:
        ConfigError: If one is no whole number of at least 1, or a batch would lie in two shards.

    Example:
        >>> checked_sizes(1000, 100, None)
        {'num_samples': 1000, 'shard_size': 100, 'batch_size': 100}
    """
    num_samples = whole_number("num_samples", num_samples)
    shard_size = whole_number("shard_size", shard_size)
    least = min(usual, shard_size)
    batch_size = least if batch_size is None else whole_number("batch_size", batch_size)
    if shard_size % batch_size:
        up = -(-shard_size // batch_size) * batch_size
        raise ConfigError(
            f"`shard_size` must be a multiple of `batch_size` {batch_size}, so that no batch lies "
            f"in two shards, got {shard_size}. Take {up}, or another `batch_size`."
        )
    return {"num_samples": num_samples, "shard_size": shard_size, "batch_size": batch_size}


def listed_cond(model: AutoregressiveModel, cond: Cond) -> Tensor | None:
    """Conditions (M, …) on the CPU; a single one as M = 1.

    Raises:
        ShapeError: If they are no numbers, or there is none.
    """
    if cond is None:
        return None
    values = numbers_of("cond", cond, "labels, attributes or maps").cpu()
    if not values.numel():
        raise ShapeError("`cond` must hold at least one condition, got none. Or leave it out.")
    return values[None] if values.ndim == model.condition.num_axes else values
