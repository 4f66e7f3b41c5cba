"""The settings that decide the samples in a folder of shards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pixelcnn.checkpoint import fingerprint
from pixelcnn.data.conditions import checksum
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards.plan import Plan
from pixelcnn.version import __version__
from pixelcnn.walk import SamplingOptions

LISTED = 1000  # numbers of a condition that a manifest holds; of more it holds the checksum


@dataclass(frozen=True)
class SamplingPlan(Plan):
    """What is sampled, and how. Equal plans give the same bytes on one kind of machine.

    Attributes:
        model: Name of the architecture.
        weights: Fingerprint of architecture and weights, see `pixelcnn.checkpoint.fingerprint`.
        num_samples: Images of all shards together, N.
        shard_size: Images of each shard but the last.
        batch_size: Images sampled together, counted from number 0. It and the following are as in
            `SamplingOptions`.
        shape: (C, H, W).
        seed: Decides each image, with its number.
        temperature: Of the levels.
        top_k: Of the levels.
        top_p: Of the levels.
        guidance: Of the condition.
        precision: Of the network.
        levels: K.
        condition: Kind, number and checksum of the conditions, see `describe_condition`; or None.
        device: Kind of device: "cpu", "cuda", "mps".
        software: Versions of this package and of torch: others may round differently.
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
        """Description of a shard for people."""
        return {
            "description": "generated images",
            "software": f"pixelcnn {self.software['pixelcnn']}",
            "source": f"model {self.weights}",
        }


def plan_sampling(
    model: AutoregressiveModel, options: SamplingOptions, sizes: Mapping[str, int]
) -> SamplingPlan:
    """The plan of samples from a model.

    Args:
        model: With its weights, on the device where it samples.
        options: How to sample; `cond` (M, …) is shared among the images, `shape` is given.
        sizes: `num_samples` and `shard_size`.
    """
    assert options.cond is None or isinstance(options.cond, Tensor)
    return SamplingPlan(
        model=model.name,
        weights=fingerprint(model),
        levels=model.num_classes,
        condition=describe_condition(model.condition.kind, options.cond),
        device=model.device.type,
        software=software_versions(),
        **{**options.plain, **sizes},
    )


def software_versions() -> dict[str, str]:
    """Versions of packages that may round differently in another version."""
    return {"pixelcnn": __version__, "torch": str(torch.__version__)}


def describe_condition(kind: str | None, cond: Tensor | None) -> dict[str, Any] | None:
    """Conditions (M, …) as a manifest holds them.

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
