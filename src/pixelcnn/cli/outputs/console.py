"""A bar for those who watch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import Progress, TaskID


@contextmanager
def progress_bar(title: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None] | None]:
    """Yields a function of the parts that are done, and all; None without a terminal.

    Args:
        title: What is done.
        shown: Whether it is this process that shows it.
    """
    with progress_bars(shown=shown) as tell:
        yield None if tell is None else partial(tell, title)


@contextmanager
def progress_bars(*, shown: bool = True) -> Iterator[Callable[[str, int, int], None] | None]:
    """Likewise for work of several stages: yields a function of the title and the parts.

    Args:
        shown: Whether it is this process that shows it.
    """
    console = Console(stderr=True)
    # Not by disabling the bar: older versions of rich end that with an empty line.
    if not shown or not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = progress.add_task(title)
            progress.update(tasks[title], completed=done, total=total)

        yield tell


def counted(count: int, thing: str) -> str:
    """A count with its noun, in the plural where it is not one.

    Example:
        >>> counted(1, "image"), counted(2000, "image")
        ('1 image', '2,000 images')
    """
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
