"""The page of probabilities: of an image, its pixels, and one sub-pixel."""

from dataclasses import dataclass
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.tasks import run_task, was_stopped
from pixelcnn.app.views.image_queries import show_expectation, show_image_maps
from pixelcnn.app.widgets.canvas import point
from pixelcnn.app.widgets.controls import number_input, remember, seed_input
from pixelcnn.app.widgets.display import as_code, show_figure, showing_errors
from pixelcnn.app.widgets.image_picker import ChosenImage, image_condition_input, image_input
from pixelcnn.app.widgets.mask import mask_input
from pixelcnn.charts.distribution import levels_figure
from pixelcnn.inference import LevelEstimate, conditional, marginal

KEY = "set.query"
FOUND = "query.levels"
AUTO = "automatic"
MARGINAL, CONDITIONAL = "The marginal", "The conditional"
METHODS = [AUTO, "exact", "importance", "smc", "gibbs"]
ALL_OTHERS, SOME = "all other pixels", "a part of the image"


@dataclass(frozen=True)
class Answer:
    """Estimates for one sub-pixel, by title, with the model's name and the query in words."""

    name: str
    query: str
    level: int
    found: dict[str, LevelEstimate]


def show(choice: Choice, models: Models) -> None:
    """An image, one sub-pixel of it, the map of its bits, and the posterior of its label."""
    with showing_errors():
        picked = image_input(choice, f"{KEY}.{choice.name}")
        if picked is None:
            return
        cond = image_condition_input(picked, choice, KEY)
        left, right = st.columns(2)
        with left:
            st.subheader("One pixel")
            site = _site_input(choice, picked)
            request = _query_input(choice, picked)
            if request is not None:
                _estimate(choice, picked, site, cond, request)
            for what in (MARGINAL, CONDITIONAL):
                if was_stopped(what):
                    st.info(f"{what} was stopped; no new estimate.", icon=":material/stop:")
        with right:
            if FOUND in st.session_state:
                _show_levels(st.session_state[FOUND])
        show_image_maps(choice, picked, cond)
        show_expectation(choice, picked, cond, KEY)


def _site_input(choice: Choice, picked: ChosenImage) -> tuple[int, int, int]:
    """(channel, row, column), by a click or by numbers."""
    _, channels, height, width = picked.x.shape
    rows, columns = f"{KEY}.row.{height}", f"{KEY}.column.{width}"
    remember(rows, height // 2)
    remember(columns, width // 2)
    site = (st.session_state[rows], st.session_state[columns])
    clicked = point(picked.x, choice.model.num_classes, "site", site=site)
    if clicked is not None and clicked != site:
        st.session_state[rows], st.session_state[columns] = clicked
        st.rerun()
    left, middle, right = st.columns(3)
    with left:
        row = number_input("Row", 0, height - 1, height // 2, rows)
    with middle:
        column = number_input("Column", 0, width - 1, width // 2, columns)
    channel = 0
    if channels > 1:
        with right:
            channel = number_input("Channel", 0, channels - 1, 0, f"{KEY}.channel")
    return channel, row, column


def _query_input(choice: Choice, picked: ChosenImage) -> dict[str, Any] | None:
    """The known pixels and the method, once the button is clicked."""
    given = st.selectbox("Given", [ALL_OTHERS, SOME], key=remember(f"{KEY}.given", ALL_OTHERS))
    known = torch.ones(picked.x.shape[1:], dtype=torch.bool)
    if given == SOME:
        known = mask_input(picked, choice.model.num_classes, f"{KEY}.missing")
    with st.form("query"):
        left, middle, right = st.columns(3)
        method = left.selectbox(
            "Method", METHODS, key=remember(f"{KEY}.method", AUTO),
            help="Automatic: exact where possible, else smc.",
        )  # fmt: skip
        with middle:
            draws = number_input("Draws", 2, 20_000, 500, f"{KEY}.draws", help="Of the marginal.")
        with right:
            seed = seed_input(KEY)
        is_submitted = st.form_submit_button("Estimate", type="primary", icon=":material/help:")
    if not is_submitted:
        return None
    return {
        "given": given,
        "known": known,
        "method": None if method == AUTO else method,
        "draws": draws,
        "seed": seed,
    }


def _estimate(
    choice: Choice,
    picked: ChosenImage,
    site: tuple[int, int, int],
    cond: Tensor | None,
    request: dict[str, Any],
) -> None:
    model, seed = choice.model, request["seed"]
    known = request["known"].clone()
    known[site] = False  # the target is unknown
    shape = (picked.x.shape[1], picked.x.shape[2], picked.x.shape[3])
    given = {"cond": cond, "seed": seed}
    alone = run_task(
        MARGINAL,
        lambda progress: marginal(
            model, site, num_draws=request["draws"], shape=shape, progress=progress, **given
        ),
    )
    found = run_task(
        CONDITIONAL,
        lambda progress: conditional(
            model,
            site,
            given=picked.x,
            known=known,
            method=request["method"],
            progress=progress,
            **given,
        ),
    )
    words = f"channel {site[0]}, row {site[1]}, column {site[2]} of {picked.title}"
    estimates = {"marginal": alone.averaged, f"given {request['given']}": found}
    st.session_state[FOUND] = Answer(choice.name, words, int(picked.x[0][site]), estimates)


def _show_levels(answer: Answer) -> None:
    st.markdown(f"**{answer.query}**, whose level is **{answer.level}**, by {as_code(answer.name)}")
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
