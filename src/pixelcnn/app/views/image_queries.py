"""Queries of a whole image: its bits, its label, and the expected image after each pixel."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice
from pixelcnn.app.tasks import run_task, was_stopped
from pixelcnn.app.widgets.controls import number_input, seed_input
from pixelcnn.app.widgets.display import LARGE, heat_tile, show_figure, show_images
from pixelcnn.app.widgets.downloads import download_buttons
from pixelcnn.app.widgets.image_picker import ChosenImage
from pixelcnn.charts.bits import BRIGHTEST
from pixelcnn.charts.posterior import posterior_figure
from pixelcnn.data.conditions import condition_checksum
from pixelcnn.inference import ClassPosterior, Expectation, Scores, classify, expectation, score
from pixelcnn.inference.query import Progress
from pixelcnn.plots import as_image, gif_bytes, image_grid, mark_unknown, screen_scale

MAPS = "query.maps"
EXPECTED = "query.expected"
MEASURING, ESTIMATING = "Measuring bits", "Estimating"
NUM_TIMES = 15
ANIMATION_SIDE = 192
COLOURS = 256
"""Levels of the images that `mark_unknown` returns."""

ImageQuery: TypeAlias = tuple[Choice, str, str | None]
"""The model, the name of the image, and the checksum of the condition if there is one."""


@dataclass(frozen=True)
class Maps:
    """The results for an image; None where it was stopped."""

    query: ImageQuery
    scores: Scores | None = None
    posterior: ClassPosterior | None = None


def show_image_maps(choice: Choice, picked: ChosenImage, cond: Tensor | None) -> None:
    """Bits of each pixel, and the posterior of the label; computed once per image."""
    st.subheader("The image")
    query = _query_of(choice, picked, cond)
    maps: Maps | None = st.session_state.get(MAPS)
    if was_stopped(MEASURING):
        maps = st.session_state[MAPS] = Maps(query)
    if maps is not None and maps.query == query and maps.scores is None:
        place = st.empty()
        with place.container():
            st.info("Stopped; nothing was measured.", icon=":material/stop:")
            if not st.button("Measure", icon=":material/straighten:"):
                return
        place.empty()
        maps = None
    if maps is None or maps.query != query:
        maps = st.session_state[MAPS] = _measure(choice, picked, cond, query)
    _show_maps(choice, picked, maps)


def _query_of(choice: Choice, picked: ChosenImage, cond: Tensor | None) -> ImageQuery:
    return choice, picked.name, None if cond is None else condition_checksum(cond)


def _measure(choice: Choice, picked: ChosenImage, cond: Tensor | None, query: ImageQuery) -> Maps:
    model = choice.model

    def measure(progress: Progress) -> Maps:
        scores = score(model, picked.x, cond, progress=progress)
        if model.num_labels is None:
            return Maps(query, scores)
        return Maps(query, scores, classify(model, picked.x, by_pixel=True, progress=progress))

    return run_task(MEASURING, measure)


def _show_maps(choice: Choice, picked: ChosenImage, maps: Maps) -> None:
    scores, posterior, levels = maps.scores, maps.posterior, choice.model.num_classes
    assert scores is not None  # it was not stopped
    first, second, third = st.columns(3)
    first.metric("Bits", f"{scores.nats.item() / math.log(2):.2f}")
    second.metric("Nats", f"{scores.nats.item():.2f}")
    third.metric("Bits/dim", f"{scores.bits_per_dim.item():.4f}")
    bits = scores.bits_per_pixel[0].double()
    top = float(bits.quantile(BRIGHTEST))
    everything = torch.ones(1, 1, 1, dtype=torch.bool)
    shown = [mark_unknown(picked.x[0], everything, levels), heat_tile(bits, top)]
    left, right = st.columns([2, 3])
    with left:
        words = f"bits of each pixel: black 0, brightest {top:.1f} or more"
        show_images(torch.stack(shown), COLOURS, [picked.title, words], side=LARGE)
    if posterior is not None and posterior.by_pixel is not None:
        names = choice.model.condition.every_name
        best = posterior.probabilities[0].max().item()
        title = f"{names[int(posterior.predicted[0])]}: {best:.1%}"
        figure = posterior_figure(
            picked.x, posterior.by_pixel, levels=levels, names=names, titles=[title]
        )
        with right:
            show_figure(figure, "Posterior of the label after each pixel", (4.0, 2.6))


def show_expectation(choice: Choice, picked: ChosenImage, cond: Tensor | None, key: str) -> None:
    """The expected image after some of the pixels."""
    st.subheader("Expected image after each pixel")
    with st.form("expect"):
        left, right = st.columns(2)
        with left:
            draws = number_input("Completions per time", 1, 256, 32, f"{key}.expected")
        with right:
            seed = seed_input(f"{key}.expected")
        is_submitted = st.form_submit_button("Animate", icon=":material/visibility:")
    query = _query_of(choice, picked, cond)
    if was_stopped(ESTIMATING):
        st.info("Stopped; no new animation.", icon=":material/stop:")
    if is_submitted:
        found = run_task(
            ESTIMATING,
            lambda progress: expectation(
                choice.model, picked.x, cond, num_times=NUM_TIMES, num_draws=draws, seed=seed,
                progress=progress,
            ),
        )  # fmt: skip
        st.session_state[EXPECTED] = (query, found)
    known, found = st.session_state.get(EXPECTED, (None, None))
    if found is not None and known == query:
        _show_expectation(choice, found)


def _show_expectation(choice: Choice, found: Expectation) -> None:
    frames = mark_unknown(found.mean, found.known[:, None], choice.model.num_classes)
    height, width = frames.shape[3:]
    animation = _animation(frames)
    left, right = st.columns([1, 3])
    left.image(animation, width=ANIMATION_SIDE, caption="As an animation")
    scale = screen_scale(height, width, side=LARGE)
    right.image(
        as_image(image_grid(frames[:, 0], COLOURS, columns=5, scale=scale)),
        width="stretch",
        caption="The expected image after some of the pixels; unknown pixels have a touch of blue",
    )
    download_buttons(choice.name, {"Animation (GIF)": ("expectation.gif", lambda: animation)})


def _animation(frames: Tensor) -> bytes:
    """Images (T, 1, 3, H, W) as a GIF."""
    scale = screen_scale(*frames.shape[3:], side=ANIMATION_SIDE)
    return gif_bytes(
        [image_grid(each, COLOURS, scale=scale, pad=0) for each in frames], milliseconds=300
    )
