"""No file of a stranger ends in anything but an answer or an error in words.

Every input is a whole file that was damaged by a seed. It is read, or refused by an error of ours
in one line, within two seconds of CPU time and a gibibyte of memory more than before.
`python -m tests.fuzz 20000` prints the counts.
"""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.verdicts import ACCEPTED, WRONG, judge, tally

FEW = -(-1_000 // len(TARGETS))
MANY = -(-20_000 // len(TARGETS))


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: target.name)
def whole(request, tmp_path_factory) -> tuple[Target, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return request.param, request.param.make(folder)


def test_a_whole_file_is_read(whole, capsys):
    assert judge(*whole) == (ACCEPTED, "")


def test_damaged_files_are_read_or_refused_in_words(whole, capsys):
    found = tally(*whole, range(FEW))
    assert not found.found, str(found)


@pytest.mark.slow
def test_many_damaged_files_are_read_or_refused_in_words(whole, capsys):
    found = tally(*whole, range(FEW, FEW + MANY))
    assert not found.found, str(found)


def test_what_takes_too_long_or_too_much_is_seen(tmp_path):
    def endless(path: Path) -> None:
        while True:
            with suppress(Exception):
                np.linalg.eigvals(np.eye(9))

    def greedy(path: Path) -> None:
        np.ones(2**28)

    for read, problem in ((endless, "took too long"), (greedy, "MemoryError: ")):
        verdict, said = judge(Target("bad", lambda folder: folder, read), tmp_path)
        assert verdict == WRONG and problem in said
