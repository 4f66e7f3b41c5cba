"""Writes a report to files."""

from os import PathLike
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import fingerprint
from pixelcnn.files import atomic_folder, write_json, write_text
from pixelcnn.report.compare import Comparison
from pixelcnn.report.figures import pictures_of
from pixelcnn.report.highlights import highlights
from pixelcnn.report.page import as_html, as_markdown
from pixelcnn.report.tables import tables_of
from pixelcnn.version import versions

PAGE_FILE = "report.html"
TEXT_FILE = "report.md"
VALUES_FILE = "report.json"


def write_report(found: Comparison, folder: str | PathLike[str]) -> list[Path]:
    """Writes all files of a report, or none.

    Args:
        found: The comparison.
        folder: Where to write `report.html`, which needs no other file; `report.md` with its
            pictures; and `report.json`. Files of these names are replaced, others stay.

    Returns:
        The files.

    Raises:
        OutputError: If they cannot be written.
    """
    said, tables, pictures = highlights(found), tables_of(found), pictures_of(found)
    with atomic_folder(folder) as place:
        for picture in pictures:
            (place / f"{picture.name}.png").write_bytes(picture.png)
        write_text(place / TEXT_FILE, as_markdown(found, said, tables, pictures))
        write_json(place / VALUES_FILE, report_values(found))
        write_text(place / PAGE_FILE, as_html(found, said, tables, pictures))
    names = [PAGE_FILE, TEXT_FILE, VALUES_FILE, *(f"{each.name}.png" for each in pictures)]
    return [Path(folder) / name for name in names]


def report_values(found: Comparison) -> dict[str, Any]:
    """All values for programs, with what they depend on. JSON types."""
    return {
        "protocol": found.protocol,
        "num_images": len(found.images),
        "num_test": found.num_test,
        "num_generated": len(found.measured[0].samples.x),
        "seed": found.effort.seed,
        "variants": [
            {
                "name": variant.name,
                "architecture": variant.architecture,
                "parameters": variant.model.num_parameters,
                "fingerprint": fingerprint(variant.model),
                "nll_nats": measured.nll.mean().item(),
                "density": measured.density,
                "nll_nats_conditional": None
                if measured.nll_conditional is None
                else measured.nll_conditional.mean().item(),
                "sampling_seconds_64": measured.sampling_seconds,
                "training_seconds": variant.training_seconds,
                **measured.quality.values,
                "not_measured": dict(measured.quality.not_measured),
                "samples_protocol": dict(measured.quality.protocol),
            }
            for variant, measured in zip(found.variants, found.measured, strict=True)
        ],
        "differences": [
            {
                "one": found.names[one],
                "other": found.names[other],
                "nats": gap.nats,
                "interval": list(gap.interval),
                "is_significant": gap.is_significant,
            }
            for one in range(len(found.names))
            for other in range(one)
            for gap in [found.difference(one, other)]
        ],
        "versions": versions(),
        "made": found.made,
    }
