"""Where a model trains, and in which precision that device can."""

from dataclasses import replace

import torch

from pixelcnn.config import TrainingConfig
from pixelcnn.errors import ConfigError
from pixelcnn.training.messages import say


def resolve_device(device: str) -> str:
    """Turns "auto" into "cuda" or "cpu", and checks that any other device is there.

    Args:
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        ConfigError: If the device is unknown or absent.

    Example:
        >>> resolve_device("cpu")
        'cpu'
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not (kind == "cuda" and index.isdigit())):
        raise ConfigError(f"`device` must be auto, cpu, cuda, cuda:N or mps, got {device!r}.")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": torch.mps.device_count()}[kind]
    if int(index or 0) >= count:
        raise ConfigError(
            f"`device` must be one that PyTorch finds here, got {device!r}. Use auto or cpu."
        )
    return device


def resolve_precision(config: TrainingConfig, device: str) -> TrainingConfig:
    """Replaces float16, which has no CPU kernels, by bfloat16 on a CPU, and says so."""
    if config.precision != "16-mixed" or resolve_device(device) != "cpu":
        return config
    say("`training.precision` 16-mixed needs a GPU; training in bf16-mixed on this CPU instead.")
    return replace(config, precision="bf16-mixed")
