"""The page about a model: what it is, how good it is, and what was proved of it."""

import streamlit as st

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.widgets.display import CURVES, figure_in_words, plain, show_figure, tell, telling
from pixelcnn.charts.curves import curves_figure
from pixelcnn.checkpoint import fingerprint
from pixelcnn.errors import PixelCNNError
from pixelcnn.runs import CONFIG_FILE, figures_of, history_of, run_folder
from pixelcnn.verification.checks import Line, read_report, report_path


def show(choice: Choice, models: Models) -> None:
    """Configuration, certificate, figures with their protocol, model card, curves."""
    with telling():
        model, card = choice.model, choice.card
        st.subheader("Model")
        field = model.receptive_field()
        seen = "all of the past" if field.sees_all_past else f"{field.rows_above} rows above"
        size = "any" if model.image_size is None else "×".join(map(str, model.image_size))
        _table(
            {
                "architecture": model.name,
                "weights": f"{model.num_parameters:,}",
                "images": f"{size}, {model.in_channels} channel(s), {model.num_classes} levels",
                "likelihood": model.likelihood.name,
                "told": "nothing" if model.condition.is_none else model.condition.describe(),
                "sees": seen,
                "fingerprint": fingerprint(model),
                "file": choice.file.name,
            }
        )
        _show_figures(choice)
        _show_certificate(choice)
        _show_curves(choice)
        st.subheader("Configuration")
        folder = run_folder(choice.file)
        if folder is not None:
            st.code((folder / CONFIG_FILE).read_text(encoding="utf-8"), language="yaml")
        else:
            st.json({k: v for k, v in card["config"].items() if v is not None})
        st.subheader("Model card")
        st.json({k: v for k, v in card.items() if k != "config"}, expanded=1)


def _show_figures(choice: Choice) -> None:
    st.subheader("Figures")
    figures = figures_of(choice.file)
    if not figures:
        st.info("Nothing was measured: `pixelcnn evaluate` does it.")
        return
    others = {name: value for name, value in figures.items() if name != "protocol"}
    st.markdown(f"Protocol: {plain(figures.get('protocol', 'not stated'))}")
    _table({name.replace("_", " "): figure_in_words(value) for name, value in others.items()})


def _show_certificate(choice: Choice) -> None:
    st.subheader("Certificate")
    path = report_path(choice.file)
    if not path.exists():
        st.info("None: `pixelcnn verify` proves what the likelihood stands on.")
        return
    try:
        certificate = read_report(path)
    except PixelCNNError as error:
        tell(error)
        return
    if not certificate.is_of(choice.model):
        st.warning("It is of other weights. Make it again with `pixelcnn verify`.")
        return
    failed = ", ".join(certificate.failed)
    held = "Every line holds." if certificate.passed else f"Failed: {plain(failed)}."
    (st.success if certificate.passed else st.error)(f"{held} Made {plain(certificate.made)}.")
    st.markdown("\n".join(map(_line, certificate.lines)))


def _line(line: Line) -> str:
    """One line of a certificate as an entry of a list, which no screen is too narrow for."""
    held, sign = ("✓" if line.passed else "✗"), ("≥" if line.is_least else "≤")
    sample = " (a sample)" if line.is_sample else ""
    return (
        f"* {held} **{plain(line.name)}**: {plain(line.claim)} "
        f"**{line.figure:.3g}** {sign} {line.limit:.3g}; "
        f":gray[looked at {plain(line.looked_at)}{sample}]"
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
    shown = {name: plain(fact) for name, fact in facts.items()}
    st.table(shown, border="horizontal", hide_header=True)
