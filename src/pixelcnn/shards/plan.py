"""A plan: the work, and how it is cut into shards of consecutive image numbers."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from pixelcnn.arguments import whole_number
from pixelcnn.errors import ConfigError
from pixelcnn.version import __version__

BATCH_SIZE = 256
SHARD_SIZE = 4096


@dataclass(frozen=True)
class Plan(ABC):
    """All that decides the bytes of a folder of shards.

    Equal plans give equal shards on one kind of machine. A concrete plan is a frozen dataclass
    whose fields are plain types; `shard_size`, the images of each shard but the last, is one.
    """

    shard_size: int

    @property
    @abstractmethod
    def num_images(self) -> int:
        """Images of all shards together."""

    @property
    @abstractmethod
    def notes(self) -> dict[str, Any]:
        """Description of a shard for people: description, software, source."""

    def as_json(self) -> dict[str, Any]:
        """In types that JSON has."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that identify the plan."""
        text = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def num_shards(self) -> int:
        """Shards of the whole set; the last may be smaller."""
        return -(-self.num_images // self.shard_size)

    def images_of(self, number: int) -> range:
        """Numbers of the images of a shard."""
        first = number * self.shard_size
        return range(first, min(first + self.shard_size, self.num_images))

    def file_of(self, number: int) -> str:
        """Name of the file of a shard: sorted by name, the files are in order."""
        return f"shard-{number:05d}.npz"

    def notes_of(self, images: range) -> dict[str, Any]:
        """The notes of one shard, which identify its plan and its images."""
        own = {"recipe": self.digest, "first": images.start, "count": len(images)}
        return {**self.notes, **own}


def software_versions() -> dict[str, str]:
    """Versions of packages that may round differently in another version."""
    return {"pixelcnn": __version__, "torch": str(torch.__version__)}


@dataclass(frozen=True, kw_only=True)
class ModelPlan(Plan):
    """The work of a model.

    Attributes:
        model: Name of the architecture.
        weights: Fingerprint of architecture and weights, see `pixelcnn.checkpoint.fingerprint`.
        batch_size: Images computed together, counted from number 0.
        device: Kind of device: "cpu", "cuda", "mps".
        software: Versions of this package and of torch: others may round differently.
    """

    model: str
    weights: str
    batch_size: int
    device: str
    software: dict[str, str] = field(default_factory=software_versions)


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


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Where two plans differ, in words."""
    return [
        f"`{name}` is {_short(theirs.get(name))} there and {_short(ours.get(name))} here"
        for name in {**ours, **theirs}
        if ours.get(name) != theirs.get(name)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]} …"
