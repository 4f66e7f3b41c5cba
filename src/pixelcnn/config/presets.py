"""The recipes that come with the package."""

from pathlib import Path

from pixelcnn.errors import ConfigError, suggestion

# In the checkout, then inside an installed wheel.
PRESET_FOLDERS = (Path(__file__).parents[3] / "configs", Path(__file__).parents[1] / "configs")
# Second names of recipes.
PRESET_ALIASES = {"cifar10": "default"}


def preset_names() -> list[str]:
    """Names of the recipes that come with the package."""
    files = {path.stem for folder in PRESET_FOLDERS for path in folder.glob("*.yaml")}
    return sorted(files | {alias for alias, name in PRESET_ALIASES.items() if name in files})


def preset_path(name: str) -> Path:
    """File of a recipe that comes with the package.

    Raises:
        ConfigError: If there is none of that name.
    """
    for folder in PRESET_FOLDERS:
        path = folder / f"{PRESET_ALIASES.get(name, name)}.yaml"
        if path.is_file() and name in preset_names():
            return path
    raise ConfigError(
        f"A preset must be one of {', '.join(preset_names())}, got {name!r}."
        f"{suggestion(name, preset_names())}"
    )
