"""What visitors set: numbers, sizes, and how levels are drawn."""

from typing import Any

import streamlit as st

from pixelcnn.models import AutoregressiveModel

MOST_SEED = 2**31 - 1
MOST_SIDE = 256

SETTING = "set."
"""Settings under keys that begin so stay as they are while another page is shown."""

KEPT = "kept"


def keep_settings() -> None:
    """Writes down all settings: Streamlit forgets those of what is not shown in a run."""
    kept = st.session_state.setdefault(KEPT, {})
    kept.update({k: v for k, v in st.session_state.items() if str(k).startswith(SETTING)})


def remembered(key: str, default: Any, *, within: tuple[Any, Any] | None = None) -> str:
    """The key of a widget, which shows `default` until somebody sets it.

    By the session and not by the widget: a widget that has both complains when the setting comes
    back from another page. And only where Streamlit forgot it: what is set here goes to the
    browser, and would undo there what a visitor has set in a form and not sent yet.

    Args:
        key: Where the session keeps the setting.
        default: The first.
        within: Least and most that a number may be now. What was set for another model, or before
            this one was trained anew, comes down or up to it.
    """
    state = st.session_state
    if key not in state:
        state[key] = state.get(KEPT, {}).get(key, default)
    if within is not None and not within[0] <= state[key] <= within[1]:
        state[key] = min(max(state[key], within[0]), within[1])
    return key


def ask_sampling(model: AutoregressiveModel, key: str) -> dict[str, Any]:
    """Temperature, top-k, top-p and guidance, as `PixelCNNSampler` takes them."""
    levels = model.num_classes
    left, middle, right = st.columns(3)
    temperature = left.slider(
        "Temperature", 0.1, 2.0, step=0.05, key=remembered(f"{key}.temperature", 1.0),
        help="Divides the logits: 1 follows the likelihood, less is safer, more is wilder.",
    )  # fmt: skip
    top_k = middle.number_input(
        "Top-k", 1, levels, key=remembered(f"{key}.top_k.{levels}", levels),
        help=f"Keeps the k most probable levels; {levels} keeps all.",
    )  # fmt: skip
    top_p = right.slider(
        "Top-p", 0.05, 1.0, step=0.05, key=remembered(f"{key}.top_p", 1.0),
        help="Keeps the most probable levels with that much mass; 1 keeps all.",
    )  # fmt: skip
    guidance = 1.0
    if model.condition.is_optional:
        guidance = st.slider(
            "Guidance", 0.0, 5.0, step=0.25, key=remembered(f"{key}.guidance", 1.0),
            help="0 ignores what is told, 1 follows the model, more exaggerates it.",
        )  # fmt: skip
    return {
        "temperature": temperature,
        "top_k": None if top_k == levels else int(top_k),
        "top_p": None if top_p == 1 else top_p,
        "guidance": guidance,
    }


def ask_number(label: str, least: int, most: int, first: int, key: str, **options: Any) -> int:
    """A whole number."""
    key = remembered(key, first, within=(least, most))
    return int(st.number_input(label, least, most, key=key, **options))


def ask_seed(key: str) -> int:
    """A seed that a browser counts without rounding."""
    return ask_number("Seed", 0, MOST_SEED, 0, f"{key}.seed", help="Same seed, same images.")


def ask_size(model: AutoregressiveModel, key: str) -> tuple[int, int, int]:
    """(C, H, W) of what shall be drawn; the model's own at first."""
    height, width = model.image_size or (32, 32)
    least = model.least_side
    left, right = st.columns(2)
    with left:
        rows = ask_number("Rows", least, max(MOST_SIDE, height), height, f"{key}.rows")
    with right:
        columns = ask_number("Columns", least, max(MOST_SIDE, width), width, f"{key}.columns")
    return model.in_channels, rows, columns
