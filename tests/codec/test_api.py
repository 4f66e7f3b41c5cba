"""Images come back from bytes, files and streams; another model or machine is refused."""

from io import BytesIO
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.checkpoint import read_model
from pixelcnn.codec.api import compress, decompress
from pixelcnn.codec.archive import opened
from pixelcnn.codec.entropy_model import MachineBound
from pixelcnn.codec.portable import Portable
from pixelcnn.errors import CheckpointError, ConfigError, DataError, ShapeError
from tests.codec.models import constant, levels, small

MODEL = small(num_classes=4, image_size=6)
IMAGES = levels(MODEL, 5, 6, 6)


def test_bytes_files_and_streams_hold_the_same(tmp_path):
    content = compress(MODEL, IMAGES)
    assert compress(MODEL, IMAGES, tmp_path / "a.pxc") == b""
    assert (tmp_path / "a.pxc").read_bytes() == content
    stream = BytesIO()
    compress(MODEL, IMAGES.numpy(), stream)
    assert stream.getvalue() == content
    assert decompress(stream, MODEL).stacked.equal(IMAGES)
    assert not stream.closed
    for source in (content, tmp_path / "a.pxc", str(tmp_path / "a.pxc"), BytesIO(content)):
        assert decompress(source, MODEL).stacked.equal(IMAGES)


def test_a_stream_that_cannot_seek_is_read():
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

    assert decompress(Pipe(compress(MODEL, IMAGES)), MODEL).stacked.equal(IMAGES)


def test_an_image_is_decoded_with_its_chunk_alone():
    content = compress(MODEL, IMAGES, chunk_size=2)
    done = []
    found = decompress(content, MODEL, index=3, progress=lambda part, total: done.append(total))
    assert found.stacked.equal(IMAGES[3:4])
    assert set(done) == {2 * 36}
    assert decompress(content, MODEL, index=[4, 0]).stacked.equal(IMAGES[[4, 0]])


def test_images_of_several_sizes_come_back_in_order():
    images = [levels(MODEL, 1, *size)[0] for size in [(6, 6), (3, 9), (6, 6), (1, 1), (3, 9)]]
    found = decompress(compress(MODEL, images, verify=True), MODEL).images
    assert [each.number for each in found] == [0, 1, 2, 3, 4]
    for image, each in zip(images, found, strict=True):
        assert each.x.equal(image.byte())


def test_files_keep_mode_name_and_metadata(tmp_path):
    model = small(num_classes=256)
    exif = Image.Exif()
    exif[0x0110] = "camera"
    Image.new("L", (3, 2), 7).save(tmp_path / "grey.png", exif=exif)
    Image.new("1", (4, 4), 1).save(tmp_path / "bilevel.png")
    files = [tmp_path / "grey.png", tmp_path / "bilevel.png"]
    names = ["grey.png", "bilevel.png"]
    content = compress(model, files, names=names, keep_names=True)
    first, second = decompress(content, model).images
    assert (first.name, second.name) == ("grey.png", "bilevel.png")
    assert "exif" in first.metadata
    assert not second.metadata
    assert decompress(compress(model, files), model).images[0].name is None


def test_the_cheapest_label_is_the_most_probable():
    model = small(num_classes=4, num_labels=3, image_size=6)
    with torch.no_grad():  # layers of labels begin at zero
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight))
    flat = torch.arange(4)[:, None, None, None].expand(4, 1, 6, 6)
    found = decompress(compress(model, flat, labels="cheapest"), model)
    by_label = torch.stack([model.log_prob(flat, label) for label in range(3)])
    assert found.labels.equal(by_label.argmax(0))
    assert len(set(found.labels.tolist())) > 1


def test_without_labels_the_model_gives_p_of_x():
    model = small(num_classes=4, num_labels=3, image_size=6, label_dropout=0.1)
    found = decompress(compress(model, IMAGES), model)
    assert found.labels is None
    assert found.stacked.equal(IMAGES)


def test_another_model_is_refused():
    with pytest.raises(CheckpointError, match="fingerprint"):
        decompress(compress(MODEL, IMAGES), small(num_classes=4, image_size=6, seed=9))
    with pytest.raises(CheckpointError, match="--run RUN"):
        decompress(compress(MODEL, IMAGES))


def test_another_machine_is_refused():
    content = compress(MODEL, IMAGES, entropy_model="machine-bound")
    refused = pytest.raises(DataError, match=r"machine-bound: it needs torch .* got torch 0\.1")
    with patch.object(MachineBound, "requirements", "torch 0.1, abacus"), refused:
        decompress(content, MODEL)


def test_a_model_that_cannot_be_run_in_integers_is_machine_bound():
    with patch.object(Portable, "refusal", lambda model: "it is new"):
        content = compress(MODEL, IMAGES)
    with opened(content) as file:
        assert file.container.header.entropy_model == "machine-bound"


def test_other_floats_are_caught_before_an_image_is_returned():
    content = compress(MODEL, IMAGES, entropy_model="machine-bound")
    stepper = MachineBound.stepper

    def rounding_otherwise(self):
        found = stepper(self)
        logits = found.logits
        found.logits = lambda x, front: logits(x, front) * 1.5
        return found

    refused = pytest.raises(DataError, match="cannot be decoded here")
    with patch.object(MachineBound, "stepper", rounding_otherwise), refused:
        decompress(content, MODEL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [0] * 5}, "takes none"),
        ({"context": 4}, "at most half"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"entropy_model": "quantum"}, "entropy_model"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        compress(MODEL, IMAGES, **options)


@pytest.mark.parametrize("images", [IMAGES[:, :, :, 0], IMAGES + 1, IMAGES.float(), 7])
def test_images_that_do_not_fit_are_refused(images):
    with pytest.raises(ShapeError):
        compress(MODEL, images)


def test_numbers_of_images_are_checked():
    with pytest.raises(ConfigError, match="from 0 to 4"):
        decompress(compress(MODEL, IMAGES), MODEL, index=5)


def test_a_failure_leaves_an_older_file(tmp_path):
    out = tmp_path / "a.pxc"
    out.write_bytes(b"older")
    with pytest.raises(DataError):
        compress(small(num_classes=2), [np.zeros(3, np.uint8).tobytes()], out)
    assert out.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir()] == ["a.pxc"]


GOLDEN_MACHINE = "torch 0, golden"


def test_golden_file(request):
    """These bytes are the format: where they change, the format's version must."""
    model = constant(num_classes=3, num_labels=2, image_size=4)
    images = [levels(model, 1, 4, 4)[0], levels(model, 1, 5, 6)[0], levels(model, 1, 4, 4)[0]]
    path = request.path.parent / "golden.pxc"
    with patch.object(MachineBound, "requirements", GOLDEN_MACHINE):
        content = compress(
            model,
            images,
            labels=[1, 0, 1],
            names=["a", "b", "c"],
            keep_names=True,
            entropy_model="machine-bound",
        )
        assert content == path.read_bytes()
        found = decompress(path, model)
    assert [each.label for each in found.images] == [1, 0, 1]
    assert [each.name for each in found.images] == ["a", "b", "c"]
    for image, each in zip(images, found.images, strict=True):
        assert each.x.equal(image.byte())


def test_a_file_is_described_without_its_model():
    with opened(compress(MODEL, IMAGES, chunk_size=2)) as file:
        assert len(file.container.chunks) == 3
        assert file.container.header.entropy_model == "portable"
        assert list(file.numbers_of(1)) == [2, 3]


def test_a_bundled_model_is_found_beside_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    digits = read_model("digits")
    x = digits.generate(num_samples=1, cond=3, seed=0)
    content = compress(digits, x, entropy_model="machine-bound")
    (tmp_path / "digits").mkdir()
    assert decompress(content).stacked.equal(x)
