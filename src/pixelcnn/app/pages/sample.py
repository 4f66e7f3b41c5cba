"""The page that draws images as they grow."""

import time

import streamlit as st

from pixelcnn.app.background import watch_steps
from pixelcnn.app.models import Choice, Models
from pixelcnn.app.sampling import SamplingProgress, SamplingRequest, drawing
from pixelcnn.app.widgets.conditions import ask_condition, one_for_each
from pixelcnn.app.widgets.controls import ask_number, ask_sampling, ask_seed, ask_size
from pixelcnn.app.widgets.display import as_code, in_words, show_images, telling
from pixelcnn.app.widgets.downloads import film_file, grid_file, levels_file, separate_files
from pixelcnn.plots import as_image, image_grid, screen_scale
from pixelcnn.walk import SamplingOptions

DRAWN = "draw.result"
MOST_IMAGES = 256
GRID_SIDE = 64


def show(choice: Choice, models: Models) -> None:
    """Controls, the images as they grow, then the images with their bits and as files."""
    with telling():
        wish = _ask(choice)
        if wish is not None:
            _draw(choice, wish)
    if DRAWN in st.session_state:
        with telling():
            _show_result(st.session_state[DRAWN])


def _ask(choice: Choice) -> SamplingRequest | None:
    """What shall be drawn, once "Draw" is clicked."""
    model, key = choice.model, f"set.draw.{choice.name}"
    # In a form, so that moving a slider does not stop a drawing under way.
    with st.form("draw", border=True):
        left, middle, right = st.columns(3)
        with left:
            count = ask_number("Images", 1, MOST_IMAGES, 16, "set.draw.count")
        with middle:
            conditions = ask_condition(model, key, in_turn=True)
        with right:
            seed = ask_seed("set.draw")
        filters = ask_sampling(model, key)
        with st.expander("Size"):
            shape = ask_size(model, key)
        is_asked = st.form_submit_button("Draw", type="primary", icon=":material/brush:")
    if not is_asked:
        return None
    cond = one_for_each(conditions, count, shape)
    return SamplingRequest(count, SamplingOptions(cond=cond, seed=seed, shape=shape, **filters))


def _draw(choice: Choice, wish: SamplingRequest) -> None:
    """Draws, and shows every row. "Stop", as any other click, ends it; what is drawn is kept."""
    # Before the first word to the browser, so that an early click finds what it stopped.
    st.session_state[DRAWN] = SamplingProgress(choice, wish)
    bar = st.progress(0.0, "Drawing …")
    stop, preview = st.empty(), st.empty()
    stop.button("Stop", icon=":material/stop:", key="draw.stop")
    scale = screen_scale(*wish.shape[1:], side=GRID_SIDE)
    began = time.monotonic()

    def grow(newest: SamplingProgress | None) -> None:
        if newest is not None:
            st.session_state[DRAWN] = newest
        drawn: SamplingProgress = st.session_state[DRAWN]
        seconds = time.monotonic() - began
        bar.progress(drawn.done, f"{in_words(seconds)}, {_left(drawn)}")
        if newest is not None:
            grid = image_grid(drawn.images, choice.model.num_classes, scale=scale)
            preview.image(as_image(grid))

    try:
        watch_steps(drawing(choice, wish), grow)
    except Exception:
        st.session_state.pop(DRAWN)
        raise
    finally:
        for each in (bar, stop, preview):
            each.empty()


def _left(drawn: SamplingProgress) -> str:
    if drawn.is_whole:
        return "measuring bits"
    return f"{in_words(drawn.seconds_left)} left" if drawn.frames else "waiting for the first row"


def _show_result(drawn: SamplingProgress) -> None:
    if not drawn.frames:
        st.info(f"{as_code(drawn.choice.name)}: {drawn.stopped}.", icon=":material/stop:")
        return
    model = drawn.choice.model
    count = len(drawn.images)
    stopped = f", {drawn.stopped}" if drawn.stopped else ""
    st.markdown(
        f"**{count} image{'s' * (count > 1)}** by {as_code(drawn.choice.name)} in "
        f"**{in_words(drawn.seconds)}**{stopped}; seed {drawn.wish.options.seed}, temperature "
        f"{drawn.wish.options.temperature:g}."
    )
    captions = [""] * count if drawn.bits is None else [f"{bits:.1f} bits" for bits in drawn.bits]
    show_images(drawn.images, model.num_classes, captions)
    _offer(drawn)


def _offer(drawn: SamplingProgress) -> None:
    """Files, made when they are asked for."""
    levels, x, notes = drawn.choice.model.num_classes, drawn.images, drawn.notes
    kind, cond = drawn.choice.model.condition.kind, drawn.wish.cond
    files = {
        "Grid (PNG)": ("grid.png", "image/png", lambda: grid_file(x, levels, notes)),
        "Each (PNG)": ("images.zip", "application/zip", lambda: separate_files(x, levels, notes)),
        "Growth (GIF)": ("growth.gif", "image/gif", lambda: film_file(drawn.frames, levels)),
        "Levels (npz)": (
            "images.npz",
            "application/octet-stream",
            lambda: levels_file(x, levels, notes, kind, cond),
        ),
    }
    with st.container(horizontal=True):
        for label, (name, mime, make) in files.items():
            st.download_button(
                label,
                make,
                file_name=f"{drawn.choice.name}-{name}",
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
            )
