"""Opens a trained model by whatever names it: the one place for Python, command line and page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pixelcnn.checkpoint import read_card, read_model
from pixelcnn.device import resolve_device
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs.folder import find_model, run_folder
from pixelcnn.runs.state import load_trained


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and what is known about it.

    Attributes:
        model: In evaluation mode.
        file: The file of its weights.
        card: What a model file says of itself, see `pixelcnn.checkpoint.read_card`; empty for the
            state of a training.
    """

    model: AutoregressiveModel
    file: Path
    card: dict[str, Any]

    @property
    def folder(self) -> Path | None:
        """The run folder around the file, or None for a lone file."""
        return run_folder(self.file)

    @property
    def training(self) -> dict[str, Any]:
        """What the training wrote into the card; empty if nothing."""
        return dict(self.card.get("training", {}))


def open_model(path: str | Path, *, device: str | torch.device | None = "cpu") -> TrainedModel:
    """Opens a trained model as `load` does, with what is known about it."""
    device = resolve_device(device or "auto")
    file = find_model(path)
    if file.suffix == ".ckpt":
        return TrainedModel(load_trained(file).to(device), file, {})
    return TrainedModel(read_model(file, device=device), file, read_card(file))


def load(path: str | Path, *, device: str | torch.device | None = "cpu") -> AutoregressiveModel:
    """Loads a trained model, in evaluation mode.

    Args:
        path: A run folder, a model file (`.safetensors`), the state of a training (`.ckpt`), or the
            name of a bundled model (see `pixelcnn.list_weights`), unless a file or folder of that
            name exists.
        device: Where the weights go: "cpu", "cuda", "cuda:1", "mps" or "auto", which is also None.

    Raises:
        CheckpointError: If there is none, or it is damaged or not one of this package.
        ConfigError: If the device does not exist.

    Example:
        >>> load("digits").spec
        ImageSpec(channels=1, height=8, width=8, levels=17)
    """
    return open_model(path, device=device).model
