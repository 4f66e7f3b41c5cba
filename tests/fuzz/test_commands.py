"""Damaged files end a command with an answer or one line, and exit code 0 or 2."""

import pytest

from tests.fuzz.commands import problem_of, run_here, run_process, words_for
from tests.fuzz.targets import TARGETS
from tests.fuzz.verdicts import mutated

READ_BY_COMMANDS = [target for target in TARGETS if target.words is not None]
MANY = -(-200 // len(READ_BY_COMMANDS))


@pytest.fixture(params=READ_BY_COMMANDS, ids=lambda target: target.name)
def whole(request, tmp_path):
    return request.param, request.param.make(tmp_path)


@pytest.mark.slow
def test_two_hundred_damaged_files_end_in_an_answer_or_one_line(whole, tmp_path):
    target, path = whole
    content = path.read_bytes()
    code, said = run_here(words_for(target, path, tmp_path / "out"))
    assert code == 0, said
    for number in range(MANY):
        path.write_bytes(mutated(target, content, number)[0])
        problem = problem_of(*run_here(words_for(target, path, tmp_path / "out")))
        assert problem is None, f"input {number}: {problem}"


@pytest.mark.slow
def test_so_do_real_processes(whole, tmp_path):
    target, path = whole
    path.write_bytes(mutated(target, path.read_bytes(), 1)[0])
    problem = problem_of(*run_process(words_for(target, path, tmp_path / "out")))
    assert problem is None


@pytest.mark.parametrize(
    ("code", "said"),
    [(70, "pixelcnn: a bug"), (2, ""), (2, "pixelcnn: one\npixelcnn: two"), (0, "Traceback …")],
)
def test_other_ends_are_seen(code, said):
    assert problem_of(code, said) is not None
