"""The state of a training on disk: written whole or not at all, read without running code."""

import hashlib
import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from pixelcnn.errors import CheckpointError
from pixelcnn.files import atomic_write
from pixelcnn.models import MODELS, AutoregressiveModel, build
from pixelcnn.training.state_metadata import STATE_FORMAT

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
            temporary.write_bytes(seal(buffer.getvalue()))

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
    if is_torn(content):
        raise CheckpointError(
            f"{path} is damaged, or not the state of a training: its checksum is missing, or not "
            f"that of its content. {ADVICE} With `--resume auto`, the newest one that is whole is "
            f"taken."
        )
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


def seal(archive: bytes) -> bytes:
    """A zip archive with the SHA-256 of its bytes as its comment, which readers of zip pass over.

    PyTorch would read weights of which a bit has flipped without a word.
    """
    digest = hashlib.sha256(archive).hexdigest().encode()
    # An archive ends with the length of its comment, and the comment.
    return archive[:-2] + struct.pack("<H", len(digest)) + digest


def is_torn(content: bytes) -> bool:
    """Whether an archive has another SHA-256 than `seal` gave it, or none.

    Example:
        >>> sealed = seal(b"an archive without a comment" + bytes(2))
        >>> is_torn(sealed), is_torn(b"x" + sealed[1:])
        (False, True)
    """
    length = 2 * hashlib.sha256().digest_size
    return seal(content[: -length - 2] + bytes(2)) != content


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
