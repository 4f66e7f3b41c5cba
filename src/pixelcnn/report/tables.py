"""The tables of a report, as text in cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from pixelcnn.metrics import bits_per_dim, bootstrap_interval, perplexity
from pixelcnn.report.compare import Comparison
from pixelcnn.report.measure import NUM_TIMED, Measured
from pixelcnn.report.variant import Variant, differences

MISSING = "–"


@dataclass(frozen=True)
class Table:
    """Text in rows and columns.

    Attributes:
        title: A heading.
        head: Of the columns; the first names the rows.
        rows: Cells.
        best: Places (row, column) of the best figures of their columns.
        notes: What a reader must know, in sentences.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    best: frozenset[tuple[int, int]] = frozenset()
    notes: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True)
class Column:
    """A column of the overview.

    Attributes:
        head: Its name.
        value: The figure of a variant; None where it is not known.
        text: The cell of a figure.
        better: "low", "high", or "" where neither is.
    """

    head: str
    value: Callable[[Variant, Measured], Any]
    text: Callable[[Any], str]
    better: str = ""


def tables_of(found: Comparison) -> list[Table]:
    """All tables, in the order of the page."""
    made = [overview(found), significance(found), by_class(found), settings(found)]
    return [table for table in made if table is not None]


def overview(found: Comparison) -> Table:
    """One row for each variant."""
    columns = columns_of(found)
    values = [
        [column.value(variant, measured) for column in columns]
        for variant, measured in zip(found.variants, found.measured, strict=True)
    ]
    rows = [
        [name, *(MISSING if v is None else c.text(v) for c, v in zip(columns, row, strict=True))]
        for name, row in zip(found.names, values, strict=True)
    ]
    best: set[tuple[int, int]] = set()
    for number, column in enumerate(columns):
        known = {
            row: _first(each[number]) for row, each in enumerate(values) if each[number] is not None
        }
        if column.better:
            best |= {(row, number + 1) for row in best_of(known, column.better)}
    head = ["", *(column.head for column in columns)]
    return Table("The models", head, rows, frozenset(best), notes(found))


def best_of(values: Mapping[int, float], better: str) -> list[int]:
    """Where the best of some values are; nowhere, if all are alike.

    Example:
        >>> best_of({0: 3.0, 1: 2.0, 3: 2.0}, "low"), best_of({0: 1.0, 1: 1.0}, "high")
        ([1, 3], [])
    """
    if len(set(values.values())) < 2:
        return []
    best = min(values.values()) if better == "low" else max(values.values())
    return [place for place, value in values.items() if value == best]


def columns_of(found: Comparison) -> list[Column]:
    """The figures of the overview."""
    dims = found.images.spec.num_dims

    def judged(name: str) -> Callable[[Variant, Measured], Any]:
        return lambda variant, measured: measured.judged.figures.get(name)

    def mean(measured: Measured) -> float:
        return measured.nll.mean().item()

    def percent(share: float) -> str:
        return f"{100 * share:.1f} %"

    columns = [
        Column("architecture", lambda v, m: v.model.name, str),
        Column("parameters", lambda v, m: v.model.num_parameters, "{:,}".format),
        Column("receptive field", lambda v, m: v.num_seen or "all", _pixels),
        Column("NLL of p(x), nats", lambda v, m: _with_interval(m.nll), _interval, "low"),
        Column("bits/dim", lambda v, m: bits_per_dim(mean(m), dims), "{:.4f}".format, "low"),
        Column("perplexity", lambda v, m: perplexity(mean(m), dims), "{:.4f}".format, "low"),
        Column("NLL when told, nats", _told, _interval, "low"),
        Column("FID", judged("fid"), "{:.2f}".format, "low"),
        Column("precision", judged("precision"), percent, "high"),
        Column("recall", judged("recall"), percent, "high"),
        Column("label accuracy", judged("label_accuracy"), percent, "high"),
        Column("training, s", lambda v, m: v.training_seconds, "{:,.0f}".format, "low"),
        Column(f"drawing {NUM_TIMED}, s", lambda v, m: m.seconds_to_draw, "{:.3g}".format, "low"),
    ]
    if all(measured.nll_told is None for measured in found.measured):
        columns = [column for column in columns if column.head != "NLL when told, nats"]
    return columns


def _told(variant: Variant, measured: Measured) -> Any:
    return None if measured.nll_told is None else _with_interval(measured.nll_told)


def _with_interval(nll: torch.Tensor) -> tuple[float, float, float]:
    return (nll.mean().item(), *bootstrap_interval(nll))


def _interval(found: tuple[float, float, float]) -> str:
    mean, low, high = found
    return f"{mean:.2f} ± {(high - low) / 2:.2f}"


def _pixels(seen: int | str) -> str:
    return "all earlier" if isinstance(seen, str) else f"{seen:,} pixels"


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def notes(found: Comparison) -> list[str]:
    """What the figures of the overview depend on."""
    said = [
        f"Likelihood is that of {found.which} of: {found.protocol}. ± is half of the 95 % "
        f"bootstrap interval over images.",
    ]
    if any(measured.nll_told is not None for measured in found.measured):
        said.append(
            "All are compared by p(x): a model that knows p(x | label) alone has its labels summed "
            "out, with equal weights. What it pays when it is told stands beside it, and does not "
            "count what the label itself is worth."
        )
    drawn = found.measured[0].drawn
    protocol = found.measured[0].judged.protocol
    features, caution = protocol.get("features"), protocol.get("caution")
    if features:
        said.append(
            f"FID, precision and recall compare {len(drawn.x):,} drawn images with "
            f"{len(drawn.real):,} real ones by {features}: to be compared within this table alone. "
            f"Few images make FID larger than many would."
        )
    if caution:
        said.append(f"Caution: {caution}.")
    if len(drawn.x) < found.effort.num_generated:
        said.append(
            f"Every model drew {len(drawn.x):,} images and not {found.effort.num_generated:,}: the "
            f"slowest would have needed more than {found.effort.draw_seconds:.0f} s."
        )
    said += reasons_of(found)
    said.append("Seconds to draw are of this machine; training seconds are those of each run.")
    return said


def reasons_of(found: Comparison) -> list[str]:
    """Why figures of the overview are missing, in sentences."""
    missing: dict[tuple[str, str], list[str]] = {}
    for variant, measured in zip(found.variants, found.measured, strict=True):
        for name in ("fid", "precision", "recall", "label_accuracy"):
            if (reason := measured.judged.not_measured.get(name)) is not None:
                missing.setdefault((name, reason), []).append(variant.name)
    figures: dict[tuple[str, str], list[str]] = {}
    for (name, reason), names in missing.items():
        words = name.replace("_", " ").replace("fid", "FID")
        figures.setdefault((", ".join(names), reason), []).append(words)
    return [
        f"Not measured: {', '.join(words)} of {names}: {reason}."
        for (names, reason), words in figures.items()
    ]


def significance(found: Comparison) -> Table | None:
    """What each variant pays more than each other."""
    if len(found.variants) < 2:
        return None
    count = range(len(found.variants))
    cells, clear = [], set()
    for one in count:
        row = [found.names[one]]
        for other in count:
            if one == other:
                row.append(MISSING)
                continue
            gap = found.difference(one, other)
            low, high = gap.interval
            row.append(f"{gap.nats:+.2f} ({low:+.2f} … {high:+.2f})")
            if gap.is_significant and gap.nats < 0:
                clear.add((one, other + 1))
        cells.append(row)
    head = ["pays more than …", *found.names]
    said = [
        "Nats per image that the model of the row pays more for p(x) than that of the column, by a "
        "paired bootstrap over the same test images. The intervals hold all together with 95 % "
        "(Bonferroni); marked where the model of the row is better beyond them. They say what "
        "other test images would change, not what another training would."
    ]
    return Table("Are the differences real?", head, cells, frozenset(clear), said)


def by_class(found: Comparison) -> Table | None:
    """NLL of the images of each class, and how often drawn ones are of the class told."""
    labels = found.images.labels
    if labels is None:
        return None
    classes = labels.unique(sorted=True).tolist()
    names = found.label_names or tuple(map(str, range(max(classes) + 1)))
    told = [
        (variant.name, measured)
        for variant, measured in zip(found.variants, found.measured, strict=True)
        if measured.right is not None
    ]
    rows: list[list[str]] = []
    best: set[tuple[int, int]] = set()
    for row, label in enumerate(classes):
        means = [measured.nll[labels == label].mean().item() for measured in found.measured]
        best |= {(row, 1 + place) for place in best_of(dict(enumerate(means)), "low")}
        cells = [names[label], *(f"{mean:.2f}" for mean in means)]
        for _, measured in told:
            assert measured.right is not None and measured.drawn.cond is not None
            right = measured.right[measured.drawn.cond.cpu() == label]
            cells.append(f"{int(right.sum())} of {len(right)}" if len(right) else MISSING)
        rows.append(cells)
    head = ["class", *(f"{name}, nats" for name in found.names)]
    head += [f"{name}, drawn right" for name, _ in told]
    said = ["NLL of p(x), in nats per image, of the test images of each class."]
    if told:
        said.append(
            "Drawn right: images drawn with this label in which the classifier sees it; its own "
            "mistakes count against the model."
        )
    return Table("Class by class", head, rows, frozenset(best), said)


def settings(found: Comparison) -> Table | None:
    """What differs in configuration."""
    changed = differences(found.variants)
    if not changed:
        return None
    rows = [[key, *(_in_words(value) for value in values)] for key, values in changed.items()]
    said = ["Settings in which the runs differ; all others are alike."]
    lone = [variant.name for variant in found.variants if not variant.settings]
    if lone:
        said.append(f"No settings are known of {', '.join(lone)}.")
    return Table("What differs in configuration", ["setting", *found.names], rows, notes=said)


def _in_words(value: Any) -> str:
    if value is None:
        return MISSING
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
