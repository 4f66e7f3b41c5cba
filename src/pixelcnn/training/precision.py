"""In which precision a model trains on a device."""

from dataclasses import replace

from pixelcnn.config import TrainingConfig
from pixelcnn.device import resolve_device
from pixelcnn.training.messages import say


def resolve_precision(config: TrainingConfig, device: str) -> TrainingConfig:
    """Replaces float16, which has no CPU kernels, by bfloat16 on a CPU, and says so."""
    if config.precision != "16-mixed" or resolve_device(device) != "cpu":
        return config
    say("`training.precision` 16-mixed needs a GPU; training in bf16-mixed on this CPU instead.")
    return replace(config, precision="bf16-mixed")
