"""What visitors set: the condition of images, and how levels are drawn."""

from typing import Any

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.models import AutoregressiveModel

IN_TURN = "every label in turn"
NOTHING = "not told"
MOST_SEED = 2**31 - 1
MOST_SIDE = 256


def remembered(key: str, default: Any) -> str:
    """The key of a widget, which shows `default` until somebody sets it.

    By the session and not by the widget: a widget that has both complains when the setting comes
    back from another page.
    """
    st.session_state.setdefault(key, default)
    return key


def ask_condition(
    model: AutoregressiveModel, key: str, *, in_turn: bool = False, default: int | None = None
) -> Tensor | None:
    """Asks what the model shall be told, where it takes anything.

    Args:
        model: Whose condition it is.
        key: Where the widgets keep their values.
        in_turn: Whether all labels one after another are a choice.
        default: Label that is chosen first.

    Returns:
        One condition for all images, or those to be shared evenly, (M, …); None for none.

    Raises:
        ConfigError: If the model must be told maps, for which the page has no control.
    """
    condition = model.condition
    if condition.is_none:
        return None
    if condition.kind == "labels":
        return _ask_label(model, key, in_turn=in_turn, default=default)
    if condition.kind == "attributes":
        return _ask_attributes(model, key)
    if condition.is_optional:
        st.caption("This model can be told maps; the page draws without.")
        return None
    raise ConfigError(
        "This model must be told a map of each image, for which the page has no control. "
        "Use `pixelcnn sample RUN --maps FILE`, or Python."
    )


def _ask_label(
    model: AutoregressiveModel, key: str, *, in_turn: bool, default: int | None
) -> Tensor | None:
    names = model.condition.every_name
    special = [IN_TURN] * in_turn + [NOTHING] * model.condition.is_optional
    first = -len(special) if default is None else default
    number = st.selectbox(
        "Label",
        range(-len(special), len(names)),
        format_func=lambda at: special[at + len(special)] if at < 0 else names[at],
        key=remembered(f"{key}.label", first),
    )
    assert number is not None  # one is always chosen
    if number >= 0:
        return torch.tensor([number])
    is_told = special[number + len(special)] == IN_TURN
    return torch.arange(len(names)) if is_told else None


def _ask_attributes(model: AutoregressiveModel, key: str) -> Tensor | None:
    condition = model.condition
    if condition.is_optional and not st.checkbox("Tell attributes", key=f"{key}.told"):
        return None
    names = condition.every_name
    chosen = st.multiselect(
        "Attributes that are on",
        range(len(names)),
        format_func=lambda at: names[at],
        key=f"{key}.attributes",
    )
    vector = torch.zeros(1, condition.count)
    vector[0, chosen] = 1
    return vector


def spread(conditions: Tensor | None, count: int) -> Tensor | None:
    """Shares `count` images evenly among conditions (M, …), in their order. (count, …).

    Example:
        >>> spread(torch.tensor([3, 5]), 4)
        tensor([3, 3, 5, 5])
    """
    if conditions is None:
        return None
    return conditions[torch.arange(count) * len(conditions) // max(count, len(conditions))]


def ask_sampling(model: AutoregressiveModel, key: str) -> dict[str, Any]:
    """Temperature, top-k, top-p and guidance, as `PixelCNNSampler` takes them."""
    levels = model.num_classes
    left, middle, right = st.columns(3)
    temperature = left.slider(
        "Temperature", 0.1, 2.0, step=0.05, key=remembered(f"{key}.temperature", 1.0),
        help="Divides the logits: 1 follows the likelihood, less is safer, more is wilder.",
    )  # fmt: skip
    top_k = middle.number_input(
        "Top-k", 1, levels, key=remembered(f"{key}.top_k", levels),
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
    return int(st.number_input(label, least, most, key=remembered(key, first), **options))


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
