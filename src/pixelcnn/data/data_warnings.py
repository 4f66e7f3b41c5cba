"""Warnings about the data."""

import warnings
from collections.abc import Sequence

from pixelcnn.errors import PixelCNNWarning
from pixelcnn.logger import printable


class DataWarning(PixelCNNWarning):
    """A property of the images or their processing that affects reported metrics."""


def warn_about_data(message: str) -> None:
    """Raises a `DataWarning` of one line, which the command line prints as it is."""
    warnings.warn(message, DataWarning, stacklevel=3)


def first_names(names: Sequence[str]) -> str:
    """The first three of many names, and the number of the others, in one line.

    Example:
        >>> first_names(["a", "b"]), first_names(["a", "b", "c", "d"])
        ('a, b', 'a, b, c and 1 more')
    """
    shown = ", ".join(map(printable, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
