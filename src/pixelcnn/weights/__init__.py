"""Bundled pretrained models and classifiers, by name.

Each is a `NAME.safetensors` beside this file, whose card holds its metrics and how it was trained.
`scripts/bundle.py` makes them from the recipes in configs/. The evaluation classifiers are in the
folder classifiers/; `pixelcnn train-classifier` makes them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
CLASSIFIERS = FOLDER / "classifiers"


def list_weights() -> list[str]:
    """Names of the bundled models.

    Example:
        >>> "digits" in list_weights()
        True
    """
    return _names(FOLDER)


def find_weights(path: str | Path) -> Path:
    """The file of a path or of the name of a bundled model.

    An existing file or folder of that path takes precedence over a bundled model.

    Returns:
        The path as given if it exists, or if no bundled model has that name.

    Example:
        >>> find_weights("digits").name, find_weights("./digits").name
        ('digits.safetensors', 'digits')
    """
    return _find(FOLDER, path)


def known_weights() -> str:
    """A sentence with the names, for messages about an unknown one."""
    return f"Bundled models: {', '.join(list_weights()) or 'none'}."


def list_classifiers() -> list[str]:
    """Names of the bundled classifiers."""
    return _names(CLASSIFIERS)


def find_classifier(path: str | Path) -> Path:
    """The file of a path or of the name of a bundled classifier, as `find_weights`."""
    return _find(CLASSIFIERS, path)


def known_classifiers() -> str:
    """A sentence with the names, for messages about an unknown one."""
    return f"Bundled classifiers: {', '.join(list_classifiers()) or 'none'}."


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def _find(folder: Path, path: str | Path) -> Path:
    # The name as given: `Path` would take `./digits`, which can only be a file, for `digits`.
    is_name = str(path) in _names(folder) and not Path(path).exists()
    return folder / f"{path}.safetensors" if is_name else Path(path)
