"""Keys that are no settings: which one is meant, or what replaces it."""

import difflib
from collections.abc import Collection

from pixelcnn.config.model import arguments_of
from pixelcnn.config.replaced import advice_on
from pixelcnn.errors import ConfigError
from pixelcnn.models import MODELS


def check_key(
    key: str, known: Collection[str], sections: Collection[str], origin: str = ""
) -> None:
    """Raises `ConfigError` if a key does not exist, with the nearest one that does.

    Args:
        key: Dotted key. Those of the section `model` are left to `ModelConfig`.
        known: Every other setting.
        sections: Names of the sections.
        origin: Where the key stands, before the message.
    """
    if key in known or key.startswith("model."):
        return
    if instead := advice_on(key):
        raise ConfigError(f"{origin}`{key}` is not a setting.{instead}")
    names = {f"model.{each}": None for model in MODELS for each in ("name", *arguments_of(model))}
    raise ConfigError(f"{origin}`{key}` is not a setting.{hint(key, [*sections, *known, *names])}")


def hint(key: str, known: Collection[str]) -> str:
    """Which key may be meant; empty if none is near."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if not near:
        # `--max_epochs` or a key in the wrong section: the last part alone may be right.
        last = {name.rpartition(".")[2]: name for name in known}
        names = difflib.get_close_matches(key.rpartition(".")[2], last, n=1, cutoff=0.75)
        near = [last[name] for name in names]
    return f" Did you mean `{near[0]}`?" if near else ""
