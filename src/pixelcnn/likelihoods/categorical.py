"""Categorical head: one logit per level of each sub-pixel."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from pixelcnn.likelihoods.base import Likelihood


class Categorical(Likelihood):
    """K logits per sub-pixel, channel by channel.

    References:
        Pixel Recurrent Neural Networks (van den Oord et al., 2016), section 2.2.
        https://arxiv.org/abs/1601.06759

    Example:
        >>> params = torch.tensor([[1.0, 2.0, 3.0, 4.0]])  # C = 2, K = 2
        >>> Categorical(2, 2).level_logits(params, torch.tensor([[0]]), 1)
        tensor([[3., 4.]])
    """

    couples_channels = False

    @property
    def num_params(self) -> int:
        return self.channels * self.levels

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        # (B, H, W, …) first: a network that works channels-last then hands over K contiguous
        # logits per sub-pixel, and nothing is copied.
        logits = rearrange(params, "b (c k) h w -> (b h w c) k", k=self.levels)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        levels = rearrange(x, "b c h w -> (b h w c)").long()
        nats = -F.cross_entropy(logits, levels, reduction="none")
        batch, channels, height, width = x.shape
        return rearrange(nats, "(b h w c) -> b c h w", b=batch, c=channels, h=height, w=width)

    def level_logits(self, params: Tensor, earlier: Tensor, channel: int) -> Tensor:
        return params[:, channel * self.levels : (channel + 1) * self.levels]
