"""What became of damaged inputs: refused in words, accepted, or wrong."""

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixelcnn.errors import PixelCNNError
from tests.fuzz.limits import TookTooLongError, forget_peak, limited, peak_bytes
from tests.fuzz.target import Target

REFUSED, ACCEPTED, WRONG, SILENT = "refused", "accepted", "wrong", "silent"
RIGHT = (REFUSED, ACCEPTED)
SHOWN = 12


def judge(target: Target, path: Path) -> tuple[str, str]:
    """What became of one input, and the message of its error.

    Wrong is another error than those of the package, several lines, or a limit that is passed;
    silent is an answer that cannot be right.
    """
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(path)
    except PixelCNNError as error:
        said = str(error).strip()
        return (REFUSED if said and "\n" not in said else WRONG), said
    except TookTooLongError:
        return WRONG, "took too long"
    except AssertionError as error:
        return SILENT, str(error)[:150]
    except BaseException as error:
        return WRONG, f"{type(error).__name__}: {str(error)[:150]}"
    return ACCEPTED, ""


@dataclass
class Tally:
    """What became of many inputs.

    Attributes:
        counts: By verdict.
        found: The inputs that are neither refused nor rightly accepted, in words.
        seconds: CPU time of the slowest.
        more_bytes: Resident memory above that of the idle process, at most.
    """

    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    seconds: float = 0.0
    more_bytes: int = 0

    def __str__(self) -> str:
        shown = "\n".join(self.found[:SHOWN])
        return f"{len(self.found)} of {self.counts.total()}:\n{shown}"


def mutated(target: Target, content: bytes, number: int) -> tuple[bytes, str]:
    """One of the damaged inputs of a target by its number, and the name of its mutation."""
    rng = np.random.default_rng([number, len(target.name)])
    mutate = target.mutations[number % len(target.mutations)]
    return mutate(content, rng), mutate.__name__


def tally(target: Target, path: Path, numbers: range) -> Tally:
    """Reads many damaged inputs. The file is whole again at the end."""
    content, found = path.read_bytes(), Tally()
    judge(target, path)  # imports what it needs
    forget_peak()
    idle = peak_bytes()
    for number in numbers:
        damaged, how = mutated(target, content, number)
        path.write_bytes(damaged)
        began = time.process_time()
        verdict, said = judge(target, path)
        found.seconds = max(found.seconds, time.process_time() - began)
        found.counts[verdict] += 1
        if verdict not in RIGHT:
            found.found.append(f"input {number} ({how}), {verdict}: {said}")
    found.more_bytes = max(0, peak_bytes() - idle)
    path.write_bytes(content)
    return found
