"""The settings that decide the samples in a folder of shards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pixelcnn.checkpoint import fingerprint
from pixelcnn.data.conditions import condition_checksum
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards.plan import ModelPlan
from pixelcnn.walk import SamplingOptions

LISTED = 1000  # numbers of a condition that a manifest holds; of more it holds the checksum


@dataclass(frozen=True, kw_only=True)
class SamplingPlan(ModelPlan):
    """What is sampled, and how: as in `SamplingOptions`, unless said otherwise.

    Attributes:
        num_samples: Images of all shards together, N.
        shape: (C, H, W).
        seed: Decides each image, with its number.
        temperature: Of the levels.
        top_k: Of the levels.
        top_p: Of the levels.
        guidance: Of the condition.
        precision: Of the network.
        levels: K.
        condition: Kind, number and checksum of the conditions, see `describe_condition`; or None.
    """

    num_samples: int
    shape: tuple[int, int, int]
    levels: int
    seed: int
    temperature: float
    top_k: int | None
    top_p: float | None
    guidance: float
    precision: str
    condition: dict[str, Any] | None

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
        **{**options.plain, **sizes},
    )


def describe_condition(kind: str | None, cond: Tensor | None) -> dict[str, Any] | None:
    """Conditions (M, …) as a manifest holds them.

    Example:
        >>> import torch
        >>> described = describe_condition("labels", torch.tensor([3, 5]))
        >>> described["kind"], described["count"], described["values"]
        ('labels', 2, [3, 5])
    """
    if cond is None:
        return None
    return {
        "kind": kind,
        "count": len(cond),
        "sha256": condition_checksum(cond),
        "values": cond.tolist() if cond.numel() <= LISTED else None,
    }
