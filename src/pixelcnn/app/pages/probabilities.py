"""The page that asks how probable: an image, its pixels, and one sub-pixel of it."""

from dataclasses import dataclass
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.pages.image_queries import show_expectation, show_image_maps
from pixelcnn.app.tasks import was_stopped, working
from pixelcnn.app.widgets.canvas import point
from pixelcnn.app.widgets.controls import ask_number, ask_seed, remembered
from pixelcnn.app.widgets.display import as_code, show_figure, telling
from pixelcnn.app.widgets.image_picker import ChosenImage, ask_condition_of, ask_image
from pixelcnn.app.widgets.mask import ask_missing
from pixelcnn.charts.distribution import levels_figure
from pixelcnn.inference import LevelEstimate, conditional, marginal

KEY = "set.ask"
FOUND = "ask.levels"
AUTO = "automatic"
MARGINAL, CONDITIONAL = "The marginal", "The conditional"
METHODS = [AUTO, "exact", "importance", "smc", "gibbs"]
ALL_OTHERS, SOME = "all other pixels", "a part of the image"


@dataclass(frozen=True)
class Answer:
    """What was asked about one sub-pixel, by which model, and what was found, by title."""

    name: str
    asked: str
    level: int
    found: dict[str, LevelEstimate]


def show(choice: Choice, models: Models) -> None:
    """An image, the map of its bits, the belief about its label, and one sub-pixel of it."""
    with telling():
        picked = ask_image(choice, f"{KEY}.{choice.name}")
        if picked is None:
            return
        cond = ask_condition_of(picked, choice, KEY)
        left, right = st.columns(2)
        with left:
            st.subheader("One pixel")
            site = _ask_site(choice, picked)
            wish = _ask_question(choice, picked)
            if wish is not None:
                _ask(choice, picked, site, cond, wish)
            for what in (MARGINAL, CONDITIONAL):
                if was_stopped(what):
                    st.info(f"{what} was stopped; nothing new was found.", icon=":material/stop:")
        with right:
            if FOUND in st.session_state:
                _show_levels(st.session_state[FOUND])
        show_image_maps(choice, picked, cond)
        show_expectation(choice, picked, cond, KEY)


def _ask_site(choice: Choice, picked: ChosenImage) -> tuple[int, int, int]:
    """(channel, row, column) by a click or by numbers, which follow each other."""
    _, channels, height, width = picked.x.shape
    rows, columns = f"{KEY}.row.{height}", f"{KEY}.column.{width}"
    remembered(rows, height // 2)
    remembered(columns, width // 2)
    site = (st.session_state[rows], st.session_state[columns])
    clicked = point(picked.x, choice.model.num_classes, "site", site=site)
    if clicked is not None and clicked != site:
        st.session_state[rows], st.session_state[columns] = clicked
        st.rerun()
    left, middle, right = st.columns(3)
    with left:
        row = ask_number("Row", 0, height - 1, height // 2, rows)
    with middle:
        column = ask_number("Column", 0, width - 1, width // 2, columns)
    channel = 0
    if channels > 1:
        with right:
            channel = ask_number("Channel", 0, channels - 1, 0, f"{KEY}.channel")
    return channel, row, column


def _ask_question(choice: Choice, picked: ChosenImage) -> dict[str, Any] | None:
    """What is known, and how to find the answer, once the button is clicked."""
    given = st.selectbox("Given", [ALL_OTHERS, SOME], key=remembered(f"{KEY}.given", ALL_OTHERS))
    known = torch.ones(picked.x.shape[1:], dtype=torch.bool)
    if given == SOME:
        known = ask_missing(picked, choice.model.num_classes, f"{KEY}.missing")
    with st.form("ask"):
        left, middle, right = st.columns(3)
        method = left.selectbox(
            "Method", METHODS, key=remembered(f"{KEY}.method", AUTO),
            help="Automatic is exact if that can be, else smc.",
        )  # fmt: skip
        with middle:
            draws = ask_number("Draws", 2, 20_000, 500, f"{KEY}.draws", help="For the marginal.")
        with right:
            seed = ask_seed(KEY)
        is_asked = st.form_submit_button("Ask", type="primary", icon=":material/help:")
    if not is_asked:
        return None
    return {
        "given": given,
        "known": known,
        "method": None if method == AUTO else method,
        "draws": draws,
        "seed": seed,
    }


def _ask(
    choice: Choice,
    picked: ChosenImage,
    site: tuple[int, int, int],
    cond: Tensor | None,
    wish: dict[str, Any],
) -> None:
    model, seed = choice.model, wish["seed"]
    known = wish["known"].clone()
    known[site] = False  # what is asked about is no part of what is given
    shape = (picked.x.shape[1], picked.x.shape[2], picked.x.shape[3])
    told = {"cond": cond, "seed": seed}
    alone = working(
        MARGINAL,
        lambda tell: marginal(
            model, site, num_draws=wish["draws"], shape=shape, progress=tell, **told
        ),
    )
    found = working(
        CONDITIONAL,
        lambda tell: conditional(
            model, site, given=picked.x, known=known, method=wish["method"], progress=tell, **told
        ),
    )
    words = f"channel {site[0]}, row {site[1]}, column {site[2]} of {picked.title}"
    estimates = {"marginal: nothing is known": alone.averaged, f"given {wish['given']}": found}
    st.session_state[FOUND] = Answer(choice.name, words, int(picked.x[0][site]), estimates)


def _show_levels(answer: Answer) -> None:
    st.markdown(f"**{answer.asked}**, whose level is **{answer.level}**, by {as_code(answer.name)}")
    titles = {f"{title} ({each.method})": each for title, each in answer.found.items()}
    size = (4.4, 2.2 * len(titles))
    show_figure(levels_figure(titles), "Probability of each level, with 95 % intervals", size)
    rows = []
    for title, each in answer.found.items():
        low, high = each.interval()
        error = "exact" if each.is_exact else f"{low[answer.level]:.4f} … {high[answer.level]:.4f}"
        rows.append(
            {
                "": title,
                f"p(level {answer.level})": f"{each.probabilities[answer.level]:.4f}",
                "95 %": error,
                "ESS": "∞" if each.is_exact else f"{each.ess:.0f}",
            }
        )
        for sentence in each.warnings:
            st.warning(f"{title}: {sentence}")
    st.table(rows, border="horizontal", hide_index=True)
