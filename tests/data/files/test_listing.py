"""The listing of a folder of images, which opens no file."""

import pytest

from pixelcnn.data.data_warnings import DataWarning
from pixelcnn.data.files.listing import list_images
from pixelcnn.errors import DataError


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * len(name))


def names_of(listing):
    return [listing.paths.name(i) for i in range(len(listing.paths))]


def test_the_order_is_that_of_sorted_paths(tmp_path):
    names = ["k/b.png", "k/b/x.png", "k/b-1.png", "k/a/z.png", "k/B.png", "k/b.d/y.png", "j/0.png"]
    touch(tmp_path, *names)
    in_order = sorted(tmp_path / name for name in names)
    assert [tmp_path / name for name in names_of(list_images(tmp_path))] == in_order


def test_stamps_are_size_and_times_of_the_very_files(tmp_path):
    touch(tmp_path, "a.png", "long-name.png")
    listing = list_images(tmp_path)
    for name, stamp in zip(names_of(listing), listing.stamps.tolist(), strict=True):
        stat = (tmp_path / name).stat()
        assert stamp == [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def test_classes_are_counted_in_the_order_of_their_names(tmp_path):
    touch(tmp_path, "dog/1.png", "cat/2.png", "cat/deep/3.png", "cat/notes.txt")
    assert list_images(tmp_path).classes == (("cat", 2), ("dog", 1))


def test_loose_images_have_no_class_and_empty_folders_beside_them_do_not_matter(tmp_path):
    touch(tmp_path, "a.png")
    (tmp_path / "empty").mkdir()
    listing = list_images(tmp_path)
    assert listing.classes == () and names_of(listing) == ["a.png"]


def test_a_class_may_be_a_link_and_a_link_round_in_a_circle_is_not_followed(tmp_path):
    touch(tmp_path / "elsewhere", "1.png")
    touch(tmp_path / "images", "dog/1.png")
    (tmp_path / "images" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "images" / "dog" / "round").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "dog" / "2.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    (tmp_path / "images" / "dog" / "3.png").symlink_to(tmp_path / "gone.png")
    with pytest.warns(DataWarning, match=r"dog/round is a link to a folder within a class"):
        names = names_of(list_images(tmp_path / "images"))
    assert names == ["cat/1.png", "dog/1.png", "dog/2.png", "dog/3.png"]


def test_a_link_that_leads_nowhere_and_may_have_been_a_class_is_refused(tmp_path):
    touch(tmp_path, "dog/1.png")
    (tmp_path / "cat").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"cat is a link that leads nowhere, to .*gone\. Fetch"):
        list_images(tmp_path)


@pytest.mark.parametrize(
    ("depth", "classes"),
    [(0, ()), (1, (("cat", 3),)), (2, (("cat/big", 1), ("cat/small", 2)))],
)
def test_as_many_folders_as_set_name_the_class(tmp_path, depth, classes):
    touch(tmp_path, "cat/big/1.png", "cat/small/2.png", "cat/small/3.png")
    listing = list_images(tmp_path, label_depth=depth)
    assert listing.classes == classes and len(listing.paths) == 3


def test_images_in_fewer_folders_than_name_the_class_are_refused(tmp_path):
    touch(tmp_path, "cat/1.png", "cat/small/2.png")
    with pytest.raises(DataError, match=r"cat/1\.png must lie in 2 folders, .* got 1"):
        list_images(tmp_path, label_depth=2)


def test_a_folder_named_like_an_image_is_a_folder(tmp_path):
    touch(tmp_path, "cat/a.png/b.png")
    assert names_of(list_images(tmp_path)) == ["cat/a.png/b.png"]


def test_images_inside_and_outside_of_sub_folders_are_refused(tmp_path):
    touch(tmp_path, "cat/deep/1.png", "a.png")
    with pytest.raises(DataError, match=r"in itself \(a\.png\) and in sub-folders \(cat\)"):
        list_images(tmp_path)
