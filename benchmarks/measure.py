"""Times of alternatives, measured in turn so that a drift of the machine affects all alike."""

import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from pixelcnn.device import processor_name


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of some measurements."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int = 3) -> str:
        """For example "1.31 (1.22 … 1.40)"."""
        median, least, most = (f"{v:.{digits}g}" for v in (self.median, self.least, self.most))
        return f"{median} ({least} … {most})"


def seconds_spent() -> float:
    """CPU time with one thread, which other programs change least; else wall time."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def alternate(
    work: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    warm_up: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each piece of work in each round, after a warm-up round."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for round_number in range(-warm_up, rounds):
        for name, run in work.items():
            start = clock()
            run()
            if round_number >= 0:
                seconds[name].append(clock() - start)
    return seconds


def ratio(seconds: Mapping[str, list[float]], slow: str, fast: str) -> Spread:
    """How many times longer `slow` takes than `fast`, round by round."""
    pairs = zip(seconds[slow], seconds[fast], strict=True)
    return Spread.of([a / b for a, b in pairs])


def machine() -> str:
    """Processor, threads and versions, for the head of a table."""
    name = processor_name()
    if torch.cuda.is_available():
        name += f" and {torch.cuda.get_device_name()}"
    return (
        f"{name}, {torch.get_num_threads()} threads, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


@dataclass(frozen=True)
class Section:
    """A table of measurements and its setting."""

    title: str
    setting: str
    head: list[str]
    rows: list[list[str | Spread]]

    def text(self) -> str:
        """In Markdown."""
        return f"## {self.title}\n\n{self.setting}\n\n{table(self.head, self.rows)}"

    def facts(self) -> dict[str, Any]:
        """For JSON: a row is a dict by the head of its column."""
        rows = [dict(zip(self.head, row, strict=True)) for row in self.rows]
        plain = [
            {name: asdict(cell) if isinstance(cell, Spread) else cell for name, cell in row.items()}
            for row in rows
        ]
        return {"title": self.title, "setting": self.setting, "rows": plain}


def table(head: Sequence[str], rows: Sequence[Sequence[str | Spread]]) -> str:
    """A Markdown table."""
    texts = [[cell.text() if isinstance(cell, Spread) else cell for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *texts]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
