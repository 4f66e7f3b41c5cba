"""A reader of a file that a stranger could hand over, and ways to damage the file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.mutations import Mutation, damage


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        name: In reports.
        make: Writes what is read into a folder, and gives the one file of it that is damaged.
        read: Reads that file, and raises where something that must hold does not.
        mutations: Ways to damage the content, each as likely as the others.
        words: A command that reads the file, and writes into a folder; none for what no command
            reads.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    mutations: tuple[Mutation, ...] = field(default=(damage,))
    words: Callable[[Path, Path], list[object]] | None = None
