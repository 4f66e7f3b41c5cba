"""The page that completes images of which a part is missing."""

import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.tasks import was_stopped, working
from pixelcnn.app.widgets.controls import ask_number, ask_seed, remembered
from pixelcnn.app.widgets.display import LARGE, as_code, heat_tile, in_words, show_images, telling
from pixelcnn.app.widgets.image_picker import ChosenImage, ask_condition_of, ask_image
from pixelcnn.app.widgets.mask import ask_missing
from pixelcnn.inference import Completions, complete, is_prefix
from pixelcnn.plots import image_grid, mark_unknown, png_bytes, screen_scale

FOUND = "complete.result"
WORK = "Completing"
KEY = "set.complete"
AUTO = "automatic"
METHODS = [AUTO, "raster", "smc", "gibbs"]
MOST_COMPLETIONS = 64
COLOURS = 256
"""Levels of what `mark_unknown` gives."""


@dataclass(frozen=True)
class Completed:
    """What was asked, and the answer."""

    choice: Choice
    picked: ChosenImage
    known: Tensor
    found: Completions
    seconds: float


def show(choice: Choice, models: Models) -> None:
    """An image, what is erased of it, and completions, the most probable first."""
    with telling():
        left, right = st.columns(2)
        with left:
            picked = ask_image(choice, f"{KEY}.{choice.name}")
        if picked is not None:
            with right:
                known = _ask_known(choice, picked)
            wish = _ask_method(choice, picked, known)
            if wish is not None:
                _complete(choice, picked, known, wish)
    if was_stopped(WORK):
        st.info("Stopped; nothing new was completed.", icon=":material/stop:")
    if FOUND in st.session_state:
        with telling():
            _show_result(st.session_state[FOUND])


def _ask_known(choice: Choice, picked: ChosenImage) -> Tensor:
    levels = choice.model.num_classes
    known = ask_missing(picked, levels, KEY, seed=st.session_state.get(f"{KEY}.seed", 0))
    everything = torch.ones_like(known)
    shown = [mark_unknown(picked.x[0], each, levels, touch=1) for each in (everything, known)]
    show_images(torch.stack(shown), COLOURS, ["image", "known"], side=LARGE)
    st.caption("Blue is not known.")
    return known


def _ask_method(choice: Choice, picked: ChosenImage, known: Tensor) -> dict[str, Any] | None:
    """Options of `complete`, once the button is clicked."""
    with st.form("complete"):
        left, middle, right = st.columns(3)
        with left:
            count = ask_number("Completions", 1, MOST_COMPLETIONS, 8, f"{KEY}.count")
            seed = ask_seed(KEY)
        with middle:
            method = st.selectbox(
                "Method", METHODS, key=remembered(f"{KEY}.method", AUTO),
                help="Automatic is raster where that is exact, else smc.",
            )  # fmt: skip
            cond = ask_condition_of(picked, choice, KEY)
        with right:
            particles = ask_number(
                "Particles", 1, 512, 32, f"{KEY}.particles",
                help="Images of each population of smc, where gibbs begins, too.",
            )  # fmt: skip
            sweeps = ask_number("Sweeps", 8, 1000, 20, f"{KEY}.sweeps", help="Of each gibbs chain.")
        is_asked = st.form_submit_button("Complete", type="primary", icon=":material/healing:")
    if not is_asked:
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


def _complete(choice: Choice, picked: ChosenImage, known: Tensor, wish: dict[str, Any]) -> None:
    began = time.monotonic()
    found = working(
        WORK, lambda tell: complete(choice.model, picked.x, known, progress=tell, **wish)
    )
    st.session_state[FOUND] = Completed(choice, picked, known, found, time.monotonic() - began)


def _show_result(done: Completed) -> None:
    found, levels = done.found, done.choice.model.num_classes
    count = found.images.shape[1]
    st.markdown(
        f"**{count} completion{'s' * (count > 1)}** by {as_code(done.choice.name)} "
        f"and `{found.method}` "
        f"in **{in_words(done.seconds)}**, the most probable first."
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
    _offer(done)


def _show_diagnostics(found: Completions) -> None:
    figures = {name.replace("_", " "): f"{each[0]:.4g}" for name, each in found.diagnostics.items()}
    explained = f"{found.known_log_prob[0, 0]:.2f} nats"
    st.table(
        {"known part, by the best": explained, **figures}, border="horizontal", hide_header=True
    )


def _offer(done: Completed) -> None:
    levels, x = done.choice.model.num_classes, done.found.images[0]
    scale = screen_scale(x.shape[2], x.shape[3])
    name = f"{done.choice.name}-completions"
    with st.container(horizontal=True):
        st.download_button(
            "Grid (PNG)",
            lambda: png_bytes(image_grid(x, levels, scale=scale)),
            file_name=f"{name}.png",
            mime="image/png",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Levels (npz)",
            lambda: completions_file(done.found, levels),
            file_name=f"{name}.npz",
            mime="application/octet-stream",
            on_click="ignore",
            icon=":material/download:",
        )


def completions_file(found: Completions, levels: int) -> bytes:
    """Completions as `pixelcnn complete` writes them."""
    file = io.BytesIO()
    np.savez_compressed(file, **found.arrays(levels))
    return file.getvalue()
