"""The state of a training on disk (`.ckpt`), read without Lightning and without running code."""

import hashlib
import io
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from pixelcnn.checkpoint import restore_model
from pixelcnn.errors import CheckpointError
from pixelcnn.models import MODELS, AutoregressiveModel

STATE_FORMAT = "pixelcnn-training/1"
ADVICE = "Give a checkpoint that `train` wrote, such as RUN/checkpoints/last.ckpt."
PREFIX = "model."  # of the weights, which belong to an attribute of the Lightning module
END_OF_ZIP = b"PK\5\6"


def read_state(path: str | Path, *, needs_checksum: bool = True) -> dict[str, Any]:
    """Reads the state of a training.

    Args:
        path: A file in `checkpoints/` of a run.
        needs_checksum: Whether a state without a checksum, as a plain trainer of Lightning writes
            it, is refused.

    Returns:
        Lightning's state; `["pixelcnn"]` describes the model and the training.

    Raises:
        CheckpointError: If the file is missing, damaged or of another program.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"Cannot read {path}: {error.strerror}. {ADVICE}") from error
    if is_damaged(content) and (needs_checksum or not is_plain_archive(content)):
        raise CheckpointError(
            f"{path} is damaged, or not the state of a training: its checksum is missing or wrong. "
            f"{ADVICE} `--resume auto` takes the newest undamaged one."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a foreign pickle is refused below, once
            check_unpacked(content)
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            check_tensors(state, len(content))
    except Exception as error:  # damage shows in many ways: zip, pickle, sizes, missing keys
        raise CheckpointError(
            f"{path} is damaged, or not the state of a training. {ADVICE}"
        ) from error
    card = state.get("pixelcnn") if isinstance(state, dict) else None
    if not isinstance(card, dict) or card.get("format") != STATE_FORMAT:
        raise CheckpointError(f"{path} was not written by a training of pixelcnn. {ADVICE}")
    if str(card.get("model")) not in MODELS:
        raise CheckpointError(
            f"{path} holds a model {str(card.get('model'))[:80]!r}, which this version does not "
            f"know. Upgrade, or train it again."
        )
    return state


def check_unpacked(content: bytes) -> None:
    """Raises `ValueError` if an archive holds more once unpacked: PyTorch never packs."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > len(content):
            raise ValueError("it is packed")


def check_tensors(state: object, num_bytes: int) -> None:
    """Raises `ValueError` if tensors have more bytes than their file, as repeated ones can."""
    found = 0
    level: list[Any] = [state]
    while level:
        each = level.pop()
        if isinstance(each, torch.Tensor):
            found += each.numel() * each.element_size()
        elif isinstance(each, dict):
            level += each.values()
        elif isinstance(each, list | tuple):
            level += each
        if found > num_bytes:
            raise ValueError("its tensors are larger than the file")


def load_trained(path: str | Path) -> AutoregressiveModel:
    """Loads the model in the state of a training, as it was at that moment, in evaluation mode.

    Raises:
        CheckpointError: As `read_state`, or if its weights are not those of its model.
    """
    return model_of_state(read_state(path, needs_checksum=False), origin=path)


def model_of_state(state: dict[str, Any], *, origin: str | Path) -> AutoregressiveModel:
    """Builds the model of a state that `read_state` returned, in evaluation mode.

    Raises:
        CheckpointError: If the weights are not those of the model, or no finite numbers.
    """
    card, weights = state["pixelcnn"], state.get("state_dict")
    if isinstance(weights, dict):
        weights = {
            str(name).removeprefix(PREFIX): value
            for name, value in weights.items()
            if str(name).startswith(PREFIX)
        }
    names = card.get("names")
    return restore_model(card["model"], card.get("config"), weights, names, origin=origin)


def add_checksum(archive: bytes) -> bytes:
    """Makes the SHA-256 of a zip archive its comment, which readers of zip skip.

    PyTorch reads weights with a flipped bit without a warning.
    """
    digest = hashlib.sha256(archive).hexdigest().encode()
    # An archive ends with the length of its comment, and the comment.
    return archive[:-2] + struct.pack("<H", len(digest)) + digest


def is_damaged(content: bytes) -> bool:
    """Whether the checksum of an archive is missing or wrong.

    Example:
        >>> whole = add_checksum(b"an archive without a comment" + bytes(2))
        >>> is_damaged(whole), is_damaged(b"x" + whole[1:])
        (False, True)
    """
    length = 2 * hashlib.sha256().digest_size
    return add_checksum(content[: -length - 2] + bytes(2)) != content


def is_plain_archive(content: bytes) -> bool:
    """Whether an archive has no comment, and so never had a checksum."""
    return content[-22:-18] == END_OF_ZIP and content[-2:] == bytes(2)
