"""A plan: the work, and how it is cut into shards of consecutive image numbers."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Plan(ABC):
    """All that decides the bytes of a folder of shards. Equal plans give equal shards.

    A concrete plan is a frozen dataclass whose fields are plain types; `shard_size`, the images of
    each shard but the last, is one of them.
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


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Where two plans differ, in words.

    Example:
        >>> differences({"seed": 0, "top_k": None}, {"seed": 1, "top_k": None})
        ['`seed` is 1 there and 0 here']
    """
    return [
        f"`{name}` is {_short(theirs.get(name))} there and {_short(ours.get(name))} here"
        for name in {**ours, **theirs}
        if ours.get(name) != theirs.get(name)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]} …"
