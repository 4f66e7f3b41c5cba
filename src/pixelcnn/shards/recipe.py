"""All that decides the images of a folder of shards, so that no folder mixes two drawings."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from pixelcnn.checkpoint import fingerprint
from pixelcnn.models import AutoregressiveModel
from pixelcnn.version import __version__

LISTED = 1000  # numbers of a condition that a manifest shows; more are told by their checksum


@dataclass(frozen=True)
class Recipe:
    """What is drawn, and how. Two equal recipes give the same bytes on one kind of machine.

    Attributes:
        model: Name of the architecture.
        weights: Fingerprint of architecture and weights, see `pixelcnn.checkpoint.fingerprint`.
        num_samples: Images of all shards together, N.
        shard_size: Images of each shard but the last.
        batch_size: Images drawn together, counted from number 0.
        shape: (C, H, W).
        levels: K.
        seed: With its number, decides each image.
        temperature: As `PixelCNNSampler.generate_samples`; so are the next four.
        top_k: Likewise.
        top_p: Likewise.
        guidance: Likewise.
        precision: Likewise.
        condition: Kind, number and checksum of the conditions, see `describe_condition`; or None.
        device: Kind of device: "cpu", "cuda", "mps".
        software: Versions of this package and of torch: others may round otherwise.
    """

    model: str
    weights: str
    num_samples: int
    shard_size: int
    batch_size: int
    shape: tuple[int, int, int]
    levels: int
    seed: int
    temperature: float
    top_k: int | None
    top_p: float | None
    guidance: float
    precision: str
    condition: dict[str, Any] | None
    device: str
    software: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """In types that JSON has."""
        return {**asdict(self), "shape": list(self.shape)}

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that tell this recipe from any other."""
        text = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def num_shards(self) -> int:
        """Shards of the whole set; the last may be smaller."""
        return -(-self.num_samples // self.shard_size)

    def images_of(self, number: int) -> range:
        """Numbers of the images of a shard.

        Example:
            >>> from pixelcnn.models import PixelCNN
            >>> recipe = recipe_for(PixelCNN(image_size=8), 10, shard_size=4, batch_size=2)
            >>> [recipe.images_of(number) for number in range(recipe.num_shards)]
            [range(0, 4), range(4, 8), range(8, 10)]
        """
        first = number * self.shard_size
        return range(first, min(first + self.shard_size, self.num_samples))

    def file_of(self, number: int) -> str:
        """Name of the file of a shard: sorted by name, the files are in order."""
        return f"shard-{number:05d}.npz"


def recipe_for(
    model: AutoregressiveModel,
    num_samples: int,
    *,
    shard_size: int,
    batch_size: int,
    cond: Tensor | None = None,
    shape: tuple[int, int, int] | None = None,
    seed: int = 0,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    guidance: float = 1.0,
    precision: str = "float32",
) -> Recipe:
    """The recipe of a drawing from a model.

    Args:
        model: With its weights, where it will draw.
        num_samples: N.
        shard_size: As `Recipe`; so are all others.
        batch_size: Likewise.
        cond: Conditions that are shared among the images. (M, …).
        shape: None for the model's own.
        seed: Likewise.
        temperature: Likewise.
        top_k: Likewise.
        top_p: Likewise.
        guidance: Likewise.
        precision: Likewise.

    Raises:
        ConfigError: If neither `shape` nor the model says how large images are.
    """
    return Recipe(
        model=model.name,
        weights=fingerprint(model),
        num_samples=num_samples,
        shard_size=shard_size,
        batch_size=batch_size,
        shape=model.spec.shape if shape is None else shape,
        levels=model.num_classes,
        seed=seed,
        temperature=float(temperature),
        top_k=top_k,
        top_p=top_p,
        guidance=float(guidance),
        precision=precision,
        condition=describe_condition(model.condition.kind, cond),
        device=model.device.type,
        software={"pixelcnn": __version__, "torch": str(torch.__version__)},
    )


def describe_condition(kind: str | None, cond: Tensor | None) -> dict[str, Any] | None:
    """Conditions (M, …) as a manifest tells them apart.

    Example:
        >>> described = describe_condition("labels", torch.tensor([3, 5]))
        >>> described["kind"], described["count"], described["values"]
        ('labels', 2, [3, 5])
    """
    if cond is None:
        return None
    content = cond.cpu().contiguous().numpy().tobytes()
    return {
        "kind": kind,
        "count": len(cond),
        "sha256": hashlib.sha256(content).hexdigest(),
        "values": cond.tolist() if cond.numel() <= LISTED else None,
    }


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Where two recipes differ, in words.

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
