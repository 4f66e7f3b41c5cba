"""The page that samples images row by row."""

import math
import time
from collections.abc import Callable

import streamlit as st

from pixelcnn.app.background import run_steps
from pixelcnn.app.models import Choice, Models
from pixelcnn.app.sampling import SamplingProgress, SamplingRequest, sampling_steps
from pixelcnn.app.widgets.conditions import condition_input, condition_per_image
from pixelcnn.app.widgets.controls import number_input, sampling_inputs, seed_input, size_input
from pixelcnn.app.widgets.display import as_code, format_seconds, show_images, showing_errors
from pixelcnn.app.widgets.downloads import (
    animation_file,
    arrays_file,
    download_buttons,
    grid_file,
    separate_files,
)
from pixelcnn.data.sources.arrays.arrays import sample_arrays
from pixelcnn.plots import as_image, image_grid, screen_scale
from pixelcnn.walk import SamplingOptions

SAMPLED = "sample.result"
WELCOMED = "sample.welcomed"
WELCOME_PIXELS = 32 * 32
"""Images of up to so many pixels are sampled by themselves when a visitor comes."""

_LATEST_WELCOME: list[SamplingProgress] = []

MAX_IMAGES = 256
GRID_SIDE = 64


def show(choice: Choice, models: Models) -> None:
    """Controls, the images row by row, then with their bits and as files."""
    with showing_errors():
        is_welcome = _is_welcome(choice)
        request = _request_form(choice, is_submitted=is_welcome)
        if request is not None:
            (_welcome if is_welcome else _sample)(choice, request)
    if SAMPLED in st.session_state:
        with showing_errors():
            _show_result(st.session_state[SAMPLED])


def _is_welcome(choice: Choice) -> bool:
    """Whether to sample without a click: for a new visitor, what takes seconds; true once."""
    is_new = not st.session_state.get(WELCOMED)
    st.session_state[WELCOMED] = True
    is_small = math.prod(choice.spec.shape[1:]) <= WELCOME_PIXELS
    return is_new and is_small and choice.model.condition.kind != "maps"


def _request_form(choice: Choice, *, is_submitted: bool) -> SamplingRequest | None:
    """The request, once "Sample" is clicked or if it is submitted already."""
    model, key = choice.model, f"set.sample.{choice.name}"
    # In a form, so that moving a slider does not stop sampling in progress.
    with st.form("sample", border=True):
        left, middle, right = st.columns(3)
        with left:
            count = number_input("Images", 1, MAX_IMAGES, 16, "set.sample.count")
        with middle:
            conditions = condition_input(model, key, in_turn=True)
        with right:
            seed = seed_input("set.sample")
        filters = sampling_inputs(model, key)
        with st.expander("Size"):
            shape = size_input(choice, key)
        is_submitted |= st.form_submit_button("Sample", type="primary", icon=":material/brush:")
    if not is_submitted:
        return None
    cond = condition_per_image(conditions, count, shape)
    return SamplingRequest(count, SamplingOptions(cond=cond, seed=seed, shape=shape, **filters))


def _welcome(choice: Choice, request: SamplingRequest) -> None:
    """Samples for a new visitor: those of the visitor before, where the model is the same."""
    if _LATEST_WELCOME and _LATEST_WELCOME[0].choice == choice:
        st.session_state[SAMPLED] = _LATEST_WELCOME[0]
        return
    _sample(choice, request)
    _LATEST_WELCOME[:] = [st.session_state[SAMPLED]]


def _sample(choice: Choice, request: SamplingRequest) -> None:
    """Samples, and shows every row. "Stop", or any other click, ends it; finished rows stay."""
    # Before the first message to the browser, so that an early click finds the request.
    st.session_state[SAMPLED] = SamplingProgress(choice, request)
    bar = st.progress(0.0, "Sampling …")
    stop, preview = st.empty(), st.empty()
    stop.button("Stop", icon=":material/stop:", key="sample.stop")
    scale = screen_scale(*request.shape[1:], side=GRID_SIDE)
    began = time.monotonic()

    def grow(newest: SamplingProgress | None) -> None:
        if newest is not None:
            st.session_state[SAMPLED] = newest
        samples: SamplingProgress = st.session_state[SAMPLED]
        seconds = time.monotonic() - began
        bar.progress(samples.done, f"{format_seconds(seconds)}, {_left(samples)}")
        if newest is not None:
            grid = image_grid(samples.images, choice.model.num_classes, scale=scale)
            preview.image(as_image(grid))

    try:
        run_steps(sampling_steps(choice, request), grow)
    except Exception:
        st.session_state.pop(SAMPLED)
        raise
    finally:
        for each in (bar, stop, preview):
            each.empty()


def _left(samples: SamplingProgress) -> str:
    if samples.is_whole:
        return "measuring bits"
    return (
        f"{format_seconds(samples.seconds_left)} left"
        if samples.frames
        else "waiting for the first row"
    )


def _show_result(samples: SamplingProgress) -> None:
    if not samples.frames:
        st.info(f"{as_code(samples.choice.name)}: {samples.stopped}.", icon=":material/stop:")
        return
    model = samples.choice.model
    options, count = samples.request.options, len(samples.images)
    stopped = f", {samples.stopped}" if samples.stopped else ""
    filters = {"top-k": options.top_k, "top-p": options.top_p}
    filters |= {"guidance": None if options.guidance == 1 else options.guidance}
    others = [f", {name} {value:g}" for name, value in filters.items() if value is not None]
    st.markdown(
        f"**{count} image{'s' * (count > 1)}** by {as_code(samples.choice.name)} in "
        f"**{format_seconds(samples.seconds)}**{stopped}; seed {options.seed}, temperature "
        f"{options.temperature:g}{''.join(others)}."
    )
    captions = (
        [""] * count if samples.bits is None else [f"{bits:.1f} bits" for bits in samples.bits]
    )
    show_images(samples.images, model.num_classes, captions)
    _show_downloads(samples)


def _show_downloads(samples: SamplingProgress) -> None:
    levels, x, notes = samples.choice.model.num_classes, samples.images, samples.notes
    kind, cond = samples.choice.model.condition.kind, samples.request.cond
    files: dict[str, tuple[str, Callable[[], bytes]]] = {
        "Grid (PNG)": ("grid.png", lambda: grid_file(x, levels, notes)),
        "Each (PNG)": ("images.zip", lambda: separate_files(x, levels, notes)),
        "Growth (GIF)": ("growth.gif", lambda: animation_file(samples.frames, levels)),
        "Levels (npz)": (
            "images.npz",
            lambda: arrays_file(sample_arrays(x, levels, notes, kind, cond)),
        ),
    }
    download_buttons(samples.choice.name, files)
