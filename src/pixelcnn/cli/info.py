"""`pixelcnn info`: says what a trained model is."""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from pixelcnn.checkpoint import fingerprint
from pixelcnn.cli.runs import Run, open_run


def run(args: argparse.Namespace) -> int:
    """Prints a table, or JSON for programs."""
    facts = facts_of(open_run(args.run))
    if args.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), in_words(value))
    Console(highlight=False, markup=False).print(table)
    return 0


def facts_of(run: Run) -> dict[str, Any]:
    """All that a checkpoint says of its model, in JSON types."""
    model = run.model
    field = model.receptive_field()
    return {
        "file": str(run.file),
        "architecture": model.name,
        "settings": {k: v for k, v in model.config.items() if v is not None},
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "receptive_field": {
            "sees_all_past": field.sees_all_past,
            "rows_above": field.rows_above,
            "columns_left": field.columns_left,
            "columns_right": field.columns_right,
        },
        "channels": model.in_channels,
        "levels": model.num_classes,
        "image_size": None if model.image_size is None else list(model.image_size),
        "likelihood": model.likelihood.name,
        "condition": None if model.condition.is_none else model.condition.describe(),
        "labels": run.label_names,
        "training": run.training,
        "fingerprint": fingerprint(model),
    }


def in_words(value: Any) -> str:
    """A value of JSON types for people.

    Example:
        >>> in_words({"rows_above": 7, "seen": [1, 2]}), in_words(1234567), in_words(True)
        ('rows above 7; seen 1, 2', '1,234,567', 'yes')
    """
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, dict):
        return "; ".join(f"{k.replace('_', ' ')} {in_words(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
