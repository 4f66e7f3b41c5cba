"""`pixelcnn verify`: checks causality, caches, likelihood and sampler of a trained model."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pixelcnn.cli.inputs.image_size import typed_shape
from pixelcnn.cli.outputs.console import print_lines
from pixelcnn.files import provisional_folder
from pixelcnn.runs import TrainedModel, open_model
from pixelcnn.verification import Check, VerificationReport, report_path, verify

FAILED = 1  # the command ran, and a check failed
NOT_WRITTEN = "Not written beside a bundled model: --out FILE writes the report."


def run(args: argparse.Namespace) -> int:
    """Checks the model, prints and writes the report; 1 if a check failed."""
    trained = open_model(args.run, device=args.device)
    typed_shape(trained, args.size)  # or an error
    out = report_destination(args, trained)
    with nullcontext() if out is None else provisional_folder(out.parent):
        with Console(stderr=True).status("sampling images") as status:
            report = verify(
                trained.model,
                size=args.size,
                sites=args.sites,
                seed=args.seed or 0,
                progress=lambda check: status.update(f"{check.name}: {verdict(check)}"),
            )
        if out is not None:
            report.save(out)
    print_report(report)
    print_lines(out or NOT_WRITTEN)
    return 0 if report.passed else FAILED


def report_destination(args: argparse.Namespace, trained: TrainedModel) -> Path | None:
    """Where the report is written: beside the model, but not into the package."""
    if args.out:
        return Path(args.out)
    is_named = not Path(args.run).exists()  # as a bundled model
    return None if is_named else report_path(trained.file)


def verdict(check: Check) -> str:
    """The outcome of a check in one word."""
    return "passed" if check.passed else "FAILED"


def print_report(report: VerificationReport) -> None:
    """Prints a row for each check, and a summary."""
    spec = report.spec
    table = Table(box=None, pad_edge=False)
    table.add_column("check", overflow="fold")
    for title in ("value", "limit", "s"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for check in report.checks:
        details = (f"\n{check.metric}\n{check.scope}", "dim")
        claim = Text.assemble((check.name, "bold"), f"\n{check.claim}", details)
        limit = f"{'≥' if check.is_minimum else '≤'} {check.limit:.2g}"
        mark = Text(verdict(check), style="green" if check.passed else "bold red")
        table.add_row(claim, f"{check.value:.3g}", limit, f"{check.seconds:.1f}", mark)
    console = Console(highlight=False, markup=False)
    console.print(table)
    num_passed = len(report.checks) - len(report.failed)
    console.print(
        f"{num_passed} of {len(report.checks)} checks passed for {report.architecture} "
        f"{report.fingerprint}: {spec.channels}×{spec.height}×{spec.width} sub-pixels of "
        f"{spec.levels:,} levels, {report.dtype} on {report.device}, {report.seconds:.0f} s.",
        soft_wrap=True,
    )
