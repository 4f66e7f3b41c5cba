"""Models as files: safetensors with a card, written whole and read without pickle."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixelcnn.errors import CheckpointError, ConfigError, PixelCNNError, clipped
from pixelcnn.files import finite_json
from pixelcnn.models import MODELS, AutoregressiveModel, build
from pixelcnn.tensor_files import (
    card_value,
    check_size,
    load_weights,
    no_more_parameters,
    read_tensors,
    read_text_header,
    unusable_weight,
    write_tensors,
)
from pixelcnn.weights import find_weights, known_weights

FORMAT = "pixelcnn/1"
# Defaults that have changed since the first fingerprints, which must stay as they were.
FIRST_DEFAULTS = {"num_classes": 2}
FIELDS = ("format", "model", "config", "spec", "likelihood", "labels", "attributes", "training")
NAMES = (list, type(None))
CARD: dict[str, type | tuple[type, ...]] = {
    "config": dict,
    "spec": (dict, type(None)),
    "labels": NAMES,
    "attributes": NAMES,
    "training": dict,
}
"""Entries of a card that are JSON, and what kinds of values they may be."""

NEWER = "It may come from a newer version; train it again or upgrade."


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
        ConfigError: If `model` is no model.
        CheckpointError: If a weight is no finite number: `read_model` would refuse the file.
        OutputError: If the file cannot be written.
    """
    if not isinstance(model, AutoregressiveModel):
        raise ConfigError(
            f"`model` must be a model, got {clipped(model)}. Use `save(model, path)`."
        )
    name = unusable_weight(model.state_dict())
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
    write_tensors(path, model, card)


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
    weights = read_tensors(path, header, fields=FIELDS)
    names = card["labels"] if card["labels"] is not None else card["attributes"]
    model = restore_model(card["model"], card["config"], weights, names, origin=path)
    return model.to(device)


def restore_model(
    name: object, config: object, weights: object, names: object, *, origin: object
) -> AutoregressiveModel:
    """Builds a model, and gives it its weights and the names of its labels or attributes.

    The description is compared with the weights before anything of its size is made, and building
    ends at the first layer that has no weights or larger ones: time and memory are bounded by the
    file.

    Args:
        name: Name of the architecture.
        config: Arguments of its constructor.
        weights: Tensors by name.
        names: Names of labels or attributes, or None.
        origin: The file, for messages.

    Returns:
        The model, in evaluation mode.

    Raises:
        CheckpointError: If description and weights are not those of a model of this version.
    """
    if isinstance(name, str) and name not in MODELS:
        raise CheckpointError(
            f"{origin} holds a model {clipped(name)}, which is not registered. If it is your own, "
            f"import the file that registers it first (see docs/adding.md). {NEWER}"
        )
    try:
        checked = named_tensors(weights)
        if not isinstance(name, str) or not isinstance(config, dict):
            raise ValueError("it names no model with settings")
        check_size(config, checked)
        with no_more_parameters(checked):
            model = build(name, **config)
        load_weights(model, checked)
        if model.condition.kind in ("labels", "attributes"):
            model.name_condition(check_names(names))
    except CheckpointError:
        raise
    except (PixelCNNError, TypeError, ValueError, RuntimeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CheckpointError(
            f"{origin} does not hold a model that this version can build ({reason}). {NEWER}"
        ) from error
    unusable = unusable_weight(model.state_dict())
    if unusable is not None:
        raise CheckpointError(
            f"{origin} holds weights that are no finite numbers (`{unusable}`). Train it again."
        )
    return model.eval()


def named_tensors(weights: object) -> dict[str, Tensor]:
    """The weights, once they are tensors by name.

    Raises:
        ValueError: If they are anything else.
    """
    if not isinstance(weights, Mapping):
        raise ValueError("it has no weights")
    for name, each in weights.items():
        if not isinstance(name, str) or not isinstance(each, Tensor):
            raise ValueError("its weights are no tensors by name")
    return dict(weights)


def check_names(names: object) -> tuple[str, ...] | None:
    """Names of labels or attributes, once they are text.

    Raises:
        ValueError: If they are anything else.
    """
    if names is None:
        return None
    if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
        raise ValueError("names of labels or attributes must be a list of text")
    return tuple(names)


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
    return read_text_header(path)


def _parse_card(header: Mapping[str, str], path: Path) -> dict[str, Any]:
    written = header.get("format")
    if written != FORMAT:
        raise CheckpointError(
            f"{path} must be a checkpoint of format {FORMAT!r}, got "
            f"{'none' if written is None else repr(written)}: it was not written by this package, "
            f"or by another version of it."
        )
    try:
        # Files from before models of attributes could be trained do not have those.
        entries = {"attributes": "null", **header}
        return {
            "format": written,
            "model": header["model"],
            "likelihood": header["likelihood"],
            **{key: card_value(entries, key, kinds) for key, kinds in CARD.items()},
        }
    except KeyError as error:
        raise CheckpointError(f"{path} has a damaged card (no {error}). Copy it again.") from error
    except ValueError as error:
        raise CheckpointError(f"{path} has a damaged card ({error}). Copy it again.") from error
