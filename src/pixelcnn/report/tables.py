"""The tables of a report, as text in cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from pixelcnn.metrics import bits_per_dim, bootstrap_interval, perplexity
from pixelcnn.report.compare import Comparison
from pixelcnn.report.measure import NUM_TIMED, QUALITY, Measurements
from pixelcnn.report.variant import Variant, config_differences, in_words

DIFFERENCES = "Differences in NLL"
MISSING = "–"
CONDITIONAL = "NLL given condition, nats"


@dataclass(frozen=True)
class Table:
    """Text in rows and columns.

    Attributes:
        title: A heading.
        head: Of the columns; the first names the rows.
        rows: Cells.
        best: Places (row, column) of the best values of their columns.
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
        value: The value of a variant; None where it is unknown.
        text: The cell of a value.
        better: "low", "high", or "" where neither is.
    """

    head: str
    value: Callable[[Variant, Measurements], Any]
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
    """Where the best of some values are; nowhere if all are equal.

    Example:
        >>> best_of({0: 3.0, 1: 2.0, 3: 2.0}, "low"), best_of({0: 1.0, 1: 1.0}, "high")
        ([1, 3], [])
    """
    if len(set(values.values())) < 2:
        return []
    best = min(values.values()) if better == "low" else max(values.values())
    return [place for place, value in values.items() if value == best]


def columns_of(found: Comparison) -> list[Column]:
    """The columns of the overview."""
    dims = found.images.spec.num_dims

    def quality(name: str) -> Callable[[Variant, Measurements], Any]:
        return lambda variant, measured: measured.quality.values.get(name)

    def mean(measured: Measurements) -> float:
        return measured.nll.mean().item()

    def percent(share: float) -> str:
        return f"{100 * share:.1f} %"

    columns = [
        Column("architecture", lambda v, m: v.model.name, str),
        Column("parameters", lambda v, m: v.model.num_parameters, "{:,}".format),
        Column("receptive field", lambda v, m: v.num_seen, str),
        Column("NLL of p(x), nats", lambda v, m: _with_interval(m.nll), _interval, "low"),
        Column("bits/dim", lambda v, m: bits_per_dim(mean(m), dims), "{:.4f}".format, "low"),
        Column("perplexity", lambda v, m: perplexity(mean(m), dims), "{:.4f}".format, "low"),
        Column(CONDITIONAL, lambda v, m: _with_interval(m.nll_conditional), _interval, "low"),
        Column("FID", quality("fid"), "{:.2f}".format, "low"),
        Column("precision", quality("precision"), percent, "high"),
        Column("recall", quality("recall"), percent, "high"),
        Column("label accuracy", quality("label_accuracy"), percent, "high"),
        Column("training, s", lambda v, m: v.training_seconds, "{:,.0f}".format, "low"),
        Column(f"sampling {NUM_TIMED}, s", lambda v, m: m.sampling_seconds, "{:.3g}".format, "low"),
    ]
    if all(measured.nll_conditional is None for measured in found.measured):
        columns = [column for column in columns if column.head != CONDITIONAL]
    return columns


def _with_interval(nll: torch.Tensor | None) -> tuple[float, float, float] | None:
    return None if nll is None else (nll.mean().item(), *bootstrap_interval(nll))


def _interval(found: tuple[float, float, float]) -> str:
    mean, low, high = found
    return f"{mean:.2f} ± {(high - low) / 2:.2f}"


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def notes(found: Comparison) -> list[str]:
    """What the values of the overview depend on."""
    said = [
        f"NLL of {found.which} of: {found.protocol}. ± is half of the 95 % bootstrap interval over "
        f"images.",
    ]
    if any(measured.nll_conditional is not None for measured in found.measured):
        said.append(
            f"Models are compared by p(x), the better of what can be computed exactly "
            f"({_density_names(found)}); labels are summed out with equal weights. The NLL given "
            f"the label does not include the information in the label."
        )
    samples = found.measured[0].samples
    protocol = found.measured[0].quality.protocol
    features, caution = protocol.get("features"), protocol.get("caution")
    if features:
        said.append(
            f"FID, precision and recall of {len(samples.x):,} samples and {len(samples.real):,} "
            f"test images, features: {features}. Compare them within this table only: FID depends "
            f"on the features, and falls with the number of images."
        )
    if caution:
        said.append(f"Caution: {caution}.")
    if len(samples.x) < found.effort.num_generated:
        said.append(
            f"{len(samples.x):,} samples per model instead of {found.effort.num_generated:,}: the "
            f"slowest model would need more than {found.effort.max_sampling_seconds:.0f} s."
        )
    said += reasons_of(found)
    said.append("Sampling seconds are wall time on this machine; training seconds are the run's.")
    return said


def _density_names(found: Comparison) -> str:
    names = [measured.density for measured in found.measured]
    if len(set(names)) == 1:
        return names[0]
    return ", ".join(f"{name}: {each}" for name, each in zip(found.names, names, strict=True))


def reasons_of(found: Comparison) -> list[str]:
    """Why values of the overview are missing, in sentences."""
    missing: dict[tuple[str, str], list[str]] = {}
    for variant, measured in zip(found.variants, found.measured, strict=True):
        for name in QUALITY:
            if (reason := measured.quality.not_measured.get(name)) is not None:
                missing.setdefault((name, reason), []).append(variant.name)
    metrics: dict[tuple[str, str], list[str]] = {}
    for (name, reason), names in missing.items():
        words = name.replace("_", " ").replace("fid", "FID")
        metrics.setdefault((", ".join(names), reason), []).append(words)
    return [
        f"Not measured: {', '.join(words)} of {names}: {reason}."
        for (names, reason), words in metrics.items()
    ]


def significance(found: Comparison) -> Table | None:
    """By how much the NLL of each variant is higher than that of each other."""
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
    head = ["NLL minus that of …", *found.names]
    said = [
        "NLL of p(x) of the row minus that of the column, in nats per image, with paired bootstrap "
        "intervals over the test images that hold together with 95 % confidence (Bonferroni). "
        "Marked: the model of the row is significantly better. The intervals cover other test "
        "images, not other training seeds."
    ]
    return Table(DIFFERENCES, head, cells, frozenset(clear), said)


def by_class(found: Comparison) -> Table | None:
    """NLL of the images of each class, and the label accuracy of its samples."""
    labels = found.images.labels
    if labels is None:
        return None
    classes = labels.unique(sorted=True).tolist()
    names = found.label_names or tuple(map(str, range(max(classes) + 1)))
    conditional = [
        (variant.name, measured)
        for variant, measured in zip(found.variants, found.measured, strict=True)
        if measured.recognised is not None
    ]
    rows: list[list[str]] = []
    best: set[tuple[int, int]] = set()
    for row, label in enumerate(classes):
        means = [measured.nll[labels == label].mean().item() for measured in found.measured]
        best |= {(row, 1 + place) for place in best_of(dict(enumerate(means)), "low")}
        cells = [names[label], *(f"{mean:.2f}" for mean in means)]
        for _, measured in conditional:
            assert measured.recognised is not None and measured.samples.cond is not None
            right = measured.recognised[measured.samples.cond.cpu() == label]
            cells.append(f"{int(right.sum())} of {len(right)}" if len(right) else MISSING)
        rows.append(cells)
    head = ["class", *(f"{name}, nats" for name in found.names)]
    head += [f"{name}, label accuracy" for name, _ in conditional]
    said = ["NLL of p(x), in nats per image, of the test images of each class."]
    if conditional:
        said.append(
            "Label accuracy: samples conditioned on this label in which the classifier finds it. "
            "Mistakes of the classifier count against the model."
        )
    return Table("By class", head, rows, frozenset(best), said)


def settings(found: Comparison) -> Table | None:
    """The settings in which runs differ."""
    changed = config_differences(found.variants)
    if not changed:
        return None
    rows = [
        [key, *(MISSING if value is None else in_words(value) for value in values)]
        for key, values in changed.items()
    ]
    said = ["Settings in which the runs differ; all others are equal."]
    unknown = [variant.name for variant in found.variants if not variant.settings]
    if unknown:
        said.append(f"The settings of {', '.join(unknown)} are unknown.")
    return Table("Differences in configuration", ["setting", *found.names], rows, notes=said)
