"""Files appear completely under their name, or not at all."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from pixelcnn.errors import ConfigError, OutputError, PixelCNNError
from pixelcnn.files import (
    atomic_folder,
    atomic_write,
    make_folder,
    provisional_folder,
    remove_leftovers,
    write_json,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_under_its_name_with_missing_folders(tmp_path):
    write_text(tmp_path / "a" / "b" / "note.txt", "schön\n")
    assert (tmp_path / "a" / "b" / "note.txt").read_bytes() == "schön\n".encode()
    assert names(tmp_path / "a" / "b") == ["note.txt"]


def test_json_reads_back(tmp_path):
    write_json(tmp_path / "m.json", {"nll_nats": 1.5, "label": "Zürich"})
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"nll_nats": 1.5, "label": "Zürich"}
    assert "Zürich" in text
    assert text.endswith("}\n")


def test_what_is_no_finite_number_is_null_in_json(tmp_path):
    obj = {"perplexity": float("inf"), "lines": [{"figure": float("nan")}, (1.5, 2, "inf", True)]}
    write_json(tmp_path / "m.json", obj)
    found = json.loads((tmp_path / "m.json").read_text(), parse_constant=pytest.fail)
    assert found == {"perplexity": None, "lines": [{"figure": None}, [1.5, 2, "inf", True]]}


def test_the_temporary_file_stands_beside_and_keeps_the_suffix(tmp_path):
    with atomic_write(tmp_path / "grid.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        assert not (tmp_path / "grid.png").exists()
        temporary.write_bytes(b"x")
    assert names(tmp_path) == ["grid.png"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_the_old_file_and_no_litter(tmp_path, failure):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(failure), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert names(tmp_path) == ["note.txt"]


def test_a_full_disk_is_one_clear_line(tmp_path):
    with pytest.raises(OutputError) as caught, atomic_write(tmp_path / "x.bin") as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    message = str(caught.value)
    assert "x.bin" in message
    assert "disk is full" in message
    assert "\n" not in message
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(OutputError, match="not a folder"):
        write_text(tmp_path / "runs" / "note.txt", "x")
    with pytest.raises(OutputError, match="not a folder"):
        make_folder(tmp_path / "runs")


def test_a_folder_is_not_overwritten_by_a_file(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(OutputError, match="This is a folder: name a file"):
        write_text(tmp_path / "runs", "x")
    assert names(tmp_path) == ["runs"]


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs a device file")
def test_a_device_is_not_replaced():
    with pytest.raises(OutputError, match="This is a device"):
        write_text("/dev/null", "x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_files_get_the_rights_that_open_gives(tmp_path):
    (tmp_path / "plain.txt").write_text("x")
    write_text(tmp_path / "atomic.txt", "x")
    assert (tmp_path / "atomic.txt").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode


def test_output_errors_are_errors_of_this_package_and_of_the_system():
    assert issubclass(OutputError, PixelCNNError)
    assert issubclass(OutputError, OSError)


def test_a_folder_is_made_and_left_empty(tmp_path):
    assert make_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert names(tmp_path / "a" / "b") == []


def work(folder: Path, written: str, error: BaseException) -> None:
    """Writes a file, then fails."""
    with pytest.raises(type(error)), provisional_folder(folder, keep="checkpoints") as place:
        write_text(place / written, "x")
        raise error


def test_a_refusal_takes_a_new_folder_away_with_what_was_written(tmp_path):
    work(tmp_path / "runs" / "one", "config.yaml", ConfigError())
    assert names(tmp_path) == []


def test_work_that_has_begun_stays(tmp_path):
    work(tmp_path / "one", "checkpoints/last.ckpt", ConfigError())
    assert names(tmp_path / "one") == ["checkpoints"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PixelCNNError(), RuntimeError()])
def test_what_was_written_stays_after_any_other_failure(tmp_path, error):
    work(tmp_path / "one", "config.yaml", error)
    assert names(tmp_path / "one") == ["config.yaml"]


def test_a_folder_that_was_there_stays_whole(tmp_path):
    work(tmp_path, "config.yaml", ConfigError())
    assert names(tmp_path) == ["config.yaml"]


def test_what_killed_writers_left_is_removed_by_name(tmp_path):
    names = ["a.npz", ".a-0123456789ab.npz", ".b-0123456789ab.npz", ".a-0123.npz", ".a.npz"]
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, {"a.npz"})
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {names[1]}


def test_a_temporary_name_is_known_as_a_leftover(tmp_path):
    with atomic_write(tmp_path / "a.npz") as temporary:
        temporary.touch()
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / temporary.name).touch()
    remove_leftovers(tmp_path / "copy", {"a.npz"})
    assert list((tmp_path / "copy").iterdir()) == []


def test_files_of_a_folder_appear_together_and_spare_others(tmp_path):
    folder = tmp_path / "new" / "report"
    for text in ("old", "newer"):
        with atomic_folder(folder) as temporary:
            assert list(temporary.iterdir()) == []
            (temporary / "page.html").write_text(text)
        (folder / "mine.txt").write_text("stays")
    assert (folder / "page.html").read_text() == "newer"
    with pytest.raises(RuntimeError), atomic_folder(folder) as temporary:
        (temporary / "page.html").write_text("half")
        raise RuntimeError
    assert names(folder) == ["mine.txt", "page.html"] and names(tmp_path / "new") == ["report"]
    assert (folder / "page.html").read_text() == "newer"
    with pytest.raises(OutputError), atomic_folder(folder / "mine.txt" / "below"):
        pass


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    seen, fsync = [], os.fsync

    def flushed(number):
        seen.append((os.fstat(number).st_size, names(tmp_path)[0] == "note.txt"))
        fsync(number)

    monkeypatch.setattr(os, "fsync", flushed)
    write_text(tmp_path / "note.txt", "whole")
    assert seen == [(5, False)]
