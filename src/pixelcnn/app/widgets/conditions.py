"""Inputs for conditions: labels, attributes or maps."""

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.widgets.controls import remember
from pixelcnn.data.conditions import Conditions, share_evenly
from pixelcnn.data.files.uploads import MAX_BYTES, read_map_upload
from pixelcnn.models import AutoregressiveModel

IN_TURN = "every label in turn"
NONE = "no condition"


def condition_input(
    model: AutoregressiveModel, key: str, *, in_turn: bool = False, own: Tensor | None = None
) -> Tensor | None:
    """Input for the condition, where the model takes one.

    Args:
        model: Whose condition it is.
        key: Where the widgets keep their values.
        in_turn: Whether all labels one after another are a choice.
        own: The condition of the image, chosen first. (1, …)

    Returns:
        One condition for all images, or those to be shared evenly, (M, …); None for none.

    Raises:
        DataError: If a file of maps cannot be read.
    """
    kind = model.condition.kind
    if kind == "labels":
        return _label_input(model, key, in_turn=in_turn, own=own)
    if kind == "attributes":
        return _attribute_input(model, key, own)
    return _map_input(model, key, own) if kind == "maps" else None


def _label_input(
    model: AutoregressiveModel, key: str, *, in_turn: bool, own: Tensor | None
) -> Tensor | None:
    names = model.condition.every_name
    special = [IN_TURN] * in_turn + [NONE] * model.condition.is_optional
    first = -len(special) if own is None else int(own)
    number = st.selectbox(
        "Label",
        range(-len(special), len(names)),
        format_func=lambda at: special[at + len(special)] if at < 0 else names[at],
        key=remember(f"{key}.label", first),
    )
    assert number is not None  # one is always chosen
    if number >= 0:
        return torch.tensor([number])
    is_used = special[number + len(special)] == IN_TURN
    return torch.arange(len(names)) if is_used else None


def _attribute_input(model: AutoregressiveModel, key: str, own: Tensor | None) -> Tensor | None:
    condition = model.condition
    is_used = remember(f"{key}.conditioned", own is not None)
    if condition.is_optional and not st.checkbox("Condition on attributes", key=is_used):
        return None
    names = condition.every_name
    on = [] if own is None else [at for at, value in enumerate(own[0].tolist()) if value > 0.5]
    chosen = st.multiselect(
        "Attributes that are on",
        range(len(names)),
        format_func=lambda at: names[at],
        key=remember(f"{key}.attributes", on),
    )
    vector = torch.zeros(1, condition.count)
    vector[0, chosen] = 1
    return vector


def _map_input(model: AutoregressiveModel, key: str, own: Tensor | None) -> Tensor | None:
    """Maps of a file, in the size that they have; `fitted` scales them."""
    condition = model.condition
    s = "" if condition.count == 1 else "s"
    file = st.file_uploader(
        f"Maps of {condition.count} channel{s}, .npy or .npz of at most {MAX_BYTES // 2**20} MB",
        type=["npy", "npz"],
        key=f"file.{key}.maps",
        help="An array (N, channels, rows, columns) of numbers, or `maps` of an .npz file.",
    )
    if file is not None:
        return read_map_upload(file.getvalue(), file.name, condition.count)
    if own is not None:
        st.caption("Without a file, the map of this test image is used.")
    elif condition.is_optional:
        st.caption("Without a file, no map is used.")
    else:
        st.caption("This model needs a map.")
    return own


def fitted(cond: Tensor | None, size: tuple[int, int]) -> Tensor | None:
    """Maps (M, A, h, w) scaled and cropped to a size (H, W), as data do; all else as it is."""
    if cond is None or cond.ndim != 4:
        return cond
    return Conditions(maps=cond).resized(size).maps


def condition_per_image(
    conditions: Tensor | None, count: int, shape: tuple[int, int, int]
) -> Tensor | None:
    """Conditions (M, …) shared evenly among `count` images of a shape (C, H, W). (count, …)."""
    cond = fitted(conditions, shape[1:])
    return None if cond is None else share_evenly(cond, count)
