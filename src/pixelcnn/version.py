"""The one place that says which version this is, and on which others figures depend."""

from importlib.metadata import version
from platform import python_version

__version__ = "0.1.0"


def versions() -> dict[str, str]:
    """Versions of all that a figure may depend on, by name.

    Example:
        >>> list(versions())
        ['pixelcnn', 'python', 'torch', 'lightning']
    """
    others = {name: version(name) for name in ("torch", "lightning")}
    return {"pixelcnn": __version__, "python": python_version(), **others}
