"""Estimates of one sub-pixel, as a table, a figure and text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pixelcnn.charts.distribution import levels_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.cli.outputs.console import write_table
from pixelcnn.inference import LevelEstimate

TABLE_FILE = "levels.csv"
FIGURE_FILE = "levels.png"
LISTED = 6
HEADS = ("method", "level", "probability", "stderr", "low_95", "high_95")


def write_levels(out: Path, estimates: Mapping[str, LevelEstimate]) -> tuple[Path, Path]:
    """Writes the table and the figure into a folder, each complete or not at all; their paths."""
    table, figure = out / TABLE_FILE, out / FIGURE_FILE
    write_table(table, HEADS, _level_rows(estimates))
    save_figure(levels_figure(estimates), figure)
    return table, figure


def _level_rows(estimates: Mapping[str, LevelEstimate]) -> Iterator[tuple[object, ...]]:
    for title, estimate in estimates.items():
        low, high = estimate.interval()
        columns = (estimate.probabilities, estimate.stderr, low, high)
        for level, values in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
            yield title, level, *(f"{value:.8g}" for value in values)


def describe_estimate(
    title: str, estimate: LevelEstimate, *, with_diagnostics: bool = True
) -> list[str]:
    """The most probable levels with their standard errors, the diagnostics and every warning."""
    best = estimate.probabilities.argsort(descending=True, stable=True)[:LISTED].tolist()
    levels = ", ".join(
        f"{level}: {estimate.probabilities[level]:.4f}"
        + ("" if estimate.is_exact else f" ± {estimate.stderr[level]:.4f}")
        for level in best
    )
    lines = [f"{title}: {levels}"]
    if with_diagnostics:
        values = {} if estimate.is_exact else {"ess": estimate.ess}
        values |= estimate.diagnostics
        texts = [describe_diagnostic(name, value) for name, value in values.items()]
        lines += [f"  {', '.join(texts)}"] if texts else []
    return [*lines, *warning_lines(estimate.warnings)]


def warning_lines(warnings: Iterable[str]) -> list[str]:
    """A line for each reason why an estimate is unreliable, with options as they are typed.

    Example:
        >>> warning_lines(["Use more `num_sweeps`, or 'smc'."])
        ['  Use more `--num-sweeps`, or `--method smc`.']
    """
    lines = []
    for warning in warnings:
        typed = re.sub(r"`(num_\w+)`", lambda m: f"`--{m[1].replace('_', '-')}`", warning)
        typed = re.sub(r"'(exact|importance|smc|gibbs|raster)'", r"`--method \1`", typed)
        lines.append(f"  {typed}")
    return lines


def describe_diagnostic(name: str, value: float) -> str:
    """A diagnostic with its name and unit.

    Example:
        >>> describe_diagnostic("log_evidence", -3.6e-08), describe_diagnostic("r_hat", 1.00123)
        ('log evidence 0.0000 nats', 'R-hat 1.001')
    """
    if name == "log_evidence":
        return f"log evidence {round(value, 4) + 0.0:.4f} nats"  # + 0.0: no minus before a zero
    title = {"ess": "ESS", "r_hat": "R-hat"}.get(name, name.replace("_", " "))
    return f"{title} {value:.4g}"
