"""What gives the probabilities to the coder, the same to encoder and decoder."""

import platform
from abc import ABC, abstractmethod
from typing import ClassVar

import torch

from pixelcnn.errors import ConfigError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.registry import Registry
from pixelcnn.walk import CachedStepper, Stepper


class EntropyModel(ABC):
    """Makes the steppers whose logits the coder turns into frequencies.

    Encoder and decoder run `pixelcnn.walk.walk` with a stepper each, and must get logits that are
    equal to the bit. One class says where they do, by `requirements`.

    Args:
        model: Any architecture that `refusal` accepts.

    Raises:
        ConfigError: If the model cannot be run so.
    """

    name: ClassVar[str]

    def __init__(self, model: AutoregressiveModel) -> None:
        reason = self.refusal(model)
        if reason is not None:
            raise ConfigError(
                f"`entropy_model` {self.name} needs another model: {reason}. Use "
                f"entropy_model={MachineBound.name}."
            )
        self.model = model

    @classmethod
    def refusal(cls, model: AutoregressiveModel) -> str | None:
        """Why a model cannot be run so, as a clause; None if it can."""
        return None

    @property
    @abstractmethod
    def requirements(self) -> str:
        """What a decoder must have in common with the encoder besides the weights; "" for nothing.

        Printable text of one line, equal where logits may be expected to be equal.
        """

    @abstractmethod
    def stepper(self) -> Stepper:
        """A stepper for one walk over a batch of images.

        Equal images, conditions and batches give equal logits in every process that meets the
        requirements.
        """


ENTROPY_MODELS = Registry[type[EntropyModel]]("entropy_model", EntropyModel)
"""By the name that the header of a file holds."""


@ENTROPY_MODELS.register("machine-bound")
class MachineBound(EntropyModel):
    """The cached walk in the model's own floats: any model, on one kind of machine.

    Sums of floats depend on how they are ordered, which the library decides by the processor.
    """

    @property
    def requirements(self) -> str:
        """Version of torch, kind of processor and its widest instructions, device."""
        device = self.model.device
        where = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        capability = torch.backends.cpu.get_cpu_capability()
        return f"torch {torch.__version__}, {platform.machine()}, {capability}, {where}"

    def stepper(self) -> Stepper:
        """The cached walk."""
        return CachedStepper(self.model)
