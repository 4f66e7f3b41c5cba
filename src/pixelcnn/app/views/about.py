"""The page about a model: its settings, metrics, verification report and training curves."""

import streamlit as st

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.widgets.display import (
    CURVES,
    format_metric,
    plain,
    show_error,
    show_figure,
    showing_errors,
)
from pixelcnn.charts.curves import curves_figure
from pixelcnn.checkpoint import fingerprint
from pixelcnn.errors import PixelCNNError
from pixelcnn.runs import CONFIG_FILE, history_of, recorded_metrics
from pixelcnn.verification import Check, find_report, read_report


def show(choice: Choice, models: Models) -> None:
    """Metrics with their protocol, verification report, curves, configuration, model card."""
    with showing_errors():
        model, card = choice.model, choice.card
        st.subheader("Model")
        field = model.receptive_field()
        seen = field.describe()
        size = "any" if model.image_size is None else "×".join(map(str, model.image_size))
        cond = "nothing" if model.condition.is_none else model.condition.describe()
        _table(
            {
                "architecture": model.name,
                "weights": f"{model.num_parameters:,}",
                "images": f"{size}, {model.in_channels} channel(s), {model.num_classes} levels",
                "likelihood": model.likelihood.name,
                "conditioned on": cond,
                "sees": seen,
                "fingerprint": fingerprint(model),
                "file": choice.file.name,
            }
        )
        _show_metrics(choice)
        _show_verification(choice)
        _show_curves(choice)
        st.subheader("Configuration")
        if choice.folder is not None:
            config = (choice.folder / CONFIG_FILE).read_text(encoding="utf-8", errors="replace")
            st.code(config, language="yaml")
        else:
            st.json({k: v for k, v in card["config"].items() if v is not None})
        st.subheader("Model card")
        st.json({k: v for k, v in card.items() if k != "config"}, expanded=1)


def _show_metrics(choice: Choice) -> None:
    st.subheader("Metrics")
    metrics = recorded_metrics(choice.file)
    if not metrics:
        st.info("None: `pixelcnn evaluate` measures them.")
        return
    others = {name: value for name, value in metrics.items() if name != "protocol"}
    st.markdown(f"Protocol: {plain(metrics.get('protocol', 'not stated'))}")
    _table({name.replace("_", " "): format_metric(value) for name, value in others.items()})


def _show_verification(choice: Choice) -> None:
    st.subheader("Verification report")
    path = find_report(choice.file)
    if path is None:
        st.info("None: `pixelcnn verify` checks causality, caches, likelihood and sampler.")
        return
    try:
        report = read_report(path)
    except PixelCNNError as error:
        show_error(error)
        return
    if not report.is_of(choice.model):
        st.warning("It is of other weights. Make it again with `pixelcnn verify`.")
        return
    failed = ", ".join(report.failed)
    outcome = "All checks passed." if report.passed else f"Failed: {plain(failed)}."
    (st.success if report.passed else st.error)(f"{outcome} Made {plain(report.made)}.")
    st.markdown("\n".join(map(_check, report.checks)))


def _check(check: Check) -> str:
    """A check as an entry of a list, which fits a narrow screen."""
    mark, sign = ("✓" if check.passed else "✗"), ("≥" if check.is_minimum else "≤")
    sample = " (a sample)" if check.is_sample else ""
    return (
        f"* {mark} **{plain(check.name)}**: {plain(check.claim)} "
        f"**{check.value:.3g}** {sign} {check.limit:.2g}; "
        f":gray[checked at {plain(check.scope)}{sample}]"
    )


def _show_curves(choice: Choice) -> None:
    history = history_of(choice.file)
    if not history:
        return
    st.subheader("Training")
    size = choice.model.image_size
    dims = None if size is None else choice.model.in_channels * size[0] * size[1]
    show_figure(curves_figure(history, num_dims=dims), "NLL by epoch", CURVES)


def _table(facts: dict[str, str]) -> None:
    shown = {plain(name): plain(fact) for name, fact in facts.items()}
    st.table(shown, border="horizontal", hide_header=True)
