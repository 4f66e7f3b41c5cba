"""The page that compares models: samples from the same noise, metrics and training curves."""

from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st

from pixelcnn.app.background import run_steps
from pixelcnn.app.models import Choice, Models, first_readable
from pixelcnn.app.sampling import SamplingProgress, SamplingRequest, sampling_steps
from pixelcnn.app.widgets.conditions import condition_input, condition_per_image
from pixelcnn.app.widgets.controls import number_input, remember, seed_input
from pixelcnn.app.widgets.display import (
    CURVES,
    format_metric,
    format_seconds,
    plain,
    show_figure,
    showing_errors,
)
from pixelcnn.charts.curves import compared_curves
from pixelcnn.errors import ConfigError
from pixelcnn.plots import as_image, image_grid, screen_scale
from pixelcnn.runs import history_of, recorded_metrics
from pixelcnn.walk import SamplingOptions

KEY = "set.compare"
FOUND = "compare.result"
MAX_IMAGES = 64
SIDE = 96
METRICS = ("nll_nats", "bits_per_dim", "perplexity", "fid", "label_accuracy", "num_images", "split")


def show(choice: Choice, models: Models) -> None:
    """Two or more models: samples from the same noise, metrics, and training curves."""
    with showing_errors():
        chosen = _open_all(_model_input(choice, models), models)
        if len(chosen) < 2:
            raise ConfigError("Choose two models or more.")
        requests = _request_form(chosen)
        if requests is not None:
            _sample(chosen, requests)
        samples: Sequence[SamplingProgress] = st.session_state.get(FOUND, ())
        if [each.choice for each in samples] == chosen:
            for column, each in zip(st.columns(len(samples)), samples, strict=True):
                with column:
                    _show_samples(each)
        _show_metrics(chosen)
        _show_curves(chosen)


def _model_input(choice: Choice, models: Models) -> list[str]:
    others = {name: file for name, file in models.files.items() if name != choice.name}
    first = [choice.name, *([first_readable(others)] if others else [])]
    return st.multiselect("Models", list(models.files), key=remember(f"{KEY}.models", first))


def _open_all(names: Sequence[str], models: Models) -> list[Choice]:
    """The models that can be opened; shows why others cannot."""
    opened = []
    for name in names:
        with showing_errors():
            opened.append(models.open(name))
    return opened


def _request_form(chosen: Sequence[Choice]) -> list[SamplingRequest] | None:
    """The request for each model, once the button is clicked."""
    with st.form("compare"):
        left, middle, right = st.columns(3)
        with left:
            count = number_input("Images", 1, MAX_IMAGES, 16, f"{KEY}.count")
        with middle:
            seed = seed_input(KEY)
        with right:
            temperature = st.slider(
                "Temperature", 0.1, 2.0, step=0.05, key=remember(f"{KEY}.temperature", 1.0)
            )
        conditions = []
        for column, each in zip(st.columns(len(chosen)), chosen, strict=True):
            with column:
                st.caption(plain(each.name))
                conditions.append(condition_input(each.model, f"{KEY}.{each.name}", in_turn=True))
        is_submitted = st.form_submit_button("Sample", type="primary", icon=":material/brush:")
    if not is_submitted:
        return None
    requests = []
    for each, conds in zip(chosen, conditions, strict=True):
        shape = each.spec.shape
        cond = condition_per_image(conds, count, shape)
        options = SamplingOptions(temperature, cond=cond, seed=seed, shape=shape)
        requests.append(SamplingRequest(count, options))
    return requests


def _sample(chosen: Sequence[Choice], requests: Sequence[SamplingRequest]) -> None:
    """Samples from one model after another; finished rows stay if it is stopped."""
    # Before the first message to the browser, so that an early click finds the requests.
    begun = st.session_state[FOUND] = [
        SamplingProgress(*each) for each in zip(chosen, requests, strict=True)
    ]
    bar, stop = st.progress(0.0, "Sampling …"), st.empty()
    stop.button("Stop", icon=":material/stop:", key="compare.stop")
    places = [column.empty() for column in st.columns(len(chosen))]

    def grow(newest: list[SamplingProgress] | None) -> None:
        samples = st.session_state[FOUND]
        if newest is not None:
            for place, before, each in zip(places, samples, newest, strict=True):
                if each is not before:
                    place.image(as_image(_grid(each)), width="stretch")
            samples = st.session_state[FOUND] = newest
        share = sum(each.done for each in samples) / len(samples)
        now = next((each.choice.name for each in samples if each.bits is None), "")
        bar.progress(
            share, f"{plain(now)}: {format_seconds(sum(each.seconds for each in samples))}"
        )

    try:
        run_steps(_all_steps(begun), grow)
    except Exception:
        st.session_state.pop(FOUND)
        raise
    finally:
        for each in (bar, stop, *places):
            each.empty()


def _all_steps(begun: Sequence[SamplingProgress]) -> Iterator[list[SamplingProgress]]:
    """Yields the samples of all models so far."""
    samples = list(begun)
    for number, each in enumerate(begun):
        for samples[number] in sampling_steps(each.choice, each.request):
            yield list(samples)


def _grid(samples: SamplingProgress) -> Any:
    scale = screen_scale(*samples.request.shape[1:], side=SIDE)
    return image_grid(samples.images, samples.choice.model.num_classes, scale=scale)


def _show_samples(samples: SamplingProgress) -> None:
    st.markdown(f"**{plain(samples.choice.name)}**")
    if samples.stopped:
        st.info(f"{samples.stopped}.".capitalize(), icon=":material/stop:")
    if not samples.frames:
        return
    st.image(as_image(_grid(samples)), width="stretch")
    bits = "" if samples.bits is None else f", mean {samples.bits.mean():.1f} bits"
    st.caption(f"{len(samples.images)} images in {format_seconds(samples.seconds)}{bits}")


def _show_metrics(chosen: Sequence[Choice]) -> None:
    """One column per model, which fits a phone."""
    st.subheader("Metrics")
    metrics = [recorded_metrics(each.file) for each in chosen]
    protocols = [str(each.get("protocol", "–")) for each in metrics]
    rows = {"weights": [f"{each.model.num_parameters:,}" for each in chosen]}
    for name in METRICS:
        rows[name.replace("_", " ")] = [format_metric(each.get(name)) for each in metrics]
    rows["protocol"] = protocols
    names = [plain(each.name) for each in chosen]
    table = [
        {"": title, **dict(zip(names, map(plain, cells), strict=True))}
        for title, cells in rows.items()
        if set(cells) != {"–"}
    ]
    st.table(table, border="horizontal", hide_index=True)
    if len(set(protocols)) > 1:
        st.info("The protocols differ: these metrics are not comparable.")


def _show_curves(chosen: Sequence[Choice]) -> None:
    histories = {each.name: history_of(each.file) for each in chosen}
    sizes = {each.spec.num_dims for each in chosen if histories[each.name]}
    if not sizes:
        return
    st.subheader("Training")
    if len(sizes) > 1:
        st.info("The images differ in size, so the nats are not comparable.")
        return
    show_figure(compared_curves(histories, num_dims=sizes.pop()), "NLL by epoch", CURVES)
