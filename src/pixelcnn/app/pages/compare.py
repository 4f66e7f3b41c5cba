"""The page that sets models side by side: drawn by the same noise, with figures and curves."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st

from pixelcnn.app.background import watch_steps
from pixelcnn.app.models import Choice, Models, first_sound
from pixelcnn.app.sampling import SamplingProgress, SamplingRequest, drawing
from pixelcnn.app.widgets.conditions import ask_condition, one_for_each
from pixelcnn.app.widgets.controls import ask_number, ask_seed, remembered
from pixelcnn.app.widgets.display import (
    CURVES,
    figure_in_words,
    in_words,
    plain,
    show_figure,
    telling,
)
from pixelcnn.charts.curves import compared_curves
from pixelcnn.errors import ConfigError
from pixelcnn.plots import as_image, image_grid, screen_scale
from pixelcnn.runs import figures_of, history_of
from pixelcnn.walk import SamplingOptions

KEY = "set.compare"
FOUND = "compare.result"
MOST_IMAGES = 64
SIDE = 96
SHOWN = ("nll_nats", "bits_per_dim", "perplexity", "fid", "label_accuracy", "num_images", "split")


def show(choice: Choice, models: Models) -> None:
    """Two or more models: images of the same noise, what was measured, and how they learned."""
    with telling():
        chosen = _open_all(_ask_models(choice, models), models)
        if len(chosen) < 2:
            raise ConfigError("Choose two models or more.")
        wishes = _ask(chosen)
        if wishes is not None:
            _draw(chosen, wishes)
        drawn: Sequence[SamplingProgress] = st.session_state.get(FOUND, ())
        if [each.choice for each in drawn] == chosen:
            for column, each in zip(st.columns(len(drawn)), drawn, strict=True):
                with column:
                    _show_drawn(each)
        _show_figures(chosen)
        _show_curves(chosen)


def _ask_models(choice: Choice, models: Models) -> list[str]:
    others = {name: file for name, file in models.files.items() if name != choice.name}
    first = [choice.name, *([first_sound(others)] if others else [])]
    return st.multiselect("Models", list(models.files), key=remembered(f"{KEY}.models", first))


def _open_all(names: Sequence[str], models: Models) -> list[Choice]:
    """Those that can be opened; of the others it is said why not."""
    opened = []
    for name in names:
        with telling():
            opened.append(models.open(name))
    return opened


def _ask(chosen: Sequence[Choice]) -> list[SamplingRequest] | None:
    """What shall be drawn by each, once the button is clicked."""
    with st.form("compare"):
        left, middle, right = st.columns(3)
        with left:
            count = ask_number("Images", 1, MOST_IMAGES, 16, f"{KEY}.count")
        with middle:
            seed = ask_seed(KEY)
        with right:
            temperature = st.slider(
                "Temperature", 0.1, 2.0, step=0.05, key=remembered(f"{KEY}.temperature", 1.0)
            )
        conditions = []
        for column, each in zip(st.columns(len(chosen)), chosen, strict=True):
            with column:
                st.caption(plain(each.name))
                conditions.append(ask_condition(each.model, f"{KEY}.{each.name}", in_turn=True))
        is_asked = st.form_submit_button("Draw", type="primary", icon=":material/brush:")
    if not is_asked:
        return None
    requests = []
    for each, conds in zip(chosen, conditions, strict=True):
        shape = _shape(each)
        options = SamplingOptions(
            temperature, cond=one_for_each(conds, count, shape), seed=seed, shape=shape
        )
        requests.append(SamplingRequest(count, options))
    return requests


def _shape(choice: Choice) -> tuple[int, int, int]:
    height, width = choice.model.image_size or (32, 32)
    return choice.model.in_channels, height, width


def _draw(chosen: Sequence[Choice], wishes: Sequence[SamplingRequest]) -> None:
    """Draws with one model after another; what is drawn stays if it is stopped."""
    # Before the first word to the browser, so that an early click finds what it stopped.
    st.session_state[FOUND] = [SamplingProgress(*each) for each in zip(chosen, wishes, strict=True)]
    bar, stop = st.progress(0.0, "Drawing …"), st.empty()
    stop.button("Stop", icon=":material/stop:", key="compare.stop")
    places = [column.empty() for column in st.columns(len(chosen))]

    def grow(newest: tuple[int, SamplingProgress] | None) -> None:
        drawn = st.session_state[FOUND]
        if newest is not None:
            number, each = newest
            drawn[number] = each
            places[number].image(as_image(_grid(each)), width="stretch")
        share = sum(each.done for each in drawn) / len(drawn)
        now = next((each.choice.name for each in drawn if each.bits is None), "")
        bar.progress(share, f"{plain(now)}: {in_words(sum(each.seconds for each in drawn))}")

    try:
        watch_steps(_drawing_all(chosen, wishes), grow)
    except Exception:
        st.session_state.pop(FOUND)
        raise
    finally:
        for each in (bar, stop, *places):
            each.empty()


def _drawing_all(
    chosen: Sequence[Choice], wishes: Sequence[SamplingRequest]
) -> Iterator[tuple[int, SamplingProgress]]:
    """Yields the number of a model, and what it has drawn by now."""
    for number, (choice, wish) in enumerate(zip(chosen, wishes, strict=True)):
        for drawn in drawing(choice, wish):
            yield number, drawn


def _grid(drawn: SamplingProgress) -> Any:
    scale = screen_scale(*drawn.wish.shape[1:], side=SIDE)
    return image_grid(drawn.images, drawn.choice.model.num_classes, scale=scale)


def _show_drawn(drawn: SamplingProgress) -> None:
    st.markdown(f"**{plain(drawn.choice.name)}**")
    if drawn.stopped:
        st.info(f"{drawn.stopped}.".capitalize(), icon=":material/stop:")
    if not drawn.frames:
        return
    st.image(as_image(_grid(drawn)), width="stretch")
    bits = "" if drawn.bits is None else f", mean {drawn.bits.mean():.1f} bits"
    st.caption(f"{len(drawn.images)} images in {in_words(drawn.seconds)}{bits}")


def _show_figures(chosen: Sequence[Choice]) -> None:
    """A column for each model, so that it fits a phone."""
    st.subheader("Figures")
    figures = [figures_of(each.file) for each in chosen]
    protocols = [str(each.get("protocol", "–")) for each in figures]
    rows = {"weights": [f"{each.model.num_parameters:,}" for each in chosen]}
    for name in SHOWN:
        rows[name.replace("_", " ")] = [figure_in_words(each.get(name)) for each in figures]
    rows["protocol"] = protocols
    names = [plain(each.name) for each in chosen]
    table = [
        {"": title, **dict(zip(names, map(plain, cells), strict=True))}
        for title, cells in rows.items()
        if set(cells) != {"–"}
    ]
    st.table(table, border="horizontal", hide_index=True)
    if len(set(protocols)) > 1:
        st.info("The protocols differ: these figures are not to be compared with each other.")


def _show_curves(chosen: Sequence[Choice]) -> None:
    histories = {each.name: history_of(each.file) for each in chosen}
    sizes = {math.prod(_shape(each)) for each in chosen if histories[each.name]}
    if not sizes:
        return
    st.subheader("Training")
    if len(sizes) > 1:
        st.info("Their images differ in size, so that their nats are not to be compared.")
        return
    show_figure(compared_curves(histories, num_dims=sizes.pop()), "NLL by epoch", CURVES)
