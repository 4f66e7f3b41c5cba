"""What the frame of the page holds: a choice of model, and the page of that model."""

import warnings
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pixelcnn.app.models import Choice, Models, find_models, first_readable
from pixelcnn.app.widgets.controls import save_settings
from pixelcnn.app.widgets.display import show_error, showing_errors
from pixelcnn.device import resolve_device
from pixelcnn.inference import UnreliableEstimateWarning

MODEL = "set.model"


def show_content(
    show: Callable[[Choice, Models], None], top: DeltaGenerator, *, runs: Sequence[str], device: str
) -> None:
    """Shows the choice of a model, and a page of the one that is chosen.

    Args:
        show: Shows the page of a model.
        top: Where the choice goes.
        runs: As `find_models` takes them.
        device: Where the weights go.
    """
    # The page shows every warning beside the estimate.
    warnings.simplefilter("ignore", UnreliableEstimateWarning)
    save_settings()
    with showing_errors():
        choices = find_models(runs, on_error=show_error)
        if MODEL not in st.session_state:
            st.session_state[MODEL] = first_readable(choices)
        name = top.selectbox("Model", list(choices), key=MODEL, width=280)
        assert name is not None  # one is always chosen
        # By name among the models that were found: a browser cannot name another file.
        models = Models(choices, resolve_device(device))
        show(models.open(name), models)
