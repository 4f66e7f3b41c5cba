"""Coding that decodes on every machine."""

from pixelcnn.codec.entropy_model import ENTROPY_MODELS, EntropyModel
from pixelcnn.codec.portable.network import PortableNetwork, refusal
from pixelcnn.models import AutoregressiveModel
from pixelcnn.walk import CachedStepper, Stepper

VERSION = 1
"""Of the numbers that a network gives: of tables, rounding and the order of operations."""


@ENTROPY_MODELS.register("portable")
class Portable(EntropyModel):
    """The cached walk in integers: logits depend on weights, image and condition alone.

    They are the same for every processor, device, number of threads, batch and version of torch.
    """

    def __init__(self, model: AutoregressiveModel) -> None:
        super().__init__(model)
        self.network = PortableNetwork(model)

    @classmethod
    def refusal(cls, model: AutoregressiveModel) -> str | None:
        return refusal(model)

    @property
    def requirements(self) -> str:
        """The arithmetic, which a later version of this package may change."""
        return f"arithmetic {VERSION}"

    def stepper(self) -> Stepper:
        """The cached walk of the network."""
        return CachedStepper(self.network)
