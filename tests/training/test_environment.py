"""Facts about what a run writes down of its starts."""

import json
import platform
import shutil
import subprocess

import pytest

from pixelcnn.config import Config
from pixelcnn.errors import DataError
from pixelcnn.runs import read_starts
from pixelcnn.training.environment import describe_start, git_revision, list_starts
from pixelcnn.version import __version__
from tests.training.tiny_runs import train

git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit of one file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("one")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "file"], [*who, "commit", "-q", "-m", "One"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def test_a_start_describes_what_metrics_depend_on():
    start = describe_start("cpu")
    assert start["versions"]["pixelcnn"] == __version__
    assert {"torch", "lightning", "numpy"} <= set(start["versions"])
    assert start["python"].split()[1] == platform.python_version()
    assert start["threads"] >= 1
    assert start["processor"]
    assert json.loads(json.dumps(start)) == start


def test_no_variable_of_the_environment_is_written_down(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "a-key-to-keep")
    assert "a-key-to-keep" not in json.dumps(describe_start("cpu"))


@git
def test_the_revision_is_that_of_the_current_folder(repository, monkeypatch):
    monkeypatch.chdir(repository)
    found = describe_start("cpu")["git"]
    assert len(found["revision"]) == 40
    assert found["dirty"] is False
    (repository / "run").write_text("not tracked, as runs are")
    assert git_revision(repository) == found
    (repository / "file").write_text("two")
    assert git_revision(repository) == {**found, "dirty": True}


@git
def test_outside_of_a_repository_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision(tmp_path) is None


def test_without_git_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert git_revision(tmp_path) is None


def test_every_start_of_a_run_is_recorded(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    train(one, training={"max_epochs": 1}, command="pixelcnn train 'a b'")
    state = one / "checkpoints" / "last.ckpt"
    train(two, resume=state)
    train(one, resume=state)
    for folder in (one, two):
        starts = read_starts(folder)
        assert [start["command"] for start in starts] == ["pixelcnn train 'a b'", None]
        assert [start["resumed"] for start in starts] == [None, str(state)]
    train(one, training={"max_epochs": 1})
    assert [start["resumed"] for start in read_starts(one)] == [None]


def test_a_damaged_file_is_named(tmp_path):
    assert read_starts(tmp_path) == []
    (tmp_path / "environment.json").write_text("{")
    with pytest.raises(DataError, match=r"environment\.json cannot be read"):
        list_starts(Config(resume=str(tmp_path / "checkpoints" / "a")), tmp_path, command=None)
