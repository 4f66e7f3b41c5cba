"""Where to compute."""

import torch

from pixelcnn.errors import ConfigError


def choose_device(name: str = "auto") -> str:
    """The device of a name, checked; "auto" is the fastest kind that this machine has.

    Args:
        name: "auto", "cpu", "cuda", "cuda:1" and so on, or "mps".

    Raises:
        ConfigError: If there is no such device here.

    Example:
        >>> choose_device("cpu")
        'cpu'
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.append("mps")
    if torch.cuda.is_available():
        there += [f"cuda:{number}" for number in range(torch.cuda.device_count())] + ["cuda"]
    if name == "auto":
        return there[-1]
    if name not in there:
        raise ConfigError(
            f"`device` must be one that is here (auto, {', '.join(there)}), got {name!r}."
        )
    return name
