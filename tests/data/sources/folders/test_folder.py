import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.data import DataWarning, FileImageSet, TensorImageSet, batches, load_data
from pixelcnn.data.sources.folders.folder import read_folder
from pixelcnn.errors import ConfigError, DataError

RNG = np.random.default_rng(0)


def save(path, *, size=(6, 8), mode="RGB"):
    """Writes a random image of (height, width) and returns its pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = size if mode == "L" else (*size, len(mode))
    pixels = RNG.integers(256, size=shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_images_arrive_exactly_in_the_order_of_their_names(tmp_path):
    written = [save(tmp_path / name) for name in ("a.png", "b.bmp", "c.ppm", "d.tif")]
    source = read_folder(tmp_path)
    assert source.train.spec.shape == (3, 6, 8)
    assert np.array_equal(source.train.images.permute(0, 2, 3, 1).numpy(), np.stack(written))
    assert source.label_names is None


def test_lossy_formats_and_capital_endings_are_read(tmp_path):
    for name in ("a.jpg", "b.JPEG", "c.webp", "d.PNG"):
        save(tmp_path / name)
    assert len(read_folder(tmp_path).train) == 4


def test_other_and_hidden_files_are_left_out(tmp_path):
    save(tmp_path / "cat" / "a.png")
    save(tmp_path / "cat" / ".hidden.png")
    save(tmp_path / "cat" / ".cache" / "b.png")
    save(tmp_path / ".trash" / "c.png")
    (tmp_path / "notes.txt").write_text("not an image")
    assert len(read_folder(tmp_path).train) == 1


def test_only_folders_of_grey_files_are_grey(tmp_path):
    grey = save(tmp_path / "a.png", mode="L")
    images = read_folder(tmp_path).train.images
    assert np.array_equal(images[0, 0].numpy(), grey)
    save(tmp_path / "b.png")
    assert read_folder(tmp_path).train.spec.channels == 3
    assert read_folder(tmp_path, channels=1).train.spec.channels == 1


def test_sixteen_bits_are_rounded_to_eight_not_cut_off(tmp_path):
    wide = np.array([[0, 128, 129, 32_768, 65_535]], np.uint16)
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert read_folder(tmp_path).train.images.flatten().tolist() == [0, 0, 1, 128, 255]


def deep(path, highest, count=3, shape=(6, 8)):
    """Writes files of 16 bits per sample that use levels up to `highest`; returns their levels."""
    found = []
    for number in range(count):
        x = RNG.integers(highest + 1, size=shape).astype(np.uint16)
        x[0, 0] = highest
        Image.fromarray(x).save(path / f"{number}.png")
        found.append(x.astype(int))
    return np.stack(found)[:, None]


@pytest.mark.parametrize(("highest", "bits"), [(59, 6), (4095, 12), (32_767, 15)])
@pytest.mark.parametrize("above", [2**30, 0], ids=["held", "streamed"])
def test_few_bits_of_sixteen_are_refused_and_kept_exactly_once_stated(
    tmp_path, highest, bits, above
):
    levels = deep(tmp_path, highest)
    with pytest.raises(DataError, match=rf"uses {bits} bits, .* `data\.bits={bits}`"):
        read_folder(tmp_path, stream_above_bytes=above)
    images = read_folder(tmp_path, bits=bits, stream_above_bytes=above).train
    assert images.spec.levels == 2**bits
    (x,) = images.read([torch.arange(3)])
    assert np.array_equal(x.numpy(), levels)
    with pytest.raises(DataError, match=rf"0\.png must hold levels .* `data\.bits={bits - 1}`"):
        few = read_folder(tmp_path, bits=bits - 1, stream_above_bytes=above)
        next(few.train.read([torch.tensor([0])]))


def test_files_of_sixteen_bits_are_rounded_with_a_note(tmp_path):
    deep(tmp_path, 65_535)
    assert read_folder(tmp_path).notes == ("16 bits rounded to 8",)
    save(tmp_path / "8.png", mode="L")
    with pytest.raises(DataError, match=r"8\.png has 8 bits per channel, and `data\.bits` is 12"):
        read_folder(tmp_path, bits=12)


def test_few_levels_of_eight_bits_are_named(tmp_path):
    Image.fromarray(np.full((6, 8), 59, np.uint8)).save(tmp_path / "a.png")
    source = read_folder(tmp_path)
    assert source.train.spec.levels == 256
    assert source.notes == ("no levels above 59 of 256: `data.bits=6` keeps those",)
    assert read_folder(tmp_path, bits=6).train.spec.levels == 64
    Image.fromarray(np.eye(6, 8, dtype=np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"holds only 0 and 1 of 8 bits .* `data\.bits=1`"):
        read_folder(tmp_path)


def stack(path, count=3, mode="L"):
    pages = [RNG.integers(256, size=(6, 8, 3), dtype=np.uint8) for _ in range(count)]
    images = [Image.fromarray(page).convert(mode) for page in pages]
    path.parent.mkdir(exist_ok=True)
    images[0].save(path, save_all=True, append_images=images[1:])
    return np.stack([np.asarray(image) for image in images])


def test_pages_are_what_is_said_of_them(tmp_path):
    found = np.stack([stack(tmp_path / split / "1.tif") for split in ("cat", "dog")])
    with pytest.raises(DataError, match=r"1\.tif holds 3 pages\. Say by `data\.pages` what"):
        read_folder(tmp_path)
    source = read_folder(tmp_path, pages="images")
    assert np.array_equal(source.train.images[:, 0], found.reshape(6, 6, 8))
    assert source.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert source.notes == ("6 pages of 2 files, an image each, held out page by page",)
    assert np.array_equal(read_folder(tmp_path, pages="channels").train.images, found)
    first = read_folder(tmp_path, pages="first")
    assert np.array_equal(first.train.images, found[:, :1])
    assert first.notes == ("only the first of 6 pages in 2 files",)


def test_pages_that_are_no_channels_are_refused(tmp_path):
    stack(tmp_path / "a.tif", mode="RGB")
    with pytest.raises(DataError, match=r"Pages must be grey with `data\.pages` 'channels'"):
        read_folder(tmp_path, pages="channels")
    stack(tmp_path / "b.tif", count=2)
    with pytest.raises(DataError, match=r"a\.tif has 3, .*b\.tif has 2"):
        read_folder(tmp_path, pages="channels")


def test_ids_are_scaled_to_the_nearest_pixel_and_palettes_keep_them(tmp_path):
    ids = RNG.choice([1, 7, 200], (9, 12)).astype(np.uint8)
    image = Image.new("P", (12, 9))
    image.putdata(ids.flatten().tolist())
    image.putpalette(RNG.integers(256, size=768, dtype=np.uint8).tobytes())
    image.save(tmp_path / "a.png")
    whole = read_folder(tmp_path, categorical=True).train.images
    assert whole.shape == (1, 1, 9, 12) and np.array_equal(whole[0, 0], ids)
    small = read_folder(tmp_path, categorical=True, image_size=(5, 5)).train.images
    assert set(small.unique().tolist()) <= {1, 7, 200}
    assert read_folder(tmp_path).train.spec.channels == 3
    save(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"b\.png .* mode RGB, not one number each"):
        read_folder(tmp_path, categorical=True, image_size=(5, 5))


def test_transparent_pixels_are_laid_on_white(tmp_path):
    Image.fromarray(np.array([[[9, 9, 9, 0], [9, 8, 7, 255]]], np.uint8)).save(tmp_path / "a.png")
    images = read_folder(tmp_path).train.images
    assert images[0, :, 0].T.tolist() == [[255, 255, 255], [9, 8, 7]]


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_images_are_turned_as_they_say(tmp_path, ending):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = np.zeros((8, 16), np.uint8)
    image[:, :8] = 200
    Image.fromarray(image).save(tmp_path / f"a.{ending}", exif=exif)
    (x,) = read_folder(tmp_path).train.images
    assert x.shape == (1, 16, 8) and (x[0, :7] > 150).all() and (x[0, 9:] < 50).all()


def test_one_sub_folder_per_class_gives_labels(tmp_path):
    for name in ("dog/1.png", "cat/2.png", "cat/deep/3.png"):
        save(tmp_path / name)
    source = read_folder(tmp_path)
    assert source.label_names == ("cat", "dog")
    assert source.train.labels.tolist() == [0, 0, 1]


def test_sub_folders_named_for_splits_are_splits(tmp_path):
    for name in ("train/cat/1.png", "train/dog/2.png", "test/dog/3.png", "val/cat/4.png"):
        save(tmp_path / name)
    source = read_folder(tmp_path)
    assert [len(part) for part in (source.train, source.val, source.test)] == [2, 1, 1]
    assert source.test.labels.tolist() == [1]
    assert source.label_names == ("cat", "dog")


def test_a_size_is_brought_about_by_scaling_and_cropping(tmp_path):
    save(tmp_path / "a.png", size=(12, 16))
    save(tmp_path / "b.png", size=(9, 6))
    assert read_folder(tmp_path, image_size=(3, 4)).train.images.shape == (2, 3, 3, 4)


def test_differing_sizes_without_a_size_name_two_files(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", size=(6, 9))
    with pytest.raises(DataError, match=r"a\.png has 6×8, .*b\.png has 6×9.*`image_size`"):
        read_folder(tmp_path)


def break_file(path):
    save(path, size=(40, 40))
    path.write_bytes(path.read_bytes()[:-900])


@pytest.mark.parametrize("name", ["broken.png", "broken.jpg", "broken.webp", "broken.bmp"])
def test_a_truncated_file_is_named(tmp_path, name):
    break_file(tmp_path / name)
    with pytest.raises(DataError, match=rf"{name} cannot be read as an image"):
        read_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_named(tmp_path, content):
    save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(content)
    with pytest.raises(DataError, match=r"b\.png cannot be read as an image"):
        read_folder(tmp_path)


def test_folders_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        read_folder(tmp_path / "absent")
    with pytest.raises(DataError, match="holds no images"):
        read_folder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match=r"class folder .*cat holds no images"):
        read_folder(tmp_path)
    save(tmp_path / "cat" / "a.png")
    save(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"in itself \(b\.png\) and in sub-folders \(cat\)"):
        read_folder(tmp_path)
    with pytest.raises(ConfigError, match="must be 1 or 3, got 2"):
        read_folder(tmp_path, channels=2)


def test_test_images_need_training_images_and_their_classes(tmp_path):
    save(tmp_path / "test" / "owl" / "a.png")
    with pytest.raises(DataError, match="`test` but no folder `train`"):
        read_folder(tmp_path)
    save(tmp_path / "train" / "cat" / "b.png")
    with pytest.warns(DataWarning, match=r"1 of 1 test images .* \(owl: no training images\)"):
        source = read_folder(tmp_path)
    assert source.test.labels is None and source.train.labels.tolist() == [0]


def splits_of(path):
    source = read_folder(path)
    return [part and len(part) for part in (source.train, source.val, source.test)]


@pytest.mark.parametrize(
    "names",
    [
        ("training", "valid", "testing"),
        ("Train", "DEV", "Test"),
        ("images_train", "val2017", "test-set"),
    ],
)
def test_splits_are_known_by_any_spelling(tmp_path, names):
    for count, name in enumerate(names, 1):
        for number in range(count):
            save(tmp_path / name / f"{number}.png")
    assert splits_of(tmp_path) == [1, 2, 3]


def test_what_lies_beside_splits_is_named_or_refused(tmp_path):
    for name in ("train/1.png", "bus/2.png"):
        save(tmp_path / name)
    with pytest.raises(DataError, match=r"`train`, which is a split, and .* `bus`\. .* is a class"):
        read_folder(tmp_path)
    save(tmp_path / "test" / "3.png")
    with pytest.warns(DataWarning, match="without the folder bus, which is no split"):
        source = read_folder(tmp_path)
    assert source.notes == ("without the folder bus",) and len(source.train) == 1
    save(tmp_path / "4.png")
    with pytest.raises(DataError, match=r"beside it images \(4\.png\)"):
        read_folder(tmp_path)


def test_two_folders_of_one_split_are_refused(tmp_path):
    for name in ("train/1.png", "val/2.png", "validation/3.png"):
        save(tmp_path / name)
    with pytest.raises(DataError, match="two folders for the split `val`, `val` and `validation`"):
        read_folder(tmp_path)


def test_links_that_lead_nowhere_are_broken_files(tmp_path):
    save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("gone.png")
    with pytest.raises(DataError, match=r"b\.png .* link that leads nowhere, to gone\.png\. Fetch"):
        read_folder(tmp_path)
    with pytest.warns(DataWarning, match="1 broken file left out"):
        assert len(read_folder(tmp_path, skip_broken_files=True).train) == 1


@pytest.fixture
def both(tmp_path):
    """The same folder of 20 images of 2 classes, held and streamed."""
    for number in range(20):
        save(tmp_path / f"{number % 2}" / f"{number:02}.png")

    def load(**options):
        held = load_data(f"folder:{tmp_path}", image_size=4, **options)
        return held, load_data(f"folder:{tmp_path}", image_size=4, stream_above_bytes=0, **options)

    return load


@pytest.mark.parametrize(
    "options",
    [{}, {"levels": 5}, {"binarization": "threshold"}, {"binarization": "dynamic"}],
    ids=str,
)
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_streamed_images_are_those_held_in_memory(both, options, split):
    held, streamed = (getattr(data, split) for data in both(**options))
    assert isinstance(held, TensorImageSet)
    assert isinstance(streamed, FileImageSet)
    assert held.spec == streamed.spec
    for _ in range(2):
        loaded = (batches(part, 3, shuffle=True, augment=True) for part in (held, streamed))
        for one, other in zip(*loaded, strict=True):
            assert one.x.dtype == other.x.dtype == torch.int64
            assert torch.equal(one.x, other.x)
            assert torch.equal(one.labels, other.labels)


# Python from 3.12 on warns of every fork of a process with threads, which PyTorch always has.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
# PyTorch warns of more workers than there are processors.
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_workers_keep_the_order_and_leave_the_global_generator_alone(both):
    _, streamed = both()
    state = torch.random.get_rng_state()
    alone = [batch.x for batch in batches(streamed.train, 4)]
    helped = [batch.x for batch in batches(streamed.train, 4, num_workers=2)]
    assert all(torch.equal(x, y) for x, y in zip(alone, helped, strict=True))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_file_that_breaks_while_streaming_is_named_in_one_line(both, tmp_path, num_workers):
    _, streamed = both()
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"\.png cannot be read as an image") as caught:
        list(batches(streamed.train, 4, num_workers=num_workers))
    assert "\n" not in str(caught.value)


BROKEN = {
    "cut.png": lambda content: content[: len(content) // 2],
    "cut.jpg": lambda content: content[: len(content) // 2],
    "empty.png": lambda content: b"",
    "text.png": lambda content: b"not an image",
    "headless.png": lambda content: content[8:],
    "header-only.png": lambda content: content[:33],
}


@pytest.fixture
def damaged(tmp_path):
    """Two classes of eight whole images, and broken ones of every kind among them."""
    for number in range(16):
        save(tmp_path / f"{number % 2}" / f"{number:02}.png", size=(6, 8))
    for number, (name, damage) in enumerate(BROKEN.items()):
        path = tmp_path / f"{number % 2}" / name
        save(path, size=(6, 8))
        path.write_bytes(damage(path.read_bytes()))
    return tmp_path


def load_damaged(folder, **options):
    with pytest.warns(DataWarning, match=r"6 broken files left out of .*: .*cut\.png, .* 3 more\."):
        return load_data(f"folder:{folder}", skip_broken_files=True, **options)


@pytest.mark.parametrize("options", [{}, {"stream_above_bytes": 0}], ids=["held", "streamed"])
def test_broken_files_are_skipped_counted_and_named_if_set(damaged, options):
    data = load_damaged(damaged, **options)
    assert [len(part) for part in (data.train, data.val, data.test)] == [13, 1, 2]
    assert data.protocol.endswith("(validation and test from training; 6 broken files left out)")
    whole = damaged.parent / "whole"
    for path in damaged.rglob("??.png"):
        (whole / path.parent.name).mkdir(parents=True, exist_ok=True)
        (whole / path.parent.name / path.name).write_bytes(path.read_bytes())
    expected = load_data(f"folder:{whole}")
    for split in ("train", "val", "test"):
        one, other = (list(batches(getattr(each, split), 4)) for each in (data, expected))
        for x, y in zip(one, other, strict=True):
            assert torch.equal(x.x, y.x) and torch.equal(x.labels, y.labels)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_which_files_are_skipped_is_decided_before_a_worker_decodes_any(damaged):
    data = load_damaged(damaged, stream_above_bytes=0)
    alone = [batch.x for batch in batches(data.train, 4)]
    loader = batches(data.train, 4, num_workers=1)
    for _ in range(2):
        assert all(torch.equal(x.x, y) for x, y in zip(loader, alone, strict=True))
    loader.close()


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("options", [{}, {"stream_above_bytes": 0}], ids=["held", "streamed"])
def test_by_default_the_first_broken_file_ends_the_run_by_name(damaged, name, options):
    for other in BROKEN:
        if other != name:
            next(damaged.rglob(other)).unlink()
    with pytest.raises(DataError, match=rf"{name} cannot be read as an image"):
        data = load_data(f"folder:{damaged}", **options)
        for part in (data.train, data.val, data.test):
            list(batches(part, 4))


def test_where_nothing_can_be_read_nothing_is_skipped(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"Not one of the images can be read \(1\)\. .*a\.png"):
        read_folder(tmp_path, skip_broken_files=True)


def test_skipping_is_for_image_files(tmp_path):
    with pytest.raises(
        ConfigError, match="`skip_broken_files` is for folder and hf alone, got True for digits"
    ):
        load_data("digits", skip_broken_files=True)


def test_a_table_names_the_labels_of_images(tmp_path):
    for name in ("train/a.png", "train/deep/b.png", "train/c.png", "test/a.png", "test/d.png"):
        save(tmp_path / name)
    table = tmp_path / "labels.csv"
    rows = ["train/a.png,owl", "deep/b.png,cat", "c.png,owl", "test/a.png,cat", "test/d.png,emu"]
    table.write_text("\n".join(["file_name,label", *rows]))
    with pytest.warns(DataWarning, match=r"1 of 2 test images .* \(emu: no training images\)"):
        source = read_folder(tmp_path, labels=table)
    assert source.label_names == ("cat", "owl") and source.test.labels is None
    assert source.train.labels.tolist() == [1, 1, 0]  # a, c, deep/b
    table.write_text("\n".join(["image,kind", *rows, "gone.png,owl"]))
    with pytest.raises(DataError, match=r"names 1 files that .* the first 'gone\.png'"):
        read_folder(tmp_path, labels=table)
    table.write_text("a,b\n1,2")
    with pytest.raises(DataError, match=r"one column of file_name, .* got a, b"):
        read_folder(tmp_path, labels=table)
    with pytest.raises(ConfigError, match="`label_depth` must be left out with `labels`"):
        read_folder(tmp_path, labels=table, label_depth=1)
