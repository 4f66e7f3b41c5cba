"""The state of a training on disk: written whole or not at all, read without running code."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from pixelcnn.errors import CheckpointError
from pixelcnn.files import atomic_write
from pixelcnn.models import MODELS, AutoregressiveModel, build
from pixelcnn.training.module import STATE_FORMAT

ADVICE = "Give a checkpoint that `train` wrote, such as RUN/checkpoints/last.ckpt."


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside, then renames; reads tensors and plain types only.

    Args:
        before_first: Called once, when the first state is about to be written.
    """

    def __init__(self, before_first: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.before_first = before_first

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        # Through memory: PyTorch reports a full disk as a RuntimeError without a reason.
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        if self.before_first is not None:
            self.before_first()
            self.before_first = None
        with atomic_write(path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load_checkpoint(
        self, path: Any, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        return read_state(path)


def read_state(path: str | Path) -> dict[str, Any]:
    """Reads the state of a training.

    Args:
        path: A file in `checkpoints/` of a run.

    Returns:
        Lightning's state; `["pixelcnn"]` says of which model.

    Raises:
        CheckpointError: If the file is missing, damaged or of another program.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"Cannot read {path}: {error.strerror}. {ADVICE}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a foreign pickle is refused below, once
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # damage shows in many ways: zip, pickle, sizes, missing keys
        raise CheckpointError(
            f"{path} is damaged, or not the state of a training. {ADVICE}"
        ) from error
    card = state.get("pixelcnn") if isinstance(state, dict) else None
    if not isinstance(card, dict) or card.get("format") != STATE_FORMAT:
        raise CheckpointError(f"{path} was not written by a training of pixelcnn. {ADVICE}")
    if card["model"] not in MODELS:
        raise CheckpointError(
            f"{path} holds a model {card['model']!r}, which this version does not know."
        )
    return state


def load_trained(path: str | Path) -> AutoregressiveModel:
    """The model in the state of a training, as it was at that moment, in eval mode.

    Raises:
        CheckpointError: As `read_state`.
    """
    state = read_state(path)
    model = build(state["pixelcnn"]["model"], **state["pixelcnn"]["config"])
    prefix = "model."
    weights = {
        name[len(prefix) :]: value
        for name, value in state["state_dict"].items()
        if name.startswith(prefix)
    }
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"The weights in {path} do not fit its model. {ADVICE}") from error
    names = state["pixelcnn"].get("names")
    model.name_condition(names)
    return model.eval()


def check_same_model(state: dict[str, Any], model: AutoregressiveModel, path: str | Path) -> None:
    """Raises `CheckpointError` if a state to resume is that of another model."""
    card = state["pixelcnn"]
    if card["model"] != model.name:
        raise CheckpointError(
            f"{path} holds a model {card['model']!r}, but the configuration asks for "
            f"{model.name!r}. Resume with the config.yaml of that run."
        )
    for name, value in model.config.items():
        if card["config"].get(name) != value:
            raise CheckpointError(
                f"{path} was trained with `{name}` {card['config'].get(name)!r}, but the "
                f"configuration and data give {value!r}. Resume with the config.yaml of that run."
            )
