"""`pixelcnn compress`, `decompress` and `info FILE.pxc`: images come back as they were."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.cli.commands.decompress import safe_name
from pixelcnn.codec import compress
from pixelcnn.errors import DataError
from pixelcnn.models import PixelCNN
from pixelcnn.runs import load


@pytest.fixture
def grey_model(tmp_path: Path) -> str:
    torch.manual_seed(0)
    save(
        PixelCNN(hidden_channels=4, num_residual_blocks=1, image_size=6), tmp_path / "m.safetensors"
    )
    return str(tmp_path / "m.safetensors")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Grey files of two sizes in two sub-folders."""
    generator = np.random.default_rng(0)
    for name, size in [("a/one.png", (6, 6)), ("b/one.png", (9, 7)), ("b/two.png", (6, 6))]:
        file = tmp_path / "pictures" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, size).astype(np.uint8)).save(file)
    return tmp_path / "pictures"


def pixels(file: Path) -> list[list[int]]:
    with Image.open(file) as image:
        return np.asarray(image).tolist()


def test_a_folder_comes_back_with_its_names(grey_model, pictures, tmp_path, capsys):
    out, restored = tmp_path / "set.pxc", tmp_path / "restored"
    words = ["compress", grey_model, str(pictures), "-o", str(out), "--keep-names", "--verify"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert f"3 images in {out}: {out.stat().st_size:,} bytes" in shown
    assert "as one PNG file each:" in shown
    assert "portable: decompress it on any machine" in shown
    assert not Path(f"{out}.parts").exists()
    assert main(["decompress", str(out), "-o", str(restored), "--run", grey_model]) == 0
    for file in pictures.rglob("*.png"):
        assert pixels(restored / file.relative_to(pictures)) == pixels(file)


def test_the_command_line_writes_what_python_writes(grey_model, pictures, tmp_path):
    out, files = tmp_path / "set.pxc", sorted(pictures.rglob("*.png"))
    assert main(["compress", grey_model, *map(str, files), "-o", str(out)]) == 0
    assert out.read_bytes() == compress(load(grey_model), files)


def test_chosen_images_are_numbered(grey_model, pictures, tmp_path, capsys):
    out, restored = tmp_path / "set.pxc", tmp_path / "restored"
    assert main(["compress", grey_model, str(pictures), "--out", str(out)]) == 0
    words = ["decompress", str(out), "-o", str(restored), "--run", grey_model, "--index", "2"]
    assert main(words) == 0
    assert [file.name for file in restored.iterdir()] == ["image-00002.png"]
    assert pixels(restored / "image-00002.png") == pixels(pictures / "b/two.png")


def test_levels_and_labels_come_back(model_file, tmp_path, capsys):
    x = np.random.default_rng(0).integers(0, 4, (5, 1, 6, 5)).astype(np.uint8)
    np.savez(tmp_path / "x.npz", x=x, levels=4, labels=[0, 1, 2, 1, 0])
    out, restored = tmp_path / "x.pxc", tmp_path / "restored.npz"
    assert main(["compress", str(model_file), str(tmp_path / "x.npz"), "-o", str(out)]) == 0
    assert "one of 3 stored with each image, those given" in capsys.readouterr().out
    words = ["decompress", str(out), "-o", str(restored), "--run", str(model_file)]
    assert main(words) == 0
    with np.load(restored) as found:
        assert (found["x"] == x).all()
        assert found["labels"].tolist() == [0, 1, 2, 1, 0]
        assert int(found["levels"]) == 4


def test_info_describes_a_file_without_its_model(grey_model, pictures, tmp_path, capsys):
    out = tmp_path / "set.pxc"
    assert main(["compress", grey_model, str(pictures), "-o", str(out)]) == 0
    Path(grey_model).unlink()
    capsys.readouterr()
    assert main(["info", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["images"] == 3
    assert facts["sizes"] == ["6×6", "9×7"]
    assert facts["bytes"] == out.stat().st_size
    assert facts["names"] is False
    assert main(["info", str(out)]) == 0


def test_an_interrupted_command_is_continued(grey_model, pictures, tmp_path, monkeypatch, capsys):
    out = tmp_path / "set.pxc"
    words = ["compress", grey_model, str(pictures), "-o", str(out), "--chunk-size", "1"]
    assert main(words) == 0
    whole = out.read_bytes()
    out.unlink()
    from pixelcnn.codec.encoding import Encoding

    encode, made = Encoding.encode, []

    def stopping(self, number, report=None):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(number)
        return encode(self, number, report)

    with monkeypatch.context() as patched:
        patched.setattr(Encoding, "encode", stopping)
        assert main(words) == 130
    assert "Rerun the same command" in capsys.readouterr().err
    assert not out.exists()
    made.clear()
    monkeypatch.setattr(Encoding, "encode", lambda *args: made.append(args[1]) or encode(*args))
    assert main(words) == 0
    assert made == [2]
    assert out.read_bytes() == whole


def test_files_that_cannot_be_kept_are_refused_by_name(grey_model, fails, tmp_path):
    Image.new("RGB", (6, 6), "red").save(tmp_path / "red.png")
    out = tmp_path / "set.pxc"
    assert "red.png has colours" in fails("compress", grey_model, tmp_path / "red.png", "-o", out)
    assert [file.suffix for file in tmp_path.iterdir() if "set" in file.name] == []
    assert "must end in .pxc" in fails("compress", grey_model, tmp_path / "red.png", "-o", "x.zip")


def test_damaged_and_foreign_files_are_refused(grey_model, pictures, fails, tmp_path, capsys):
    out = tmp_path / "set.pxc"
    assert main(["compress", grey_model, str(pictures), "-o", str(out)]) == 0
    capsys.readouterr()
    assert "--run RUN" in fails("decompress", out, "-o", tmp_path / "restored")
    damaged = tmp_path / "damaged.pxc"
    damaged.write_bytes(out.read_bytes()[:-1])
    assert "damaged" in fails("info", damaged)
    assert "damaged" in fails("decompress", damaged, "-o", tmp_path / "restored")
    assert "none.pxc" in fails("info", tmp_path / "none.pxc")


@pytest.mark.parametrize("name", ["../up.png", "/etc/x.png", "a\\b.png", "C:x.png", "", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(DataError, match="lead out of the folder"):
        safe_name(name)


@pytest.mark.slow
def test_processes_share_the_work(grey_model, pictures, tmp_path):
    one, two = tmp_path / "one.pxc", tmp_path / "two.pxc"
    words = ["compress", grey_model, str(pictures), "--chunk-size", "1", "-o"]
    assert main([*words, str(one)]) == 0
    assert main([*words, str(two), "--num-processes", "2"]) == 0
    assert one.read_bytes() == two.read_bytes()
    assert not Path(f"{two}.parts").exists()
    restored = tmp_path / "restored"
    words = ["decompress", str(two), "-o", str(restored), "--run", grey_model]
    assert main([*words, "--num-processes", "2"]) == 0
    assert len(list(restored.iterdir())) == 3
