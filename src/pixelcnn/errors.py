"""Errors and warnings of the package, and the message for an optional package that is missing."""

import difflib
import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

FAILED, INTERRUPTED = 2, 130
"""Exit codes of the command line: for errors that the user can fix, and after Ctrl-C."""

LOST = 69
"""Exit code by which one of several processes reports that it lost the connection to another."""


class PixelCNNError(Exception):
    """Base of every error raised on purpose. Its message alone is what the command line prints."""


class PixelCNNWarning(UserWarning):
    """Base of every warning. The command line prints its message as one line."""


class ConfigError(PixelCNNError, ValueError):
    """A setting, or a combination of settings, that is not allowed."""


class ShapeError(PixelCNNError, ValueError):
    """A tensor of the wrong shape, dtype or range."""


class DataError(PixelCNNError):
    """A data set that is missing, damaged or does not fit the settings."""


class CheckpointError(PixelCNNError):
    """A checkpoint that is missing, damaged, foreign or of another version."""


class NotFiniteError(PixelCNNError):
    """A training whose loss or gradient was infinite or not a number."""


class OutputError(PixelCNNError, OSError):
    """A file or folder that could not be written."""


class MissingDependencyError(PixelCNNError, ImportError):
    """An optional package is not installed."""


class MetricNotMeasuredError(PixelCNNError, KeyError):
    """A metric that was not measured, with the reason."""

    __str__ = Exception.__str__  # that of KeyError would show the message in quotes


class EndedElsewhereError(PixelCNNError):
    """Another process of the same work failed and reports the error; this one adds nothing.

    Attributes:
        code: Exit code for the command line.
    """

    def __init__(self, code: int = FAILED) -> None:
        super().__init__("Another process of the same work failed and reported its error.")
        self.code = code


class LostProcessError(PixelCNNError):
    """Another process of the same work was killed, so this one ended, too."""


def clipped(value: object, length: int = 80) -> str:
    """A value as Python writes it, cut off where it is too long for a message of one line.

    Example:
        >>> clipped("a" * 99, length=5)
        "'aaaa…"
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of numbers with thousands of digits, and deep lists
        text = f"a {type(value).__name__}"
    return text if len(text) <= length else f"{text[:length]}…"


def suggestion(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The end of a message: the nearest of the names that would be right; empty if none is near.

    Example:
        >>> suggestion("input_channels", ["in_channels", "num_layers"])
        ' Did you mean `in_channels`?'
        >>> suggestion("temp", ["guidance", "temperature"])
        ' Did you mean `temperature`?'
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    if not near and len(name) > 2:
        near = [each for each in names if each.startswith(name)]
    return f" Did you mean `{near[0]}`?" if near else ""


@contextmanager
def importing(extra: str) -> Iterator[None]:
    """Says of an import in the block that fails how to install what it needs.

    Args:
        extra: The extra of this package that brings it, such as "train".

    Raises:
        MissingDependencyError: If a package is not installed.

    Example:
        >>> with importing("train"):
        ...     import nowhere
        Traceback (most recent call last):
        pixelcnn.errors.MissingDependencyError: This needs the package `nowhere`, which is not \
installed. Install it with: pip install "pixelcnn[train]"; in a checkout: pip install ".[train]"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pixelcnn"):  # a bug of this package, which no extra fixes
            raise
        raise MissingDependencyError(
            f"This needs the package `{error.name}`, which is not installed. "
            f'Install it with: pip install "pixelcnn[{extra}]"; in a checkout: '
            f'pip install ".[{extra}]"'
        ) from error


def require(module: str, *, extra: str) -> ModuleType:
    """Imports an optional package, or says how to install it.

    Args:
        module: Import name, e.g. "lpips".
        extra: The extra of this package that brings it, e.g. "metrics".

    Returns:
        The imported module.

    Raises:
        MissingDependencyError: If the package is not installed.

    Example:
        >>> require("math", extra="none").floor(2.5)
        2
    """
    with importing(extra):
        return importlib.import_module(module)
