"""Models as files: safetensors with a card, written whole and read without pickle."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from pixelcnn.errors import CheckpointError, PixelCNNError
from pixelcnn.files import atomic_write, finite_json
from pixelcnn.models import AutoregressiveModel, build
from pixelcnn.weights import find_weights, known_weights

FORMAT = "pixelcnn/1"
CHECKSUM = "sha256"
# Defaults that have changed since the first fingerprints, which must stay as they were.
FIRST_DEFAULTS = {"num_classes": 2}
FIELDS = ("format", "model", "config", "spec", "likelihood", "labels", "attributes", "training")


def save(
    model: AutoregressiveModel,
    path: str | Path,
    *,
    labels: Sequence[str] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Writes a model to one file that says by itself how to build it.

    Args:
        model: Any architecture.
        path: The file. It appears only when it is whole.
        labels: Names of the class labels; by default those that the model knows.
        training: How the weights came about: figures, protocol, versions. JSON types.

    Raises:
        CheckpointError: If a weight is no finite number: `read_model` would refuse the file.
        OutputError: If the file cannot be written.
    """
    name = unusable_weight(model)
    if name is not None:
        raise CheckpointError(
            f"`model` must hold finite weights to be saved, got others in `{name}`: its training "
            f"has diverged. Train it again with a lower learning rate."
        )
    condition = model.condition
    if labels is None and condition.kind == "labels":
        labels = condition.names
    attributes = condition.names if condition.kind == "attributes" else None
    card = {
        "format": FORMAT,
        "model": model.name,
        "config": model.config,
        "spec": None if model.image_size is None else model.spec.as_dict(),
        "likelihood": model.likelihood.name,
        "labels": None if labels is None else list(labels),
        "attributes": None if attributes is None else list(attributes),
        "training": finite_json(dict(training or {})),
    }
    header = {k: v if isinstance(v, str) else json.dumps(v) for k, v in card.items()}
    tensors = {k: v.detach().contiguous().cpu() for k, v in model.state_dict().items()}
    header[CHECKSUM] = _checksum(header, tensors)
    with atomic_write(Path(path)) as temporary:
        # By Python: safetensors' own writer hides a full disk in an error without a number.
        temporary.write_bytes(serialise(tensors, metadata=header))


def read_card(path: str | Path) -> dict[str, Any]:
    """Reads what a checkpoint says of itself, without its weights.

    Args:
        path: As `read_model`.

    Returns:
        format, model, config, spec, likelihood, labels and attributes (names or None), training.

    Raises:
        CheckpointError: If the file is missing, damaged or not one of ours.
    """
    path = find_weights(path)
    return _parse_card(_read_header(path), path)


def read_model(path: str | Path, *, device: str | torch.device = "cpu") -> AutoregressiveModel:
    """Builds the model of a file, in evaluation mode.

    Args:
        path: Written by `save`; or the name of a model that comes with the package (see
            `pixelcnn.list_weights`), unless a file or folder of that name exists.
        device: Where the weights go.

    Raises:
        CheckpointError: If the file is missing, damaged or not one of ours.

    Example:
        >>> read_model("digits").spec
        ImageSpec(channels=1, height=8, width=8, levels=17)
    """
    path = find_weights(path)
    header = _read_header(path)
    card = _parse_card(header, path)
    try:
        tensors = load_file(path)
        _check_whole(path, header, tensors)
        model = build(card["model"], **card["config"])
        model.load_state_dict(tensors)
        if model.condition.kind in ("labels", "attributes"):
            model.name_condition(card[model.condition.kind])
    except CheckpointError:
        raise
    except (PixelCNNError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{path} does not hold a model that this version can build ({reason}). "
            f"It may come from a newer version; train it again or upgrade."
        ) from error
    name = unusable_weight(model)
    if name is not None:
        raise CheckpointError(
            f"{path} holds weights that are no finite numbers (`{name}`). Train it again."
        )
    return model.to(device).eval()


def unusable_weight(model: AutoregressiveModel) -> str | None:
    """The first weight that holds anything but finite numbers; None for none."""
    weights = model.state_dict().items()
    return next((name for name, weight in weights if not weight.isfinite().all()), None)


def fingerprint(model: AutoregressiveModel) -> str:
    """Sixteen hexadecimal digits that tell architecture and weights apart from any others.

    Settings at their defaults do not count, so that it stays when a later version knows more of
    them; nor does the size drawn by default.
    """
    arguments = inspect.signature(type(model)).parameters
    defaults = {name: each.default for name, each in arguments.items()} | FIRST_DEFAULTS
    settings = {
        name: value
        for name, value in model.config.items()
        if name != "image_size" and value != defaults[name]
    }
    digest = hashlib.sha256(json.dumps([model.name, settings], sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _read_header(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise CheckpointError(
            f"{path} must be a model file, but {'is a folder' if path.is_dir() else 'is missing'}. "
            f"`pixelcnn train` writes one as model.safetensors in its run folder. {known_weights()}"
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        if _looks_foreign(path):
            raise CheckpointError(
                f"{path} is no safetensors file. Give the model.safetensors of a run folder, or "
                f"the name of a model that comes with the package."
            ) from error
        raise CheckpointError(
            f"{path} is damaged ({error}). Copy it again, or train it again."
        ) from error
    return header


def _checksum(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the card and all weights."""
    card = {name: text for name, text in header.items() if name != CHECKSUM}
    digest = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _check_whole(path: Path, header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    """Raises `CheckpointError` if card or weights are not those that were saved."""
    # Files from before there was a checksum have all else, and nothing else.
    is_older = CHECKSUM not in header and set(header) <= set(FIELDS)
    if not is_older and header.get(CHECKSUM) != _checksum(header, tensors):
        raise CheckpointError(
            f"{path} is damaged: its checksum is not that of its content. Copy it again, or train "
            f"it again."
        )


def _looks_foreign(path: Path) -> bool:
    """Whether a file does not even begin as safetensors: the length of a header, then its JSON."""
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) < 9 or start[8:] != b"{"


def _parse_card(header: Mapping[str, str], path: Path) -> dict[str, Any]:
    written = header.get("format")
    if written != FORMAT:
        raise CheckpointError(
            f"{path} must be a checkpoint of format {FORMAT!r}, got "
            f"{'none' if written is None else repr(written)}: it was not written by this package, "
            f"or by another version of it."
        )
    try:
        card: dict[str, Any] = {"format": written, "model": header["model"]}
        card["likelihood"] = header["likelihood"]
        for key in ("config", "spec", "labels", "training"):
            card[key] = json.loads(header[key])
        # Files from before models of attributes could be trained do not have it.
        card["attributes"] = json.loads(header.get("attributes", "null"))
    except (KeyError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} has a damaged card ({error}). Copy it again.") from error
    return card
