"""The cached headers of a folder of images."""

import os
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from pixelcnn.data import DataWarning
from pixelcnn.data.files import headers, index_cache
from pixelcnn.data.files.folder_index import folder_headers
from pixelcnn.data.files.listing import list_images
from pixelcnn.errors import DataError

RNG = np.random.default_rng(0)
NAMES = ("a/1.png", "a/2.png", "b/1.png", "b/deep/2.png")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where indices are kept, of however few images."""
    monkeypatch.setattr(index_cache, "MIN_IMAGES", 1)
    monkeypatch.setenv("PIXELCNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folders"


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        save(tmp_path / "images" / name)
    return tmp_path / "images"


@pytest.fixture
def opened(monkeypatch):
    """The names of the files whose headers are read, from here on."""
    names = []
    read = headers.read_image_header

    def noted(path, name):
        names.append(path.name)
        return read(path, name)

    monkeypatch.setattr(headers, "read_image_header", noted)
    return names


def save(path, *, size=(4, 6), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = size if mode == "L" else (*size, 3)
    Image.fromarray(RNG.integers(256, size=shape, dtype=np.uint8)).save(path)


def index(folder, **options):
    return folder_headers(list_images(folder), **options)[0]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


def test_the_second_start_opens_no_file(folder, cache, opened):
    first = index(folder)
    assert sorted(opened) == ["1.png", "1.png", "2.png", "2.png"]
    opened.clear()
    second = index(folder)
    assert opened == []
    for part in ("sizes", "grey", "whole", "known"):
        assert np.array_equal(getattr(first, part), getattr(second, part))
    assert second.sizes.tolist() == [[4, 6]] * 4 and not second.grey.any()


def test_a_process_that_waited_for_another_opens_no_file(folder, cache, opened, monkeypatch):
    turn = index_cache.exclusive_lock

    @contextmanager
    def after_another(lock, *, on_wait):
        monkeypatch.setattr(index_cache, "exclusive_lock", turn)
        index(folder)
        opened.clear()
        on_wait()
        with turn(lock, on_wait=on_wait):
            yield

    monkeypatch.setattr(index_cache, "exclusive_lock", after_another)
    with pytest.warns(DataWarning, match=r"opening the images of .*images: waiting for its index"):
        assert index(folder).known.all()
    assert opened == []
    assert [file.suffix for file in cache.iterdir()] == [".npz"]


def test_few_images_are_not_cached(folder, cache, opened, monkeypatch):
    monkeypatch.setattr(index_cache, "MIN_IMAGES", 5)
    index(folder)
    index(folder)
    assert len(opened) == 8 and not cache.exists()


def added(folder):
    save(folder / "a" / "3.png", mode="L")


def changed(folder):
    save(folder / "a" / "2.png", size=(8, 8))


def replaced_within_its_time_and_size(folder):
    path = folder / "a" / "2.png"
    before = path.stat()
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def renamed(folder):
    (folder / "b" / "1.png").rename(folder / "b" / "9.png")


def removed(folder):
    (folder / "b" / "1.png").unlink()


@pytest.mark.parametrize(
    ("change", "reread"),
    [
        (added, ["3.png"]),
        (changed, ["2.png"]),
        (replaced_within_its_time_and_size, ["2.png"]),
        (renamed, ["9.png"]),
        (removed, []),
    ],
)
def test_only_what_has_changed_is_read_again(folder, cache, opened, change, reread):
    index(folder)
    change(folder)
    opened.clear()
    found = index(folder)
    assert opened == reread
    assert np.array_equal(found.sizes, index(folder).sizes), "the change was not kept"
    assert opened == reread
    cache.joinpath(next(cache.iterdir())).unlink()
    fresh = index(folder)
    assert np.array_equal(found.sizes, fresh.sizes) and np.array_equal(found.grey, fresh.grey)


def torn(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def another_kind(path):
    np.savez(path, x_train=np.zeros(3))


def another_folder(path):
    with np.load(path) as loaded:
        arrays = {**loaded, "key": "/elsewhere"}
    np.savez(path, **arrays)


def parts_that_do_not_fit(path):
    with np.load(path) as loaded:
        arrays = {**loaded, "sizes": loaded["sizes"][:-1]}
    np.savez(path, **arrays)


def pickled(path):
    np.savez(path, format=np.array([{}], dtype=object))


@pytest.mark.parametrize(
    "damage",
    [torn, flipped, empty, another_kind, another_folder, parts_that_do_not_fit, pickled],
)
def test_an_unusable_index_is_made_again_with_a_warning(folder, cache, opened, damage):
    first = index(folder)
    damage(next(cache.iterdir()))
    opened.clear()
    with pytest.warns(DataWarning, match=r"cannot be used .* and is made anew"):
        again = index(folder)
    assert len(opened) == 4 and np.array_equal(first.sizes, again.sizes)
    index(folder)
    assert len(opened) == 4


def test_a_place_that_cannot_be_written_costs_a_word_and_no_run(folder, cache):
    cache.parent.write_text("a file, where a folder should be")
    with pytest.warns(DataWarning) as said:
        assert len(index(folder).sizes) == 4
    assert any("Without an index" in str(each.message) for each in said)


def test_headers_read_before_a_broken_file_are_cached(folder, cache, opened):
    (folder / "b" / "1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"b/1\.png cannot be read as an image"):
        index(folder)
    save(folder / "b" / "1.png")
    opened.clear()
    assert index(folder).known.all()
    assert opened == ["1.png", "2.png"]


def test_a_truncated_body_is_found_once_and_looked_for_again_only_there(folder, cache, opened):
    truncate(folder / "a" / "2.png")
    assert index(folder).known.all(), "a header does not show it"
    found, errors = folder_headers(list_images(folder), skip_broken=True)
    assert found.whole.tolist() == [True, False, True, True] and list(errors) == [1]
    opened.clear()
    again, errors = folder_headers(list_images(folder), skip_broken=True)
    assert again.whole.tolist() == [True, False, True, True] and list(errors) == [1]
    assert opened == []
    save(folder / "a" / "2.png")
    assert index(folder, skip_broken=True).whole.all()


def test_two_folders_have_an_index_each(folder, cache):
    index(folder)
    index(folder / "a")
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"PIXELCNN_CACHE": "/mine"}, "/mine"),
        ({"XDG_CACHE_HOME": "/usual"}, "/usual/pixelcnn"),
        ({"HOME": "/home/ada"}, "/home/ada/.cache/pixelcnn"),
    ],
)
def test_the_place_can_be_chosen(settings, place, monkeypatch):
    for name in ("PIXELCNN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert str(index_cache.cache_folder()) == place
