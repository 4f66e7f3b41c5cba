"""Bernoulli head for two levels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods.base import Likelihood


class Bernoulli(Likelihood):
    """One logit per sub-pixel: the log-odds of level 1.

    Example:
        >>> Bernoulli(1, 2).level_logits(torch.tensor([[0.5]]), torch.empty(1, 0), 0)
        tensor([[0.0000, 0.5000]])
    """

    couples_channels = False

    def __init__(self, channels: int, levels: int) -> None:
        if levels != 2:
            raise ConfigError(
                f"`likelihood` bernoulli needs `num_classes` 2, got {levels}. "
                f"Use `likelihood` categorical, or binarize the images."
            )
        super().__init__(channels, levels)

    @property
    def num_params(self) -> int:
        return self.channels

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        logits = params if params.dtype == torch.float64 else params.float()
        return -F.binary_cross_entropy_with_logits(logits, x.to(logits.dtype), reduction="none")

    def level_logits(self, params: Tensor, earlier: Tensor, channel: int) -> Tensor:
        logit = params[:, channel : channel + 1]
        return F.pad(logit, (1, 0))
