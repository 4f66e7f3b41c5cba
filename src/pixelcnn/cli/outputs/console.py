"""A bar for those who watch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def progress_bar(title: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None] | None]:
    """Gives a function that is told what is done and what is to do; None where nobody watches.

    Args:
        title: What is done.
        shown: Whether it is this process that shows it.
    """
    console = Console(stderr=True)
    # Not by disabling the bar: older versions of rich end that with an empty line.
    if not shown or not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(title)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield tell


def counted(count: int, thing: str) -> str:
    """A count with its noun, in the plural where it is not one.

    Example:
        >>> counted(1, "image"), counted(2000, "image")
        ('1 image', '2,000 images')
    """
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
