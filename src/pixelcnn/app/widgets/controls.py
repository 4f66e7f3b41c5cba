"""Inputs for numbers, sizes and sampling options."""

from typing import Any

import streamlit as st

from pixelcnn.app.models import Choice
from pixelcnn.models import AutoregressiveModel

MAX_SEED = 2**31 - 1
MAX_SIDE = 256

SETTING = "set."
"""Prefix of the keys whose values are kept while another page is shown."""

SAVED = "saved"


def save_settings() -> None:
    """Saves all settings: Streamlit forgets those of widgets that a run does not show."""
    saved = st.session_state.setdefault(SAVED, {})
    saved.update({k: v for k, v in st.session_state.items() if str(k).startswith(SETTING)})


def remember(key: str, default: Any, *, within: tuple[Any, Any] | None = None) -> str:
    """The key of a widget, which shows `default` until it is set.

    By the session and not by the widget: a widget that has both complains when the setting comes
    back from another page. And only where Streamlit forgot it: what is set here goes to the
    browser, and would undo there what a visitor has set in a form and not sent yet.

    Args:
        key: Where the session keeps the setting.
        default: The first value.
        within: Smallest and largest number allowed now. A value set for another model, or before
            this one was retrained, is clamped.
    """
    state = st.session_state
    if key not in state:
        state[key] = state.get(SAVED, {}).get(key, default)
    if within is not None and not within[0] <= state[key] <= within[1]:
        state[key] = min(max(state[key], within[0]), within[1])
    return key


def sampling_inputs(model: AutoregressiveModel, key: str) -> dict[str, Any]:
    """Temperature, top-k, top-p and guidance, as `PixelCNNSampler` takes them."""
    levels = model.num_classes
    left, middle, right = st.columns(3)
    temperature = left.slider(
        "Temperature", 0.1, 3.0, step=0.05, key=remember(f"{key}.temperature", 1.0),
        help="Divides the logits: 1 follows the likelihood, more is noisier. Far below 1 only the "
        "likeliest levels remain, which may be background alone.",
    )  # fmt: skip
    top_k = middle.number_input(
        "Top-k", 1, levels, key=remember(f"{key}.top_k.{levels}", levels),
        help=f"Keeps the k most probable levels; {levels} keeps all.",
    )  # fmt: skip
    top_p = right.slider(
        "Top-p", 0.05, 1.0, step=0.05, key=remember(f"{key}.top_p", 1.0),
        help="Keeps the most probable levels with that much mass; 1 keeps all.",
    )  # fmt: skip
    guidance = 1.0
    if model.condition.is_optional:
        guidance = st.slider(
            "Guidance", 0.0, 5.0, step=0.25, key=remember(f"{key}.guidance", 1.0),
            help="0 ignores the condition, 1 follows the model, more amplifies it.",
        )  # fmt: skip
    return {
        "temperature": temperature,
        "top_k": None if top_k == levels else int(top_k),
        "top_p": None if top_p == 1 else top_p,
        "guidance": guidance,
    }


def number_input(label: str, least: int, most: int, first: int, key: str, **options: Any) -> int:
    """A whole number."""
    key = remember(key, first, within=(least, most))
    return int(st.number_input(label, least, most, key=key, **options))


def seed_input(key: str) -> int:
    """A seed that a browser counts without rounding."""
    return number_input("Seed", 0, MAX_SEED, 0, f"{key}.seed", help="Same seed, same images.")


def size_input(choice: Choice, key: str) -> tuple[int, int, int]:
    """(C, H, W) of the samples; the model's own at first."""
    channels, height, width = choice.spec.shape
    least = choice.model.least_side
    left, right = st.columns(2)
    with left:
        rows = number_input("Rows", least, max(MAX_SIDE, height), height, f"{key}.rows")
    with right:
        columns = number_input("Columns", least, max(MAX_SIDE, width), width, f"{key}.columns")
    return channels, rows, columns
