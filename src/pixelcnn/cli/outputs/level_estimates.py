"""Estimates of one sub-pixel, as a table, a picture and words."""

import csv
from collections.abc import Mapping
from pathlib import Path

from pixelcnn.charts.distribution import levels_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.files import atomic_write
from pixelcnn.inference import LevelEstimate

LEVELS_FILE = "levels.csv"
PICTURE_FILE = "levels.png"
LISTED = 6


def write_levels(out: Path, estimates: Mapping[str, LevelEstimate]) -> None:
    """Writes `levels.csv` and `levels.png` into a folder, each whole or not at all."""
    with atomic_write(out / LEVELS_FILE) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["method", "level", "probability", "stderr", "low_95", "high_95"])
        for title, estimate in estimates.items():
            low, high = estimate.interval()
            columns = (estimate.probabilities, estimate.stderr, low, high)
            for level, figures in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
                table.writerow([title, level, *(f"{figure:.8g}" for figure in figures)])
    save_figure(levels_figure(estimates), out / PICTURE_FILE)


def describe_estimate(title: str, estimate: LevelEstimate, *, with_diagnostics: bool = True) -> str:
    """The most probable levels with their standard errors, the method, and every warning."""
    best = estimate.probabilities.argsort(descending=True, stable=True)[:LISTED].tolist()
    levels = ", ".join(
        f"{level}: {estimate.probabilities[level]:.4f}"
        + ("" if estimate.is_exact else f" ± {estimate.stderr[level]:.4f}")
        for level in best
    )
    lines = [f"{title}: {levels}"]
    if with_diagnostics:
        figures = {} if estimate.is_exact else {"effective draws": estimate.ess}
        figures |= estimate.diagnostics
        told = [describe_diagnostic(name, figure) for name, figure in figures.items()]
        lines += [f"  {', '.join(told)}"] if told else []
    lines += [f"  WARNING: {sentence}" for sentence in estimate.warnings]
    return "\n".join(lines)


def describe_diagnostic(name: str, figure: float) -> str:
    """A diagnostic with its name and unit.

    Example:
        >>> describe_diagnostic("log_evidence", -3.6e-08), describe_diagnostic("r_hat", 1.00123)
        ('log evidence 0.0000 nats', 'r hat 1.001')
    """
    if name == "log_evidence":
        return f"log evidence {round(figure, 4) + 0.0:.4f} nats"  # + 0.0: no minus before a zero
    return f"{name.replace('_', ' ')} {figure:.4g}"
