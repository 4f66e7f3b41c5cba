"""The version of the package, and those of the packages that metrics depend on."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """Versions of what a metric may depend on, by name; Lightning's only where it is installed.

    Example:
        >>> list(versions())
        ['pixelcnn', 'python', 'torch', 'lightning']
    """
    found = {"pixelcnn": __version__, "python": python_version()}
    for name in ("torch", "lightning"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
