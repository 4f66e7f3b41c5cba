"""What a user should know about the data, and nothing depends on."""

import warnings
from collections.abc import Sequence

from pixelcnn.errors import PixelCNNWarning


class DataWarning(PixelCNNWarning):
    """Something about the images, or what is made of them, that a reader of figures should know."""


def notice(line: str) -> None:
    """Warns by one line for people. The command line prints it as it stands."""
    warnings.warn(line, DataWarning, stacklevel=3)


def some(names: Sequence[str]) -> str:
    """The first of many names.

    Example:
        >>> some(["a"]), some(["a", "b"]), some(["a", "b", "c", "d"])
        ('a', 'a, b', 'a, b, c and 1 more')
    """
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
