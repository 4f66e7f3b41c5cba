"""Finds the first loss or gradient of an epoch that is not finite, without waiting for a device."""

import torch
from torch import Tensor, nn

from pixelcnn.errors import NotFiniteError

LOSS, GRADIENT = 0, 1
NAMES = {LOSS: "loss", GRADIENT: "gradient"}


class FiniteCheck(nn.Module):
    """Remembers the first batch whose loss or gradient was infinite or not a number."""

    first: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Twice the number of the batch, plus LOSS or GRADIENT; -1 for none.
        self.register_buffer("first", torch.tensor(-1), persistent=False)

    def watch(self, value: Tensor, batch_idx: int, what: int) -> None:
        """Checks a loss or a norm of gradients, as `what` says; nothing waits for it."""
        code = torch.full_like(self.first, 2 * batch_idx + what)
        self.first = torch.where(~value.isfinite() & (self.first < 0), code, self.first)

    def raise_if_any(self, epoch: int, learning_rate: float) -> None:
        """Raises `NotFiniteError` if a value was not finite. Waits for the device."""
        if self.first >= 0:
            batch, what = divmod(int(self.first), 2)
            raise NotFiniteError(
                f"The {NAMES[what]} must be finite, but was not in epoch {epoch + 1}, batch "
                f"{batch + 1}. Lower `training.learning_rate` (now {learning_rate:g}), set "
                f"`training.gradient_clip_val`, or use `training.precision` 32-true."
            )
