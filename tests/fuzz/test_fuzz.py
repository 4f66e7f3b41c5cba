"""No file of a stranger ends in anything but an answer or an error in words.

Every input is a whole file that was damaged by a seed. It is read, or refused by an error of ours
in one line, within two seconds of CPU time and a gibibyte of memory more than before.
"""

import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pixelcnn.errors import PixelCNNError
from tests.fuzz.limits import TookTooLongError, limited
from tests.fuzz.targets import TARGETS, Target

FEW, MANY = 50, 1000
SHOWN = 12


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: target.name)
def whole(request, tmp_path_factory) -> tuple[Target, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return request.param, request.param.make(folder)


def verdict(target: Target, path: Path) -> str | None:
    """What is wrong with how a file was read; None if nothing is."""
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(path)
    except PixelCNNError as error:
        return None if str(error).strip() and "\n" not in str(error) else f"several lines: {error}"
    except TookTooLongError:
        return "took too long"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:150]}"
    return None


def found_in(target: Target, path: Path, numbers: range) -> list[str]:
    """What is wrong, for each input that something is wrong with."""
    content, wrong = path.read_bytes(), []
    for number in numbers:
        rng = np.random.default_rng([number, len(target.name)])
        mutate = target.mutations[number % len(target.mutations)]
        path.write_bytes(mutate(content, rng))
        problem = verdict(target, path)
        if problem is not None:
            wrong.append(f"input {number} ({mutate.__name__}): {problem}")
    path.write_bytes(content)
    return wrong


def told(wrong: list[str], count: int) -> str:
    return f"{len(wrong)} of {count}:\n" + "\n".join(wrong[:SHOWN])


def test_a_whole_file_is_read(whole, capsys):
    target, path = whole
    assert verdict(target, path) is None


def test_damaged_files_are_read_or_refused_in_words(whole, capsys):
    wrong = found_in(*whole, range(FEW))
    assert not wrong, told(wrong, FEW)


@pytest.mark.slow
def test_many_damaged_files_are_read_or_refused_in_words(whole, capsys):
    wrong = found_in(*whole, range(FEW, FEW + MANY))
    assert not wrong, told(wrong, MANY)


def test_what_takes_too_long_or_too_much_is_seen(tmp_path):
    def endless(path: Path) -> None:
        while True:
            with suppress(Exception):
                np.linalg.eigvals(np.eye(9))

    def greedy(path: Path) -> None:
        np.ones(2**28)

    for read, problem in ((endless, "took too long"), (greedy, "MemoryError: ")):
        found = verdict(Target("bad", lambda folder: folder, read), tmp_path)
        assert found is not None and problem in found
