"""Results on standard output, progress on standard error, tables in .csv files."""

import csv
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from pixelcnn.files import atomic_write
from pixelcnn.logger import logger, printable

LINE_SECONDS = 10.0  # between lines where standard error is no terminal


def print_lines(*lines: object) -> None:
    """Prints results, each as one line without control characters."""
    for line in lines:
        print(printable(str(line)))


@contextmanager
def progress_bar(
    title: str, *, shown: bool = True, note: Callable[[], str] = str
) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that shows how many steps of how many are done, and a note of now."""
    with progress_bars(shown=shown) as tell:
        if shown:
            tell(title, 0, 0)
        yield lambda done, total: tell(title, done, total, note())


@contextmanager
def progress_bars(*, shown: bool = True) -> Iterator[Callable[..., None]]:
    """Yields a function that shows, for a stage of the work, how many steps of how many are done.

    It takes the stage, both numbers and, if there is one, a note.

    A terminal shows a bar for each stage. A file or a pipe gets lines, some seconds apart, so that
    short work leaves none.
    """
    console = Console(stderr=True)
    # Not by disabling the bar: older versions of rich end that with an empty line.
    if not shown:
        yield lambda title, done, total, note="": None
    elif not console.is_terminal:
        yield _progress_lines()
    else:
        with Progress(console=console, transient=True) as progress:
            tasks: dict[str, TaskID] = {}

            def tell(title: str, done: int, total: int, note: str = "") -> None:
                if title not in tasks:
                    tasks[title] = progress.add_task(title, total=None)
                text = f"{title}: {note}" if note else title
                steps = {"completed": done, "total": total or None}
                progress.update(tasks[title], description=text, **steps)  # type: ignore[arg-type]

            yield tell


def _progress_lines() -> Callable[..., None]:
    last = time.monotonic()

    def tell(title: str, done: int, total: int, note: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS and total:
            last = time.monotonic()
            logger.info(f"{title}: {100 * done // total} %{note and f', {note}'}")

    return tell


def write_table(path: Path, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a .csv file, complete or not at all."""
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(heads)
        table.writerows(rows)


def counted(count: int, thing: str) -> str:
    """A count with its noun, in the plural where it is not one.

    Example:
        >>> counted(1, "image"), counted(2000, "image")
        ('1 image', '2,000 images')
    """
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
