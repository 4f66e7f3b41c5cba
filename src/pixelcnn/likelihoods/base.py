"""What a head must answer: the log-probability of an image, and of each level of one sub-pixel."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor


class Likelihood(ABC):
    """Distribution of the sub-pixels of one pixel, given parameters that a network predicts.

    The one owner of how the P parameters of a pixel are packed: training reads them through
    `log_prob`, walking through `level_logits`. Law: the sum over sub-pixels of
    `log_softmax(level_logits)[x]` is `log_prob(x)`.

    Args:
        channels: C.
        levels: K.
    """

    name: ClassVar[str]
    couples_channels: ClassVar[bool]
    """Whether the head itself makes a channel depend on the earlier ones of its pixel.

    If not, the network must, by colour groups in its masks.
    """

    def __init__(self, channels: int, levels: int) -> None:
        self.channels = channels
        self.levels = levels

    @property
    @abstractmethod
    def num_params(self) -> int:
        """P, parameters per pixel; a multiple of C, channel by channel, unless coupled."""

    @abstractmethod
    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """Log-probability of every sub-pixel given all earlier ones.

        Args:
            params: (B, P, H, W).
            x: Levels. (B, C, H, W).

        Returns:
            Nats. (B, C, H, W), at least float32.
        """

    @abstractmethod
    def level_logits(self, params: Tensor, earlier: Tensor, channel: int) -> Tensor:
        """Logits of every level of one sub-pixel, up to a constant.

        Args:
            params: Parameters of the pixel. (B, P). Those of later channels are not read.
            earlier: Levels of the channels of this pixel before `channel`. (B, channel).
            channel: Which sub-pixel of the pixel.

        Returns:
            (B, K).
        """
