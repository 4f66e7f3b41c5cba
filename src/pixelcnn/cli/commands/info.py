"""`pixelcnn info`: describes a trained model or a .pxc file, or lists the bundled models."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pixelcnn.checkpoint import fingerprint
from pixelcnn.cli.outputs.console import print_lines
from pixelcnn.codec import opened
from pixelcnn.codec.container import VERSION
from pixelcnn.errors import CheckpointError, DataError
from pixelcnn.files import finite_json
from pixelcnn.logger import printable
from pixelcnn.nn import Condition
from pixelcnn.runs import TrainedModel, open_model, read_starts, recorded_metrics
from pixelcnn.verification import find_report, read_report
from pixelcnn.weights import list_weights

LISTED = 10  # sizes of images
HINT = "Sample from one: pixelcnn sample NAME. Describe one: pixelcnn info NAME."


def run(args: argparse.Namespace) -> int:
    """Prints a table, or JSON for programs."""
    if args.run is None:
        models = {name: facts_of(open_model(name)) for name in list_weights()}
        print_json(models) if args.json else print_list(models)
        return 0
    is_compressed = Path(args.run).suffix.lower() == ".pxc"
    facts = file_facts(Path(args.run)) if is_compressed else facts_of(open_model(args.run))
    print_json(facts) if args.json else print_facts(facts)
    return 0


def facts_of(run: TrainedModel) -> dict[str, Any]:
    """What is known about a model and its training, in JSON types."""
    model = run.model
    field = model.receptive_field()
    return {
        "file": str(run.file),
        "architecture": model.name,
        "settings": {k: v for k, v in model.config.items() if v is not None},
        "parameters": model.num_parameters,
        "receptive_field": {
            "sees_all_past": field.sees_all_past,
            # JSON has no infinity: null for all of them.
            **{
                name: int(number) if math.isfinite(number) else None
                for name, number in zip(field._fields[:3], field[:3], strict=True)
            },
        },
        "channels": model.in_channels,
        "levels": model.num_classes,
        "image_size": None if model.image_size is None else list(model.image_size),
        "likelihood": model.likelihood.name,
        "condition": None if model.condition.is_none else model.condition.describe(),
        "labels": names_of(model.condition, "labels"),
        "attributes": names_of(model.condition, "attributes"),
        "training": {k: v for k, v in run.training.items() if k != "figures"},
        "metrics": metrics_facts(run),
        "fingerprint": fingerprint(model),
        "verification": verification_facts(run),
        **start_facts(run),
    }


def file_facts(path: Path) -> dict[str, Any]:
    """What a .pxc file says of itself, in JSON types; nothing is decoded."""
    with opened(path) as archive:
        container = archive.container
    header, chunks = container.header, container.chunks
    num_dims = sum(each.count * header.channels * each.height * each.width for each in chunks)
    sizes = sorted({(each.height, each.width) for each in chunks})
    return {
        "file": str(path),
        "format_version": VERSION,
        "bytes": container.num_bytes,
        "images": len(container.numbers),
        "bits_per_dim": 8 * container.num_bytes / num_dims if num_dims else None,
        "channels": header.channels,
        "levels": header.levels,
        "sizes": [f"{height}×{width}" for height, width in sizes[:LISTED]],
        "formats": sorted({each.format.name.lower() for each in chunks}),
        "chunks": len(chunks),
        "window": list(header.window),
        "context": header.context,
        "labels": header.num_labels or None,
        "names": "names" in container.notes,
        "entropy_model": header.entropy_model,
        "requirements": header.requirements or None,
        "fingerprint": header.fingerprint,
    }


def metrics_facts(run: TrainedModel) -> dict[str, Any] | str | None:
    """The metrics of a model, or why they cannot be read."""
    try:
        return recorded_metrics(run.file) or None
    except (CheckpointError, DataError) as error:  # all else is still worth showing
        return str(error)


def start_facts(run: TrainedModel) -> dict[str, Any]:
    """How the training of a run was last started, and how many times."""
    try:
        starts = read_starts(run.folder) if run.folder is not None else []
    except DataError as error:
        return {"environment": str(error)}
    if not starts:
        return {}
    last = dict(starts[-1])
    return {
        "command": last.pop("command", None),
        "git": last.pop("git", None),
        "starts": len(starts),
        "environment": last,
    }


def verification_facts(run: TrainedModel) -> dict[str, Any] | None:
    """What `pixelcnn verify` found for these weights; None without a report.

    `passed` is None where the report beside the model cannot be used, and `reason` says why.
    """
    path = find_report(run.file)
    if path is None:
        return None
    try:
        report = read_report(path)
    except CheckpointError as error:
        return {"passed": None, "reason": str(error)}
    if not report.is_of(run.model):
        reason = f"{path} is of other weights. Make it again with `pixelcnn verify`."
        return {"passed": None, "reason": reason}
    return {
        "passed": report.passed,
        "checks": len(report.checks),
        "failed": report.failed,
        "checked_on_a_sample": [check.name for check in report.checks if check.is_sample],
        "image_size": [report.spec.height, report.spec.width],
        "made": report.made,
        "versions": report.versions,
    }


def names_of(condition: Condition, kind: str) -> list[str] | None:
    """The names of a model's labels or attributes; None for a model of another kind."""
    return list(condition.names) if condition.kind == kind and condition.names else None


def print_json(facts: dict[str, Any]) -> None:
    """Prints facts as JSON."""
    print_lines(*json.dumps(finite_json(facts), indent=2, ensure_ascii=False).split("\n"))


def print_facts(facts: dict[str, Any]) -> None:
    """Prints the facts about one model: a row for each, a line for each part of it."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        items = value.items() if isinstance(value, dict) and value else ()
        lines = [f"{_words(k)} {format_value(v, k)}" for k, v in items]
        cell = "\n".join(map(printable, lines or [format_value(value, name)]))
        table.add_row(_words(name), cell)
    Console(highlight=False, markup=False).print(table)


def print_list(models: dict[str, dict[str, Any]]) -> None:
    """Prints the bundled models, one in each row, and below what each was measured on."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "images", "levels", "labels", "bits/dim", "NLL (nats)"):
        table.add_column(title, overflow="fold")
    notes = []
    for name, facts in models.items():
        metrics = facts["metrics"]
        table.add_row(
            name,
            format_value(facts["image_size"], "image_size"),
            format_value(facts["levels"]),
            format_value(facts["labels"] and len(facts["labels"])),
            f"{metrics['bits_per_dim']:.3f}",
            f"{metrics['nll_nats']:.2f}",
        )
        count = f"{metrics['num_images']:,} {metrics['split']} images"
        notes.append(f"{name}: {count} of {metrics['protocol']}")
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print("Measured on", *notes, HINT, sep="\n")


def format_value(value: Any, name: str = "") -> str:
    """A value of JSON types as text.

    Args:
        value: The value.
        name: Its name; an `image_size` becomes height×width.

    Example:
        >>> format_value({"rows_above": 7, "seen": [1]}), format_value(1234567), format_value(True)
        ('(rows above 7; seen 1)', '1,234,567', 'yes')
        >>> format_value([28, 20], "image_size")
        '28×20'
    """
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, dict):
        return f"({'; '.join(f'{_words(k)} {format_value(v, k)}' for k, v in value.items())})"
    if isinstance(value, list):
        return ("×" if name == "image_size" else ", ").join(
            f"{each:.5g}" if isinstance(each, float) else str(each) for each in value
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
