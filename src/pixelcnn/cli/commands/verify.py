"""`pixelcnn verify`: proves on the very weights what a trained model's figures stand on."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pixelcnn.cli.runs import Run, check_size, open_run
from pixelcnn.files import provisional_folder
from pixelcnn.verification import Line, VerificationReport, report_path, verify

REFUTED = 1  # the command did its work, and the answer is no
NOT_KEPT = "Not kept, as models of the package stay as they came: --out FILE keeps it."


def run(args: argparse.Namespace) -> int:
    """Examines, prints, and keeps what was found; 1 if a line does not hold."""
    trained = open_run(args.run, device=args.device)
    check_size(trained, args.size)
    out = report_destination(args, trained)
    if out is None:
        certificate, where = verify_run(trained, args), NOT_KEPT
    else:
        with provisional_folder(out.parent):
            certificate, where = verify_run(trained, args), str(out)
            certificate.save(out)
    print_report(certificate)
    print(where)
    return 0 if certificate.passed else REFUTED


def report_destination(args: argparse.Namespace, trained: Run) -> Path | None:
    """Where the certificate goes: beside the model, but not into the package."""
    if args.out:
        return Path(args.out)
    is_named = not Path(args.run).exists()  # as a model of the package
    return None if is_named else report_path(trained.file)


def verify_run(trained: Run, args: argparse.Namespace) -> VerificationReport:
    """`pixelcnn.verify`, saying where it is if somebody watches."""
    with progress() as tell:
        return verify(
            trained.model, size=args.size, sites=args.sites, seed=args.seed or 0, progress=tell
        )


@contextmanager
def progress() -> Iterator[Callable[[Line], None]]:
    """Yields what `verify` tells each line to, which shows it until the next one."""
    console = Console(stderr=True)
    with console.status("drawing images to look at") as status:
        yield lambda line: status.update(f"{line.name}: {verdict(line)}")


def verdict(line: Line) -> str:
    """Whether a line holds, in a word."""
    return "holds" if line.passed else "FAILS"


def print_report(certificate: VerificationReport) -> None:
    """The certificate for people, a row for each line, and what it all comes to."""
    spec = certificate.spec
    table = Table(box=None, pad_edge=False)
    table.add_column("line", no_wrap=True)
    table.add_column("claim, and what was looked at", overflow="fold")
    for title in ("figure", "limit", "s"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for line in certificate.lines:
        claim = Text.assemble(line.claim, (f"\n{line.measure}\n{line.looked_at}", "dim"))
        limit = f"{'≥' if line.is_least else '≤'} {line.limit:.2g}"
        mark = Text(verdict(line), style="green" if line.passed else "bold red")
        table.add_row(line.name, claim, f"{line.figure:.3g}", limit, f"{line.seconds:.1f}", mark)
    console = Console(highlight=False, markup=False)
    console.print(table)
    held = len(certificate.lines) - len(certificate.failed)
    console.print(
        f"{held} of {len(certificate.lines)} lines hold for {certificate.architecture} "
        f"{certificate.fingerprint}: {spec.channels}×{spec.height}×{spec.width} sub-pixels of "
        f"{spec.levels:,} levels, {certificate.dtype} on {certificate.device}, "
        f"{certificate.seconds:.0f} s.",
        soft_wrap=True,
    )
