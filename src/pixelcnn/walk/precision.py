"""Sampling in fewer bits: the network rounds, the head does not."""

import copy
from typing import Any, Literal, TypeAlias, cast

import torch
from torch import Tensor, nn

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods import Likelihood
from pixelcnn.nn import Cursor
from pixelcnn.walk.stepper import Walkable

Precision: TypeAlias = Literal["float32", "bf16", "16"]
"""What the network computes in while it samples: as it is, in bfloat16, or in float16."""

DTYPES = {"bf16": torch.bfloat16, "16": torch.float16}


class RoundedModel:
    """A copy of a model whose weights and features have 16 bits, to sample from.

    The model itself and its probabilities do not change. The copy's network output is widened to
    float32 before the head reads it, so levels are sampled from distributions that sum to 1: those
    of a slightly different model.

    The caches of a walk follow the weights, so they take half the memory. The weights are cast
    once; autocast would cast them at every step of the walk, which costs more than it saves.

    Args:
        model: In float32.
        dtype: Of weights and features.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> rounded = RoundedModel(PixelCNN(num_classes=2), torch.bfloat16)
        >>> rounded(torch.zeros(1, 1, 8, 8, dtype=torch.int64)).dtype
        torch.float32
    """

    training = False

    def __init__(self, model: nn.Module, dtype: torch.dtype) -> None:
        self.network = copy.deepcopy(cast(Any, model)).to(dtype).eval()
        self.likelihood: Likelihood = self.network.likelihood  # reads float32
        self.groups: int = self.network.groups
        self.lag: int | None = self.network.lag
        self.dtype = dtype
        self._is_finite = torch.ones((), dtype=torch.bool, device=next(model.parameters()).device)

    def __call__(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        """The network's parameters, in float32."""
        params: Tensor = self.network(x, cond, cursor)
        # Stays on the device and is read once per batch: no step waits for the device.
        self._is_finite &= params.isfinite().all()
        return params.float()

    def check(self) -> None:
        """Raises `ConfigError` if the network ever gave anything but finite numbers."""
        if not self._is_finite:
            raise ConfigError(
                f"`precision` must be one that holds the features of this network: they overflow "
                f"{str(self.dtype).removeprefix('torch.')}. Use bf16 or float32."
            )

    def eval(self) -> "RoundedModel":
        """Stays in evaluation mode: a copy to sample from does not train."""
        return self

    def train(self, mode: bool = True) -> "RoundedModel":
        """Likewise."""
        return self


def in_precision(model: Walkable, precision: Precision) -> Walkable:
    """What is walked to sample from a model: itself, or a rounded copy of it."""
    if precision == "float32":
        return model
    assert isinstance(model, nn.Module)
    return RoundedModel(model, DTYPES[precision])
