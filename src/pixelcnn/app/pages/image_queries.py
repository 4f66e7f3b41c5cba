"""What is asked of a whole image: its bits, its label, and what is expected as pixels arrive."""

import math
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice
from pixelcnn.app.tasks import was_stopped, working
from pixelcnn.app.widgets.controls import ask_number, ask_seed
from pixelcnn.app.widgets.display import LARGE, heat_tile, show_figure, show_images
from pixelcnn.app.widgets.image_picker import ChosenImage
from pixelcnn.charts.bits import BRIGHTEST
from pixelcnn.charts.posterior import posterior_figure
from pixelcnn.data.conditions import checksum
from pixelcnn.inference import ClassPosterior, Expectation, Scores, classify, expectation, score
from pixelcnn.inference.query import Progress
from pixelcnn.plots import as_image, gif_bytes, image_grid, mark_unknown, screen_scale

MAPS = "ask.maps"
EXPECTED = "ask.expected"
MEASURING, EXPECTING = "Measuring bits", "Expecting"
NUM_TIMES = 15
FILM = 192
COLOURS = 256
"""Levels of what `mark_unknown` gives."""


@dataclass(frozen=True)
class ImageQuery:
    """What tells one question about an image apart from another.

    Attributes:
        choice: The model; another one once its file has changed.
        image: Name of the image.
        told: Checksum of what the model is told; None for nothing.
    """

    choice: Choice
    image: str
    told: str | None


@dataclass(frozen=True)
class Maps:
    """What was measured of an image; nothing if that was stopped."""

    asked: ImageQuery
    scores: Scores | None = None
    belief: ClassPosterior | None = None


def show_image_maps(choice: Choice, picked: ChosenImage, cond: Tensor | None) -> None:
    """Bits of each pixel, and belief about the label; measured anew for another image only."""
    st.subheader("The image")
    asked = _question(choice, picked, cond)
    maps: Maps | None = st.session_state.get(MAPS)
    if was_stopped(MEASURING):
        maps = st.session_state[MAPS] = Maps(asked)
    if maps is not None and maps.asked == asked and maps.scores is None:
        place = st.empty()
        with place.container():
            st.info("Stopped; nothing was measured.", icon=":material/stop:")
            if not st.button("Measure", icon=":material/straighten:"):
                return
        place.empty()
        maps = None
    if maps is None or maps.asked != asked:
        maps = st.session_state[MAPS] = _measure(choice, picked, cond, asked)
    _show_maps(choice, picked, maps)


def _question(choice: Choice, picked: ChosenImage, cond: Tensor | None) -> ImageQuery:
    return ImageQuery(choice, picked.name, None if cond is None else checksum(cond))


def _measure(choice: Choice, picked: ChosenImage, cond: Tensor | None, asked: ImageQuery) -> Maps:
    model = choice.model

    def measure(tell: Progress) -> Maps:
        scores = score(model, picked.x, cond, progress=tell)
        if model.num_labels is None:
            return Maps(asked, scores)
        return Maps(asked, scores, classify(model, picked.x, by_pixel=True, progress=tell))

    return working(MEASURING, measure)


def _show_maps(choice: Choice, picked: ChosenImage, maps: Maps) -> None:
    scores, belief, levels = maps.scores, maps.belief, choice.model.num_classes
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
    if belief is not None and belief.by_pixel is not None:
        names = choice.model.condition.every_name
        best = belief.probabilities[0].max().item()
        title = f"{names[int(belief.predicted[0])]}: {best:.1%}"
        figure = posterior_figure(
            picked.x, belief.by_pixel, levels=levels, names=names, titles=[title]
        )
        with right:
            show_figure(figure, "The belief about its label as pixels arrive", (4.0, 2.6))


def show_expectation(choice: Choice, picked: ChosenImage, cond: Tensor | None, key: str) -> None:
    """What is expected of the image at some times while its pixels arrive."""
    st.subheader("As pixels arrive")
    with st.form("expect"):
        left, right = st.columns(2)
        with left:
            draws = ask_number("Completions at each time", 1, 256, 32, f"{key}.expected")
        with right:
            seed = ask_seed(f"{key}.expected")
        is_asked = st.form_submit_button("Expect", icon=":material/visibility:")
    asked = _question(choice, picked, cond)
    if was_stopped(EXPECTING):
        st.info("Stopped; nothing new is expected.", icon=":material/stop:")
    if is_asked:
        found = working(
            EXPECTING,
            lambda tell: expectation(
                choice.model, picked.x, cond, num_times=NUM_TIMES, num_draws=draws, seed=seed,
                progress=tell,
            ),
        )  # fmt: skip
        st.session_state[EXPECTED] = (asked, found)
    known, found = st.session_state.get(EXPECTED, (None, None))
    if found is not None and known == asked:
        _show_expectation(choice, found)


def _show_expectation(choice: Choice, found: Expectation) -> None:
    frames = mark_unknown(found.mean, found.known[:, None], choice.model.num_classes)
    height, width = frames.shape[3:]
    film = _film(frames)
    left, right = st.columns([1, 3])
    left.image(film, width=FILM, caption="As a film")
    scale = screen_scale(height, width, side=LARGE)
    right.image(
        as_image(image_grid(frames[:, 0], COLOURS, columns=5, scale=scale)),
        width="stretch",
        caption="The expected image at each time; what has not arrived yet has a touch of blue",
    )
    st.download_button(
        "Film (GIF)", film, file_name=f"{choice.name}-expectation.gif", mime="image/gif",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def _film(frames: Tensor) -> bytes:
    """Images (T, 1, 3, H, W) as a GIF."""
    scale = screen_scale(*frames.shape[3:], side=FILM)
    return gif_bytes(
        [image_grid(each, COLOURS, scale=scale, pad=0) for each in frames], milliseconds=300
    )
