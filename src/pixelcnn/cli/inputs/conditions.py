"""The conditions that were typed: labels, attributes and maps."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.data.conditions import share_evenly
from pixelcnn.data.sources.arrays.array_conditions import as_maps
from pixelcnn.data.sources.arrays.arrays import load_arrays
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition

NUM_SAMPLES = 16


@dataclass(frozen=True)
class ConditionRequest:
    """The typed conditions of samples. Fields of another kind than the model's stay empty.

    Attributes:
        num_samples: Images, over all conditions; None for one of each map, else `NUM_SAMPLES`.
        labels: Labels by name or number; all labels of the model if there are none.
        per_label: Images of each label instead of `num_samples`.
        attributes: Attribute vectors, as `attribute_vector` takes them.
        maps: NumPy file of maps.
    """

    num_samples: int | None = None
    labels: Sequence[str] = ()
    per_label: int | None = None
    attributes: Sequence[str] = ()
    maps: Path | None = None

    @classmethod
    def typed(
        cls,
        args: argparse.Namespace,
        *,
        num_samples: int | None = None,
        per_label: int | None = None,
    ) -> "ConditionRequest":
        """The values of `--label`, `--attributes` and `--maps`."""
        return cls(
            num_samples=num_samples,
            labels=[label.strip() for each in args.label for label in each.split(",")],
            per_label=per_label,
            attributes=args.attributes,
            maps=None if args.maps is None else Path(args.maps),
        )


def choose_condition(
    model: AutoregressiveModel, request: ConditionRequest
) -> tuple[Tensor | None, int]:
    """One condition for each image, or None, and the number of images."""
    requested, count = share_condition(model, request)
    return None if requested is None else share_evenly(requested, count), count


def share_condition(
    model: AutoregressiveModel, request: ConditionRequest
) -> tuple[Tensor | None, int]:
    """The conditions that the images share evenly (see `share_evenly`), or None, and their number.

    Raises:
        ConfigError: If the model does not take these, or needs others.
        DataError: If the file of maps cannot be read.
    """
    requested = requested_conditions(model.condition, request)
    if requested is not None and request.per_label is not None:
        return requested, len(requested) * request.per_label
    if requested is not None:
        return requested, request.num_samples or (len(requested) if request.maps else NUM_SAMPLES)
    count = request.num_samples or NUM_SAMPLES
    if model.condition.is_none or model.condition.is_optional:
        return None, count
    how = "--maps FILE.npy"
    if model.condition.kind == "attributes":
        how = f"--attributes {example(model.condition)}"
    raise ConfigError(
        f"This model is conditioned on {model.condition.describe()}, got nothing. Add `{how}`."
    )


def requested_conditions(condition: Condition, request: ConditionRequest) -> Tensor | None:
    """The labels, attributes or maps that were typed, each once. (M, …); None for none."""
    check_kind(condition, request)
    if condition.kind == "labels":
        known = condition.every_name
        numbers = [label_number(label, known) for label in request.labels]
        return torch.tensor(numbers or range(len(known)))
    if request.attributes:
        return torch.tensor([attribute_vector(each, condition) for each in request.attributes])
    return None if request.maps is None else load_maps(request.maps, condition.count)


def check_kind(condition: Condition, request: ConditionRequest) -> None:
    """Raises `ConfigError` if a condition was typed that the model does not take."""
    typed = {
        "labels": bool(request.labels) or request.per_label is not None,
        "attributes": bool(request.attributes),
        "maps": request.maps is not None,
    }
    for kind, was_typed in typed.items():
        if was_typed and condition.kind != kind:
            about = f"conditioned on {condition.describe()}"
            raise ConfigError(
                f"This model is {'unconditional' if condition.is_none else about}, got {kind}. "
                f"Leave out {'--label and --per-label' if kind == 'labels' else f'--{kind}'}."
            )


def label_number(label: str, names: Sequence[str]) -> int:
    """The number of a label given by its name, in any case, or by its number.

    Example:
        >>> label_number("dog", ["Cat", "Dog"]), label_number("0", ["Cat", "Dog"])
        (1, 0)
    """
    folded = [name.casefold() for name in names]
    if label.casefold() in folded:
        return folded.index(label.casefold())
    if label.isdecimal() and int(label) < len(names):
        return int(label)
    raise ConfigError(
        f"A label must be one of {', '.join(names)}, or a number from 0 to {len(names) - 1}, "
        f"got {label!r}."
    )


def attribute_vector(text: str, condition: Condition) -> list[float]:
    """The vector that a text stands for.

    Args:
        text: Names of the attributes that are on, separated by commas, all others are off;
            `NAME=NUMBER` gives one another value than 1. Or numbers, one for each attribute.
        condition: How many attributes there are, and their names.

    Raises:
        ConfigError: If there is no such attribute, or the wrong number of numbers.

    Example:
        >>> faces = Condition(num_attributes=3, names=("Bald", "Male", "Smiling"))
        >>> attribute_vector("smiling,bald=0.5", faces), attribute_vector("0,1,0.5", faces)
        ([0.5, 0.0, 1.0], [0.0, 1.0, 0.5])
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    numbers = [number for number in map(_number, words) if number is not None]
    if words and len(numbers) == len(words):
        for word, each in zip(words, numbers, strict=True):
            _check_finite(word, each)
        if len(numbers) != condition.count:
            raise ConfigError(
                f"`--attributes` must hold {condition.count} numbers, for {condition.describe()}, "
                f"got {len(numbers)}: {text}."
            )
        return numbers
    names = condition.names or ()
    folded = [name.casefold() for name in names]
    vector = [0.0] * condition.count
    for word in words:
        name, _, value = word.partition("=")
        number = _number(value or "1")
        if name.strip().casefold() not in folded or number is None:
            known = f"names out of {', '.join(names)}, or " if names else ""
            raise ConfigError(
                f"`--attributes` must hold {known}{condition.count} numbers, got {word!r}."
            )
        _check_finite(word, number)
        vector[folded.index(name.strip().casefold())] = number
    return vector


def example(condition: Condition) -> str:
    """An example of attributes to type: the last one on; without names, numbers."""
    if not condition.names:
        return ",".join(["0"] * (condition.count - 1) + ["1"])
    last = condition.names[-1]
    return last if _number(last) is None else f"{last}=1"


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _check_finite(word: str, number: float) -> None:
    if not abs(number) <= torch.finfo(torch.float32).max:
        raise ConfigError(f"`--attributes` must hold finite 32-bit numbers, got {word!r}.")


def load_maps(path: Path, num_channels: int) -> Tensor:
    """Reads maps from an .npy file, or from `maps` of an .npz file.

    Args:
        path: The file. Its array has shape (N, A, H, W), or (A, H, W) for one map.
        num_channels: A.

    Returns:
        Shape: (N, A, H, W), float32.

    Raises:
        DataError: If the file cannot be read.
        ConfigError: If it does not hold such maps.
    """
    arrays = load_arrays(path)
    key = "" if "" in arrays else "maps"
    if key not in arrays:
        held = ", ".join(f"`{name}`" for name in sorted(arrays))
        raise ConfigError(f"{path} of `--maps` must hold the array `maps`, got {held}. Rename it.")
    try:
        return as_maps(arrays[key], num_channels, "`--maps`")
    except DataError as error:
        raise ConfigError(f"{error} The file is {path}.") from error


def is_typed(args: argparse.Namespace) -> bool:
    """Whether labels, attributes or maps were typed."""
    return bool(args.label or args.attributes or args.maps)


def typed_condition(
    args: argparse.Namespace, model: AutoregressiveModel, count: int
) -> Tensor | None:
    """Labels, attributes or maps that were typed for so many images. (N, …), or None.

    Raises:
        ConfigError: If the model needs a condition and none was typed, if it takes none of that
            kind, or if there is neither one for all images nor one for each.
        DataError: If the file of maps cannot be read.
    """
    condition = model.condition
    if is_typed(args):
        requested = requested_conditions(condition, ConditionRequest.typed(args))
        assert requested is not None  # of another kind than the model's: refused
        if len(requested) not in (1, count):
            named = {"labels": "--label", "attributes": "--attributes", "maps": "--maps"}
            raise ConfigError(
                f"The number of {condition.kind} by `{named[str(condition.kind)]}` must be "
                f"{'1' if count == 1 else f'1 or {count}'}, one for all images or one for each, "
                f"got {len(requested)}."
            )
        return share_evenly(requested, count)
    if condition.is_none or condition.is_optional:
        return None
    how = {"labels": "--label NAME", "attributes": "--attributes LIST", "maps": "--maps FILE"}
    raise ConfigError(
        f"This model is conditioned on {condition.describe()}, and the images come without. "
        f"Add `{how[str(condition.kind)]}`."
    )
