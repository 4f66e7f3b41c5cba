"""Trained models that come with the package, by name.

Each is a `NAME.safetensors` beside this file, whose card holds its metrics and how it was trained.
`scripts/bundle.py` makes them from the recipes in configs/. The evaluation classifiers are in the
folder classifiers/; `pixelcnn train-classifier` makes them.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
CLASSIFIERS = FOLDER / "classifiers"


def list_weights() -> list[str]:
    """Names of the trained models that come with the package.

    Example:
        >>> "digits" in list_weights()
        True
    """
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def find_weights(path: str | Path) -> Path:
    """The file that a path, or the name of a model that comes with the package, stands for.

    Whatever exists under that path wins over a model of the same name.

    Returns:
        The path as given if something is there, or if no model has that name.

    Example:
        >>> find_weights("digits").name, find_weights("./digits").name
        ('digits.safetensors', 'digits')
    """
    # The name as given: `Path` would take `./digits`, which can only mean a file, for `digits`.
    if str(path) in list_weights() and not Path(path).exists():
        return FOLDER / f"{path}.safetensors"
    return Path(path)


def known_weights() -> str:
    """The names in a sentence, for messages about one that is not known."""
    return f"The models that come with the package: {', '.join(list_weights()) or 'none'}."


def list_classifiers() -> list[str]:
    """Names of the classifiers that come with the package.

    Example:
        >>> "digits" in list_classifiers()
        True
    """
    return sorted(path.stem for path in CLASSIFIERS.glob("*.safetensors"))


def find_classifier(path: str | Path) -> Path:
    """The file that a path, or the name of a classifier of the package, stands for.

    As with models, whatever exists under that path wins.
    """
    if str(path) in list_classifiers() and not Path(path).exists():
        return CLASSIFIERS / f"{path}.safetensors"
    return Path(path)


def known_classifiers() -> str:
    """Their names in a sentence, for messages about one that is not known."""
    return f"The classifiers that come with the package: {', '.join(list_classifiers()) or 'none'}."
