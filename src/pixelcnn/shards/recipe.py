"""All that decides the images of a folder of shards, so that no folder mixes two drawings."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pixelcnn.checkpoint import fingerprint
from pixelcnn.data.conditions import checksum
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards.plan import Plan
from pixelcnn.version import __version__

LISTED = 1000  # numbers of a condition that a manifest shows; more are told by their checksum


@dataclass(frozen=True)
class Recipe(Plan):
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

    @property
    def num_images(self) -> int:
        """Images of all shards together."""
        return self.num_samples

    @property
    def notes(self) -> dict[str, Any]:
        """What a shard says of itself for people."""
        return {
            "description": "generated images",
            "software": f"pixelcnn {self.software['pixelcnn']}",
            "source": f"model {self.weights}",
        }


def recipe_for(
    model: AutoregressiveModel,
    *,
    cond: Tensor | None,
    shape: tuple[int, int, int] | None,
    **settings: Any,
) -> Recipe:
    """The recipe of a drawing from a model.

    Args:
        model: With its weights, where it will draw.
        cond: Conditions that are shared among the images. (M, …); or None.
        shape: (C, H, W); None for the model's own.
        **settings: What else `Recipe` has, and the model does not say.

    Raises:
        ConfigError: If neither `shape` nor the model says how large images are.
    """
    return Recipe(
        model=model.name,
        weights=fingerprint(model),
        shape=model.spec.shape if shape is None else shape,
        levels=model.num_classes,
        condition=describe_condition(model.condition.kind, cond),
        device=model.device.type,
        software=software(),
        **settings,
    )


def software() -> dict[str, str]:
    """What may round otherwise in another version."""
    return {"pixelcnn": __version__, "torch": str(torch.__version__)}


def describe_condition(kind: str | None, cond: Tensor | None) -> dict[str, Any] | None:
    """Conditions (M, …) as a manifest tells them apart.

    Example:
        >>> described = describe_condition("labels", torch.tensor([3, 5]))
        >>> described["kind"], described["count"], described["values"]
        ('labels', 2, [3, 5])
    """
    if cond is None:
        return None
    return {
        "kind": kind,
        "count": len(cond),
        "sha256": checksum(cond),
        "values": cond.tolist() if cond.numel() <= LISTED else None,
    }
