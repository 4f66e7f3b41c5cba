"""Drawing in fewer bits: the network rounds, the distribution that is drawn from does not."""

import copy
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods import Likelihood
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Cursor
from pixelcnn.walk import Walkable

Precision: TypeAlias = Literal["float32", "bf16", "16"]
"""What the network computes in while it draws: as it is, in bfloat16, or in float16."""

DTYPES = {"bf16": torch.bfloat16, "16": torch.float16}


class RoundedModel:
    """A copy of a model whose weights and features have 16 bits, to draw from.

    The model itself, and every probability that is asked of it, stay as they are. What the copy's
    network gives is widened to float32 before the head reads it, so levels are drawn from
    distributions that sum to 1 as exactly as ever: those of a slightly different model.

    The caches of a walk follow the weights, so they take half the memory. Casting the weights
    once, rather than at every product of every step as autocast would, is what makes it pay: a
    step is short, and has as many weights to cast as a step of training.

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

    def __init__(self, model: AutoregressiveModel, dtype: torch.dtype) -> None:
        self.network = copy.deepcopy(model).to(dtype).eval()
        self.dtype = dtype
        self._is_finite = torch.ones((), dtype=torch.bool, device=model.device)

    @property
    def likelihood(self) -> Likelihood:
        """The head, which reads float32."""
        return self.network.likelihood

    @property
    def groups(self) -> int:
        """As in the model."""
        return self.network.groups

    @property
    def lag(self) -> int | None:
        """As in the model."""
        return self.network.lag

    def __call__(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        """The network's parameters, in float32."""
        params: Tensor = self.network(x, cond, cursor)
        # Noted where it is and asked for once a batch: no step waits for the device.
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
        """Stays in evaluation mode: a copy to draw from does not train."""
        return self

    def train(self, mode: bool = True) -> "RoundedModel":
        """Likewise."""
        return self


def in_precision(model: AutoregressiveModel, precision: Precision) -> Walkable:
    """What is walked to draw from a model.

    Args:
        model: Any architecture.
        precision: "float32" is the model itself, "bf16" and "16" a rounded copy of it.

    Raises:
        ConfigError: If there is no such precision.
    """
    if precision not in get_args(Precision):
        raise ConfigError(
            f"`precision` must be one of {', '.join(get_args(Precision))}, got {precision!r}."
        )
    return model if precision == "float32" else RoundedModel(model, DTYPES[precision])
