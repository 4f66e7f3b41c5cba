"""Opening a trained model: a run folder, a model file, or the state of a training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import load, read_card
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import find_model, run_folder


@dataclass(frozen=True)
class Run:
    """A trained model and what is known about it.

    Attributes:
        model: In evaluation mode.
        file: Where its weights came from.
        folder: The run folder around it, or None for a lone file.
        training: What its training wrote about itself; empty if nothing.
    """

    model: AutoregressiveModel
    file: Path
    folder: Path | None
    training: dict[str, Any]


def open_run(path: str, *, device: str | None = "cpu") -> Run:
    """Loads the model of a run folder, of a `.safetensors` or `.ckpt` file, or of the package.

    Args:
        path: As `find_model`.
        device: Where the weights go, as `resolve_device` takes it; None for auto.

    Raises:
        CheckpointError: If there is none, or it cannot be read.
        ConfigError: If the device is not there.
    """
    device = resolve_device(device or "auto")
    file = find_model(path)
    folder = run_folder(file)
    if file.suffix == ".ckpt":
        # Here, because it brings Lightning, which the other two do without.
        from pixelcnn.training import load_trained

        return Run(load_trained(file).to(device), file, folder, {})
    return Run(load(file, device=device), file, folder, read_card(file)["training"])


def check_size(run: Run, size: tuple[int, int] | None) -> None:
    """Raises `ConfigError` unless a model has an image size of its own, or one was typed."""
    if size is None and run.model.image_size is None:
        raise ConfigError(f"`{run.file}` has no image size of its own: add `--size HxW`.")
