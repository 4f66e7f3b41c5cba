"""Normalisation that keeps a network causal."""

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.errors import ConfigError
from pixelcnn.nn.cursor import Cursor

NormKind: TypeAlias = Literal["none", "channel", "batch"]


class Norm(nn.Module):
    """A per-pixel channel norm or batch norm over channels-last features.

    "channel" normalises the features of one colour group of one pixel, so that nothing of another
    pixel or of a later colour takes part. "batch" uses the statistics of the whole batch while
    training, future pixels among them: the training loss is then no exact likelihood. In eval
    mode it is a fixed scale and shift, and exact.

    Args:
        kind: "channel" or "batch".
        features: Features per pixel, in `groups` equal runs.
        groups: Colour groups.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, kind: NormKind, features: int, *, groups: int = 1) -> None:
        super().__init__()
        if kind not in ("channel", "batch"):
            raise ConfigError(f"`norm` must be 'none', 'channel' or 'batch', got {kind!r}.")
        self.kind = kind
        self.features = features
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        if kind == "batch":
            self.register_buffer("running_mean", torch.zeros(features))
            self.register_buffer("running_var", torch.ones(features))

    def forward(self, h: Tensor, cursor: Cursor | None = None) -> Tensor:
        """Maps features of any region to the same shape."""
        run = slice(None) if cursor is None else cursor.run(self.features)
        if self.kind == "channel":
            size = self.features // self.groups
            runs = rearrange(h, "... (g d) -> ... g d", d=size)
            normal = rearrange(F.layer_norm(runs, (size,)), "... g d -> ... (g d)")
            return torch.addcmul(self.bias[run], normal, self.weight[run])
        flat = rearrange(h, "... d -> (...) d")
        flat = F.batch_norm(
            flat,
            self.running_mean[run],
            self.running_var[run],
            self.weight[run],
            self.bias[run],
            training=self.training,
        )
        return flat.view(h.shape)
