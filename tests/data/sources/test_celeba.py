"""CelebA in its own layout, with random faces; the class that reads the lists is torchvision's."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.data import FileImageSet, batches, load_data
from pixelcnn.data.sources.celeba import read_celeba
from pixelcnn.errors import DataError

NAMES = [f"Trait_{number}" for number in range(39)] + ["Young"]
FILES = [f"{number:06d}.jpg" for number in range(1, 8)]
PARTITION = [0, 0, 0, 2, 1, 1, 0]
ATTRIBUTES = np.where(np.random.default_rng(0).random((7, 40)) < 0.5, -1, 1)


def table(rows, *, header=None):
    """Lines as CelebA has them: two before the rows or none, several blanks between columns."""
    lines = [] if header is None else [str(len(rows)), " ".join(header) + " "]
    lines += [name + "  " + "  ".join(map(str, row)) for name, row in zip(FILES, rows, strict=True)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    generator = np.random.default_rng(1)
    for name in FILES:
        pixels = generator.integers(256, size=(218, 178, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "img_align_celeba" / name)
    lists = {
        "list_attr_celeba.txt": table(ATTRIBUTES, header=NAMES),
        "identity_CelebA.txt": table([[number] for number in range(7)]),
        "list_bbox_celeba.txt": table([[1, 2, 3, 4]] * 7, header=["x_1", "y_1", "width", "height"]),
        "list_landmarks_align_celeba.txt": table([range(10)] * 7, header=["lefteye_x"] * 10),
        "list_eval_partition.txt": table([[number] for number in PARTITION]),
    }
    for name, content in lists.items():
        (folder / name).write_text(content)
    return tmp_path


def test_the_published_split_comes_with_its_attributes(root):
    source = read_celeba(root)
    for number, part in enumerate((source.train, source.val, source.test)):
        assert isinstance(part, FileImageSet)
        chosen = np.array(PARTITION) == number
        assert [part.store.paths.name(i) for i in range(len(part))] == list(np.array(FILES)[chosen])
        assert np.array_equal(part.conditions.attributes, ATTRIBUTES[chosen] > 0)
    assert source.attribute_names == tuple(NAMES)


def test_the_centre_is_cut_out_and_scaled(root):
    path = root / "celeba" / "img_align_celeba" / FILES[3]
    with Image.open(path) as image:
        centre = np.asarray(image)[35:183, 15:163].transpose(2, 0, 1)
    (batch,) = batches(load_data("celeba", data_root=root).test, 4)
    assert np.array_equal(batch.x[0], centre)
    data = load_data("celeba", data_root=root, image_size=64, levels=32)
    (small,) = batches(data.test, 4)
    assert small.x.shape == (1, 3, 64, 64)
    assert small.x.max() < 32
    assert data.spec.shape == (3, 64, 64)
    whole = batch.x.float().mean((2, 3)) / 255
    assert torch.allclose(small.x.float().mean((2, 3)) / 31, whole, atol=0.01)


def test_the_protocol_tells_the_crop_and_that_images_are_left_out(root):
    assert load_data("celeba", data_root=root, image_size=64).protocol == (
        "celeba, resized to 64×64, 256 levels, 4/2/1 (its own validation images; "
        "central 148×148 pixels; only 7 of the 202,599 images)"
    )


def test_attributes_stay_with_their_faces_in_shuffled_batches(root):
    faces = load_data("celeba", data_root=root, image_size=8).train
    (plain,) = batches(faces, 4)
    (mixed,) = batches(faces, 4, shuffle=True)
    for x, attributes in zip(mixed.x, mixed.conditions.attributes, strict=True):
        (place,) = (plain.x == x).flatten(1).all(1).nonzero()[:, 0]
        assert torch.equal(plain.conditions.attributes[place], attributes)


@pytest.mark.parametrize(
    "name", ["list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt"]
)
def test_a_missing_list_is_named_with_where_to_get_it(root, name):
    (root / "celeba" / name).unlink()
    with pytest.raises(DataError, match=rf"{name} missing\. Fetch .* from https://mmlab"):
        read_celeba(root)


def test_without_any_file_everything_is_named(tmp_path):
    with pytest.raises(DataError, match=r"list_attr_celeba\.txt, .*img_align_celeba/ missing"):
        load_data("celeba", data_root=tmp_path)


def test_missing_images_are_counted(root):
    for name in FILES[2:4]:
        (root / "celeba" / "img_align_celeba" / name).unlink()
    with pytest.raises(DataError, match=r"lacks 2 of the 7 images .* such as 000003\.jpg"):
        read_celeba(root)


def change(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_damaged_lists_are_named(root):
    partition = root / "celeba" / "list_eval_partition.txt"
    change(partition, "000004.jpg  2", "000004.jpg  3")
    with pytest.raises(DataError, match=r"a split from 0, 1, 2, got 3 for 000004\.jpg"):
        read_celeba(root)
    change(partition, "000004.jpg  3", "000004.jpg  0")
    with pytest.raises(DataError, match=r"no image of the test split \(2\)"):
        read_celeba(root)
    partition.write_text("\n".join(partition.read_text().splitlines()[:3]))
    with pytest.raises(DataError, match=r"same images: .* has 3, .* 40 attributes of 7 images"):
        read_celeba(root)
    change(root / "celeba" / "list_attr_celeba.txt", "-1", "no")
    with pytest.raises(DataError, match=r"A list of CelebA .* is damaged"):
        read_celeba(root)


def test_images_that_are_too_small_are_named(root):
    path = root / "celeba" / "img_align_celeba" / FILES[3]
    Image.new("RGB", (178, 100)).save(path)
    with pytest.raises(DataError, match=rf"{path} must have at least 148×148 .* got 100×178"):
        list(batches(read_celeba(root).test, 1))
