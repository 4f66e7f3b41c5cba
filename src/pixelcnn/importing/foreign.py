"""The weights in the file of another program, read without running code."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pixelcnn.checkpoint import named_tensors
from pixelcnn.errors import CheckpointError

HOLDERS = ("state_dict", "model_state_dict", "model")  # keys under which programs put weights
WRAPPERS = ("module.", "_orig_mod.", "model.")  # of DataParallel, `torch.compile`, Lightning


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Reads the tensors of a file of `torch.save`, without the prefixes of wrappers.

    Raises:
        CheckpointError: If it is missing, damaged, or holds no tensors by name.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"Cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # damage and foreign objects show in many ways
        raise CheckpointError(
            f"{path} must be an undamaged file of `torch.save` that holds tensors and plain values "
            f"alone: other objects are not loaded, since they can run code. Save the network's "
            f"`state_dict()` and import that."
        ) from error
    for key in HOLDERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    try:
        weights = named_tensors(content)
    except ValueError as error:
        raise CheckpointError(
            f"{path} must hold a state dict, tensors by name, but {error}."
        ) from error
    while weights and (wrapper := _common_wrapper(weights)):
        weights = {name.removeprefix(wrapper): value for name, value in weights.items()}
    return weights


def _common_wrapper(weights: dict[str, Tensor]) -> str | None:
    return next((w for w in WRAPPERS if all(name.startswith(w) for name in weights)), None)


class Foreign:
    """Tensors by the names of another program; each is asked for by name, and all must be.

    Args:
        weights: Tensors by name.
        origin: The file, for messages.
        source: What the file is said to be.
    """

    def __init__(self, weights: dict[str, Tensor], *, origin: Path, source: str) -> None:
        self._weights = weights
        self._unread = set(weights)
        self._origin, self._source = origin, source

    def take(self, name: str, *shape: int | None) -> Tensor:
        """A tensor, in single precision.

        Args:
            name: As the other program names it.
            shape: Its sides; None for any.

        Raises:
            CheckpointError: If there is none of that name and shape.
        """
        tensor = self._weights.get(name)
        if tensor is None:
            raise self.misfit(f"it has no `{name}`")
        if shape and not _fits(tensor.shape, shape):
            expected = ", ".join("any" if side is None else str(side) for side in shape)
            raise self.misfit(f"`{name}` has the shape {tuple(tensor.shape)}, not ({expected})")
        self._unread.discard(name)
        return tensor.detach().float()

    def normed(self, name: str, *shape: int | None) -> Tensor:
        """A weight that may be stored in the parts of a weight normalisation, multiplied out.

        Args:
            name: Of the layer, without `.weight`.
            shape: As `take`.
        """
        for gain, direction in (
            ("weight_g", "weight_v"),
            ("parametrizations.weight.original0", "parametrizations.weight.original1"),
        ):
            if self.has(f"{name}.{gain}"):
                v = self.take(f"{name}.{direction}", *shape)
                g = self.take(f"{name}.{gain}", len(v), *(1 for _ in v.shape[1:]))
                return torch._weight_norm(v, g, 0)
        return self.take(f"{name}.weight", *shape)

    def has(self, name: str) -> bool:
        """Whether there is a tensor of that name."""
        return name in self._weights

    def count(self, pattern: str) -> int:
        """How many of the names that `pattern` gives for 0, 1, 2, … there are."""
        number = 0
        while self.has(pattern.format(number)):
            number += 1
        return number

    def skip(self, *endings: str) -> None:
        """Leaves out tensors that follow from others, such as masks."""
        self._unread = {name for name in self._unread if not name.endswith(endings)}

    def check_all_read(self) -> None:
        """Refuses a file with weights that the model does not use.

        Raises:
            CheckpointError: Naming one of them.
        """
        if self._unread:
            raise self.misfit(f"it also has `{min(self._unread)}`")

    def misfit(self, reason: str) -> CheckpointError:
        """The error for a file that is not of its source."""
        return CheckpointError(
            f"{self._origin} does not hold a model of {self._source} that can be imported: "
            f"{reason}."
        )


def _fits(actual: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(actual) == len(expected) and all(
        side is None or side == own for own, side in zip(actual, expected, strict=True)
    )
