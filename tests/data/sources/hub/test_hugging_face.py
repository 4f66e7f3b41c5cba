"""Tables of the library `datasets`, made here of scikit-learn's digits."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.data import (
    DataWarning,
    FileImageSet,
    TensorImageSet,
    batches,
    load_data,
)
from pixelcnn.data.files import headers, index_cache
from pixelcnn.data.transforms import resize
from pixelcnn.errors import ConfigError, DataError, MissingDependencyError

datasets = pytest.importorskip("datasets", reason="the extra `datasets` is not installed")

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
DIGITS = load_data("digits").train.take(torch.arange(40))
LEVELS = DIGITS.images * 15  # 8 bits of the 17 levels
STORED = {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def png(levels):
    file = BytesIO()
    Image.fromarray(levels.numpy()).save(file, "PNG")
    return file.getvalue()


def table(numbers=range(40), features=STORED, **columns):
    """Some digits with their labels, as a table; other columns may be added, or taken away."""
    cells = {
        "image": [{"bytes": png(LEVELS[number, 0]), "path": None} for number in numbers],
        "label": [int(DIGITS.labels[number]) for number in numbers],
        **columns,
    }
    named = {name: cell for name, cell in cells.items() if name in features}
    return datasets.Dataset.from_dict(named, features=datasets.Features(features))


def as_parquet(path):
    table().to_parquet(path / "digits.parquet")
    return path / "digits.parquet"


def as_arrow(path):
    table().save_to_disk(path / "saved")
    return next((path / "saved").glob("*.arrow"))


def as_saved(path):
    table().save_to_disk(path / "saved")
    return path / "saved"


def as_saved_splits(path):
    datasets.DatasetDict({"train": table()}).save_to_disk(path / "saved")
    return path / "saved"


def as_folder(path):
    (path / "folder").mkdir()
    table(range(15)).to_parquet(path / "folder" / "train-00000-of-00002.parquet")
    table(range(15, 40)).to_parquet(path / "folder" / "train-00001-of-00002.parquet")
    return path / "folder"


@pytest.mark.parametrize("write", [as_parquet, as_arrow, as_saved, as_saved_splits, as_folder])
@pytest.mark.parametrize("above", [2**30, 0], ids=["held", "streamed"])
def test_a_table_of_digits_is_the_digits(tmp_path, write, above):
    path = write(tmp_path)
    data = load_data(f"hf:{path}", stream_above_bytes=above)
    assert isinstance(data.train, FileImageSet if above == 0 else TensorImageSet)
    assert data.label_names == tuple(NAMES)
    assert data.spec.as_dict() == {"channels": 1, "height": 8, "width": 8, "levels": 256}
    assert data.protocol.startswith(f"hf:{path.name}, 256 levels, 32/4/4 (validation and test")
    found = [batch for part in (data.train, data.val, data.test) for batch in batches(part, 7)]
    x = {image.numpy().tobytes() for batch in found for image in batch.x}
    assert x == {image.numpy().tobytes() for image in LEVELS.long()}
    labels = torch.cat([batch.labels for batch in found]).sort().values
    assert torch.equal(labels, DIGITS.labels.sort().values)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_workers_read_the_same_images_of_a_table(tmp_path):
    data = load_data(f"hf:{as_parquet(tmp_path)}", stream_above_bytes=0, image_size=6)
    alone = batches(data.train, 5, shuffle=True)
    helped = batches(data.train, 5, shuffle=True, num_workers=1)
    for _ in range(2):
        for one, other in zip(alone, helped, strict=True):
            assert torch.equal(one.x, other.x) and torch.equal(one.labels, other.labels)
    helped.close()
    assert "resized to 6×6" in data.protocol
    number = int((DIGITS.labels == data.train.labels[0]).nonzero()[0])
    (first,) = data.train.read([torch.tensor([0])])
    assert torch.equal(
        first[0].long(), resize(LEVELS[number : number + 1], levels=256, size=(6, 6))[0]
    )


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_splits_are_known_by_their_names_and_others_are_noted(tmp_path, name):
    splits = {"train": range(20), name: range(20, 30), "test": range(30, 37), "extra": range(5)}
    found = {split: table(numbers) for split, numbers in splits.items()}
    datasets.DatasetDict(found).save_to_disk(tmp_path)
    data = load_data(f"hf:{tmp_path}")
    assert [len(part) for part in (data.train, data.val, data.test)] == [20, 10, 7]
    assert data.protocol.endswith("(its own validation images; without its split extra)")
    assert torch.equal(data.test.images, LEVELS[30:37])


def test_the_only_split_serves_for_training_whatever_its_name(tmp_path):
    datasets.DatasetDict({"full": table()}).save_to_disk(tmp_path)
    assert len(load_data(f"hf:{tmp_path}").train) == 32


def test_several_splits_without_one_to_train_on_are_refused(tmp_path):
    found = {"one": table(range(5)), "test": table(range(5))}
    datasets.DatasetDict(found).save_to_disk(tmp_path)
    with pytest.raises(DataError, match="must have a split `train`, got one, test"):
        load_data(f"hf:{tmp_path}")


def write(path, **options):
    table(**options).to_parquet(path / "one.parquet")
    return f"hf:{path / 'one.parquet'}"


def test_of_several_columns_of_a_kind_one_must_be_named(tmp_path):
    blank = [{"bytes": png(LEVELS[0, 0]), "path": None}] * 40
    features = {**STORED, "mask": datasets.Image(), "style": datasets.ClassLabel(names=["a", "b"])}
    name = write(tmp_path, features=features, mask=blank, style=[0, 1] * 20)
    with pytest.raises(DataError, match=r"got 2\. .*`data.image_column`: image \(.*, mask \("):
        load_data(name)
    with pytest.raises(DataError, match=r"`data\.label_column`: label, style"):
        load_data(name, image_column="image")
    data = load_data(name, image_column="mask", label_column="style")
    assert data.label_names == ("a", "b")
    assert torch.equal(data.train.images[3], LEVELS[0])


def test_bytes_and_integers_without_their_types_serve_when_they_are_named(tmp_path):
    features = {"png": datasets.Value("binary"), "label": datasets.Value("int64")}
    name = write(tmp_path, features=features, png=[png(x[0]) for x in LEVELS])
    with pytest.raises(DataError, match=r"type Image, got 0\. .*label \(int64\), png \(binary\)"):
        load_data(name)
    assert load_data(name, image_column="png").label_names is None
    data = load_data(name, image_column="png", label_column="label")
    assert data.label_names == tuple("0123456789")
    with pytest.raises(DataError, match=r"`label` of .* must hold image files, got label \(int64"):
        load_data(name, image_column="label")
    with pytest.raises(DataError, match=r"`png` of .* must hold one integer per image"):
        load_data(name, image_column="png", label_column="png")


@pytest.mark.parametrize("setting", ["image_column", "label_column"])
def test_a_column_that_is_not_there_lists_those_that_are(tmp_path, setting):
    with pytest.raises(ConfigError, match=rf"`data.{setting}` .* got 'picture'. It has: image \("):
        load_data(write(tmp_path), **{setting: "picture"})
    with pytest.raises(ConfigError, match=f"`{setting}` is for hf alone, got 'x' for digits"):
        load_data("digits", **{setting: "x"})


def test_labels_that_are_hidden_are_named(tmp_path):
    found = {"train": table(), "test": table(range(5), label=[-1] * 5)}
    datasets.DatasetDict(found).save_to_disk(tmp_path)
    with pytest.warns(DataWarning, match=r"`label` of .* has 5 of 5 test images without a known"):
        data = load_data(f"hf:{tmp_path}")
    assert data.test.labels is None and data.num_labels == 10
    assert load_data(f"hf:{tmp_path}", label_column="").label_names is None


def test_texts_are_classes_and_unknown_where_training_lacks_them(tmp_path):
    features = {**STORED, "label": datasets.Value("string")}
    kinds = {
        "train": ["dog", "cat"] * 20,
        "validation": ["cat", "dog"] * 2,
        "test": ["cat", None, "owl"],
    }
    found = {
        split: table(range(len(each)), features=features, label=each)
        for split, each in kinds.items()
    }
    datasets.DatasetDict(found).save_to_disk(tmp_path)
    with pytest.warns(DataWarning, match=r"2 of 3 test images without a known label \(owl: no"):
        data = load_data(f"hf:{tmp_path}", label_column="label")
    assert data.label_names == ("cat", "dog")
    assert data.train.labels.tolist() == [1, 0] * 20 and data.val.labels.tolist() == [0, 1] * 2
    assert data.test.labels is None


def test_two_tables_of_one_split_are_refused(tmp_path):
    names = ("train", "val", "validation")
    found = {split: table(range(5)) for split in names}
    datasets.DatasetDict(found).save_to_disk(tmp_path)
    with pytest.raises(DataError, match="two tables for the split `val`, `val` and `validation`"):
        load_data(f"hf:{tmp_path}")


@pytest.mark.parametrize("above", [2**30, 0], ids=["held", "streamed"])
def test_broken_rows_are_named_and_skipped_if_set(tmp_path, above):
    cells = [{"bytes": png(x[0]), "path": None} for x in LEVELS]
    cells[3]["bytes"] = cells[3]["bytes"][:60]
    cells[5]["bytes"] = b"text"
    cells[7]["bytes"] = b""
    cells[9] = None
    name = write(tmp_path, image=cells)
    with pytest.raises(DataError, match=r"Row 5 of .*one\.parquet \(train\) cannot be read as an"):
        load_data(name)
    with pytest.warns(DataWarning, match=r"4 broken files left out of .*: Row 3 of .* and 1 more"):
        data = load_data(name, skip_broken_files=True, stream_above_bytes=above)
    assert sum(len(part) for part in (data.train, data.val, data.test)) == 36
    assert "4 broken files left out" in data.protocol
    for part in (data.train, data.val, data.test):
        for batch in batches(part, 4):
            for x, label in zip(batch.x, batch.labels, strict=True):
                number = (x == LEVELS).flatten(1).all(1).nonzero()[0, 0]
                assert DIGITS.labels[number] == label


@pytest.mark.parametrize("write", [as_parquet, as_arrow, as_saved])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_table_is_named(tmp_path, write, share):
    path = write(tmp_path)
    file = path if path.is_file() else next(path.glob("*.arrow"))
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=f"{path} cannot be read as a data set") as caught:
        load_data(f"hf:{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["none.parquet", "/no/such/folder", "a/b/c"])
def test_a_path_without_anything_is_not_looked_for_on_the_hub(name):
    with pytest.raises(DataError, match=f"There is no file or folder {name}"):
        load_data(f"hf:{name}")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b")
    with pytest.raises(DataError, match=r"must end in \.parquet or \.arrow, got '\.csv'"):
        load_data(f"hf:{tmp_path / 'a.csv'}")


def test_a_set_of_the_hub_is_found_by_its_name_and_offline_the_error_says_what_to_do(monkeypatch):
    asked = []

    def fetch(name, subset):
        asked.append((name, subset))
        if subset is None and name == "several":
            raise ValueError("Config name is missing.\nPlease pick one among: ['a', 'b']\nExample")
        if name in ("ylecun/mnist", "several"):
            return datasets.DatasetDict({"train": table(range(30)), "test": table(range(30, 40))})
        raise ConnectionError(f"Couldn't reach '{name}' on the Hub\nand much more")

    monkeypatch.setattr(datasets, "load_dataset", fetch)
    data = load_data("hf:ylecun/mnist")
    assert data.protocol == "hf:ylecun/mnist, 256 levels, 27/3/10 (validation from training)"
    with pytest.raises(DataError, match=r"away/set .*\(Couldn't .* more\)\. .* hf:PATH") as caught:
        load_data("hf:away/set")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"Please pick one among: \['a', 'b'\]\)\..*`data\.subset`"):
        load_data("hf:several")
    assert load_data("hf:several", subset="b").protocol.startswith("hf:several (b), 256 levels")
    names = [("ylecun/mnist", None), ("away/set", None), ("several", None), ("several", "b")]
    assert asked == names


@pytest.mark.parametrize("write", [as_parquet, as_saved])
def test_a_file_has_no_subsets(tmp_path, write):
    with pytest.raises(ConfigError, match=r"`data\.subset` must be left out: .* got 'b'"):
        load_data(f"hf:{write(tmp_path)}", subset="b")


def test_without_the_library_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MissingDependencyError, match=r"pixelcnn\[datasets\]"):
        load_data("hf:ylecun/mnist")


def test_colour_is_as_set(tmp_path):
    name = write(tmp_path)
    assert load_data(name, channels=3).spec.channels == 3
    with pytest.raises(ConfigError, match="must be 1 or 3, got 2"):
        load_data(name, channels=2)
    assert np.all(load_data(name, channels=3).test.images.numpy().std(1) == 0)


def test_the_second_start_opens_no_image_of_a_table_until_it_is_rewritten(tmp_path, monkeypatch):
    monkeypatch.setattr(index_cache, "MIN_IMAGES", 1)
    monkeypatch.setenv("PIXELCNN_CACHE", str(tmp_path / "indices"))
    opened, read = [], headers.read_image_header

    def noted(content, name):
        opened.append(name)
        return read(content, name)

    monkeypatch.setattr(headers, "read_image_header", noted)
    name = write(tmp_path)
    first = load_data(name, stream_above_bytes=0)
    assert len(opened) == 40
    second = load_data(name, stream_above_bytes=0)
    assert len(opened) == 40 and first.spec == second.spec
    load_data(name, stream_above_bytes=0, skip_broken_files=True)
    load_data(name, stream_above_bytes=0, skip_broken_files=True)
    assert len(opened) == 80, "that all are whole is kept too"
    cells = [{"bytes": png(x[0, :4]), "path": None} for x in LEVELS]
    assert load_data(write(tmp_path, image=cells), stream_above_bytes=0).spec.height == 4
    assert len(opened) == 120
    for index in (tmp_path / "indices" / "tables").iterdir():
        index.write_bytes(index.read_bytes()[:-9])
    with pytest.warns(DataWarning, match=r"cannot be used .* and is made anew"):
        load_data(name, stream_above_bytes=0)


def test_the_index_of_a_table_that_is_rewritten_in_its_place_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(index_cache, "MIN_IMAGES", 1)
    monkeypatch.setenv("PIXELCNN_CACHE", str(tmp_path / "indices"))
    saved, name = tmp_path / "saved", f"hf:{tmp_path / 'saved'}"
    table().save_to_disk(saved)
    assert load_data(name).spec.height == 8
    cells = [{"bytes": png(x[0, :4]), "path": None} for x in LEVELS]
    table(image=cells).save_to_disk(tmp_path / "other")
    for file in (tmp_path / "other").iterdir():
        file.replace(saved / file.name)
    assert load_data(name).spec.height == 4
