"""The page that completes images with unknown pixels."""

import time
from dataclasses import dataclass
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.tasks import run_task, was_stopped
from pixelcnn.app.widgets.controls import number_input, remember, seed_input
from pixelcnn.app.widgets.display import (
    LARGE,
    as_code,
    format_seconds,
    heat_tile,
    show_images,
    showing_errors,
)
from pixelcnn.app.widgets.downloads import arrays_file, download_buttons, grid_file
from pixelcnn.app.widgets.image_picker import ChosenImage, image_condition_input, image_input
from pixelcnn.app.widgets.mask import mask_input
from pixelcnn.inference import Completions, complete, is_prefix
from pixelcnn.plots import mark_unknown

FOUND = "complete.result"
WORK = "Completing"
KEY = "set.complete"
AUTO = "automatic"
METHODS = [AUTO, "raster", "smc", "gibbs"]
MAX_COMPLETIONS = 64
COLOURS = 256
"""Levels of the images that `mark_unknown` returns."""


@dataclass(frozen=True)
class Completed:
    """A request and its result."""

    choice: Choice
    picked: ChosenImage
    known: Tensor
    found: Completions
    seconds: float


def show(choice: Choice, models: Models) -> None:
    """An image, its unknown pixels, and completions, the most probable first."""
    with showing_errors():
        left, right = st.columns(2)
        with left:
            picked = image_input(choice, f"{KEY}.{choice.name}")
        if picked is not None:
            with right:
                known = _known_input(choice, picked)
            request = _method_input(choice, picked, known)
            if request is not None:
                _complete(choice, picked, known, request)
    if was_stopped(WORK):
        st.info("Stopped; no new completions.", icon=":material/stop:")
    if FOUND in st.session_state:
        with showing_errors():
            _show_result(st.session_state[FOUND])


def _known_input(choice: Choice, picked: ChosenImage) -> Tensor:
    levels = choice.model.num_classes
    known = mask_input(picked, levels, KEY, seed=st.session_state.get(f"{KEY}.seed", 0))
    everything = torch.ones_like(known)
    shown = [mark_unknown(picked.x[0], each, levels, touch=1) for each in (everything, known)]
    show_images(torch.stack(shown), COLOURS, ["image", "known"], side=LARGE)
    st.caption("Blue pixels are unknown.")
    return known


def _method_input(choice: Choice, picked: ChosenImage, known: Tensor) -> dict[str, Any] | None:
    """Options of `complete`, once the button is clicked."""
    with st.form("complete"):
        left, middle, right = st.columns(3)
        with left:
            count = number_input("Completions", 1, MAX_COMPLETIONS, 8, f"{KEY}.count")
            seed = seed_input(KEY)
        with middle:
            method = st.selectbox(
                "Method", METHODS, key=remember(f"{KEY}.method", AUTO),
                help="Automatic: raster where it is exact, else smc.",
            )  # fmt: skip
            cond = image_condition_input(picked, choice, KEY)
        with right:
            particles = number_input(
                "Particles", 1, 512, 32, f"{KEY}.particles",
                help="Particles of each population of smc; gibbs starts from them.",
            )  # fmt: skip
            sweeps = number_input(
                "Sweeps", 8, 1000, 20, f"{KEY}.sweeps", help="Sweeps of each gibbs chain."
            )
        is_submitted = st.form_submit_button("Complete", type="primary", icon=":material/healing:")
    if not is_submitted:
        return None
    options = {
        "smc": {"num_particles": particles},
        "gibbs": {"num_particles": particles, "num_sweeps": sweeps},
    }
    if method == AUTO:
        method = "raster" if bool(is_prefix(known[None]).all()) else "smc"
    assert method is not None  # one is always chosen
    given = {"num_completions": count, "seed": seed, "cond": cond, "method": method}
    return given | options.get(method, {})


def _complete(choice: Choice, picked: ChosenImage, known: Tensor, request: dict[str, Any]) -> None:
    began = time.monotonic()
    found = run_task(
        WORK, lambda progress: complete(choice.model, picked.x, known, progress=progress, **request)
    )
    st.session_state[FOUND] = Completed(choice, picked, known, found, time.monotonic() - began)


def _show_result(done: Completed) -> None:
    found, levels = done.found, done.choice.model.num_classes
    count = found.images.shape[1]
    st.markdown(
        f"**{count} completion{'s' * (count > 1)}** by {as_code(done.choice.name)} "
        f"and `{found.method}` "
        f"in **{format_seconds(done.seconds)}**, the most probable first."
    )
    for sentence in found.warnings:
        st.warning(sentence)
    captions = [f"{rank}: {nats:.1f} nats" for rank, nats in enumerate(found.log_prob[0], 1)]
    show_images(found.images[0], levels, captions)
    bits = found.uncertainty[0].sum(0)
    top = float(bits.max())
    shown = [
        mark_unknown(done.picked.x[0], done.known, levels, touch=1),
        mark_unknown(found.mean[0], done.known, levels, touch=0),
        heat_tile(bits, top),
    ]
    most = f"uncertainty: black 0, brightest {top:.2f} bits"
    show_images(torch.stack(shown), COLOURS, ["known", "mean", most], side=LARGE)
    _show_diagnostics(found)
    _show_downloads(done)


def _show_diagnostics(found: Completions) -> None:
    facts = {name.replace("_", " "): f"{each[0]:.4g}" for name, each in found.diagnostics.items()}
    explained = f"{found.known_log_prob[0, 0]:.2f} nats"
    st.table(
        {"known part, best completion": explained, **facts},
        border="horizontal",
        hide_header=True,
    )


def _show_downloads(done: Completed) -> None:
    levels, x = done.choice.model.num_classes, done.found.images[0]
    download_buttons(
        done.choice.name,
        {
            "Grid (PNG)": ("completions.png", lambda: grid_file(x, levels, {})),
            "Levels (npz)": ("completions.npz", lambda: arrays_file(done.found.arrays(levels))),
        },
    )
