"""Where to compute."""

import torch

from pixelcnn.errors import ConfigError


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
