"""The page about a model: what it is, how good it is, and what was proved of it."""

from typing import Any

import streamlit as st

from pixelcnn.app.models import Choice, Models
from pixelcnn.app.show import show_figure, telling
from pixelcnn.certificate.lines import Certificate, Line, certificate_path, read_certificate
from pixelcnn.charts.curves import curves_figure
from pixelcnn.checkpoint import fingerprint
from pixelcnn.errors import PixelCNNError
from pixelcnn.runs import CONFIG_FILE, figures_of, history_of, run_folder


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
                "weights": f"{sum(weight.numel() for weight in model.parameters()):,}",
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
    plain = {name: value for name, value in figures.items() if name != "protocol"}
    st.markdown(f"Protocol: {_plain(figures.get('protocol', 'not stated'))}")
    _table({name.replace("_", " "): _in_words(value) for name, value in plain.items()})


def _show_certificate(choice: Choice) -> None:
    st.subheader("Certificate")
    path = certificate_path(choice.file)
    if not path.exists():
        st.info("None: `pixelcnn verify` proves what the likelihood stands on.")
        return
    try:
        certificate = read_certificate(path)
    except PixelCNNError as error:
        st.warning(str(error))
        return
    if not certificate.is_of(choice.model):
        st.warning("It is of other weights. Make it again with `pixelcnn verify`.")
        return
    held = "Every line holds." if certificate.passed else f"Failed: {certificate.failed}."
    (st.success if certificate.passed else st.error)(f"{held} Made {certificate.made}.")
    st.dataframe(_rows(certificate), hide_index=True)


def _rows(certificate: Certificate) -> list[dict[str, str]]:
    def row(line: Line) -> dict[str, str]:
        sign = "≥" if line.is_least else "≤"
        return {
            "line": line.name,
            "holds": "yes" if line.passed else "no",
            "claim": line.claim,
            "figure": f"{line.figure:.3g} {sign} {line.limit:.3g}",
            "looked at": line.looked_at + (" (a sample)" if line.is_sample else ""),
        }

    return [row(line) for line in certificate.lines]


def _show_curves(choice: Choice) -> None:
    history = history_of(choice.file)
    if not history:
        return
    st.subheader("Training")
    size = choice.model.image_size
    dims = None if size is None else choice.model.in_channels * size[0] * size[1]
    with st.columns([2, 1])[0]:
        show_figure(curves_figure(history, num_dims=dims), "NLL by epoch")


def _table(facts: dict[str, str]) -> None:
    st.table(facts, border="horizontal", hide_header=True)


def _in_words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list):
        return " … ".join(map(_in_words, value))
    if isinstance(value, dict):
        return "; ".join(f"{name} {_in_words(each)}" for name, each in value.items())
    return "–" if value is None else str(value)


def _plain(text: str) -> str:
    """Text of a file without the marks that Markdown would act on."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#!|$:" else sign for sign in str(text))
