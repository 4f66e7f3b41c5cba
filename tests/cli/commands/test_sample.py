"""`pixelcnn sample` writes samples, or an error in one line."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pixelcnn.checkpoint import fingerprint, save
from pixelcnn.cli import main
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import PixelCNN
from pixelcnn.runs import load


def sample(model_file, out, *words) -> None:
    assert main(["sample", str(model_file), "--device=cpu", "--out", str(out), *words]) == 0


def test_a_grid_says_how_it_was_made(model_file, tmp_path, capsys):
    out = tmp_path / "new" / "grid.png"
    sample(model_file, out, "--seed=7", "--temperature=0.5", "--num-samples=4")
    with Image.open(out) as image:
        notes = image.text
    assert notes["Description"] == "generated image"
    assert notes["Source"] == f"model {fingerprint(load(model_file))}"
    assert notes["Software"].startswith("pixelcnn ")
    settings = json.loads(notes["Comment"])
    assert (settings["seed"], settings["temperature"]) == (7, 0.5)
    which = "of all labels in turn; choose with --label: Ankle boot, bag, coat"
    assert capsys.readouterr().out == f"4 images in {out}, {which}\n"


def test_guidance_is_followed_and_noted(tmp_path):
    model = PixelCNN(
        hidden_channels=4, num_labels=3, label_dropout=0.2, image_size=6, num_classes=2
    )
    torch.nn.init.constant_(model.blocks[0].cond_bias.weight[:3], 2.0)
    save(model, tmp_path / "guided.safetensors")
    samples = {}
    for guidance in (0, 1, 4):
        out = tmp_path / f"{guidance}.npz"
        sample(tmp_path / "guided.safetensors", out, f"--guidance={guidance}")
        with np.load(out) as arrays:
            samples[guidance] = arrays["x"]
            notes = json.loads(str(arrays["notes"]))
        assert json.loads(notes["Comment"])["guidance"] == guidance
    assert (samples[0] == PixelCNNSampler(model).generate_samples(16).numpy()).all()
    assert (samples[4] != samples[1]).any()


def test_levels_come_as_they_are(model_file, tmp_path):
    sample(model_file, tmp_path / "a.npz", "--per-label=2", "--label=coat,1")
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["x"].shape == (4, 1, 6, 5)
        assert arrays["x"].dtype == np.uint8
        assert arrays["x"].max() < arrays["levels"] == 4
        assert arrays["labels"].tolist() == [2, 2, 1, 1]
        assert json.loads(str(arrays["notes"]))["Description"] == "generated image"


def test_attributes_are_sampled_by_name_and_by_number(tmp_path):
    model = PixelCNN(hidden_channels=4, num_attributes=3, image_size=6, num_classes=2)
    model.name_condition(["Bald", "Male", "Smiling"])
    torch.nn.init.normal_(model.blocks[0].cond_bias.weight, std=3.0)
    save(model, tmp_path / "faces.safetensors")
    words = ["--attributes=smiling", "--attributes=0,1,0.5", "--num-samples=4"]
    sample(tmp_path / "faces.safetensors", tmp_path / "a.npz", *words)
    cond = torch.tensor([[0, 0, 1], [0, 0, 1], [0, 1, 0.5], [0, 1, 0.5]])
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays["attributes"], cond)
        samples = PixelCNNSampler(model).generate_samples(4, cond=cond)
        assert np.array_equal(arrays["x"], samples)


def test_maps_are_sampled_from_a_file(tmp_path, fails):
    model = PixelCNN(hidden_channels=4, num_map_channels=1, image_size=6, num_classes=2)
    save(model, tmp_path / "maps.safetensors")
    np.save(tmp_path / "maps.npy", np.ones((3, 1, 6, 5), np.float32))
    words = [tmp_path / "maps.safetensors", f"--maps={tmp_path / 'maps.npy'}"]
    assert "Scale the maps, or ask for images of their size" in fails("sample", *words)
    sample(words[0], tmp_path / "a.npz", words[1], "--size=6x5")
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["x"].shape == arrays["maps"].shape == (3, 1, 6, 5)


def test_same_seed_same_images(model_file, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        sample(model_file, tmp_path / f"{name}.npz", f"--seed={seed}")
    a, b, c = (np.load(tmp_path / f"{name}.npz")["x"] for name in "abc")
    assert (a == b).all()
    assert (a != c).any()


def test_images_come_in_any_size_and_one_by_one(model_file, tmp_path):
    sample(model_file, tmp_path / "many", "--separate", "--num-samples=3", "--size=4x9")
    files = sorted((tmp_path / "many").iterdir())
    assert [file.name for file in files] == ["0000.png", "0001.png", "0002.png"]
    with Image.open(files[0]) as image:
        assert image.size == (9, 4)
        assert image.text["Description"] == "generated image"


def test_a_film_is_written(model_file, tmp_path):
    sample(model_file, tmp_path / "a.gif", "--num-samples=2")
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--label=sofa"], "Ankle boot, bag, coat"),
        (["--label=3"], "from 0 to 2"),
        (["--attributes=1"], "conditioned on one label per image"),
        (["--maps=a.npy"], "(0 Ankle boot, 1 bag, 2 coat)"),
        (["--temperature=0"], "`--temperature`"),
        (["--guidance=2"], "Train it with `label_dropout`"),
        (["--top-k=0"], "`--top-k`"),
        (["--top-p=2"], "`--top-p`"),
        (["--out=a.jpg"], "must end in .png, .gif, .npz"),
        (["--device=abacus"], "`--device` must be auto"),
        (["--device=cuda"], "`--device` must be one that PyTorch finds here"),
    ],
)
def test_wrong_options_are_one_line(model_file, fails, words, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert message in fails("sample", model_file, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_missing_foreign_and_truncated_models_are_one_line(model_file, fails, tmp_path):
    assert "There is no" in fails("sample", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds no model.safetensors" in fails("sample", tmp_path / "empty")
    (tmp_path / "foreign.safetensors").write_text("PK")
    assert "foreign.safetensors" in fails("sample", tmp_path / "foreign.safetensors")
    whole = model_file.read_bytes()
    model_file.write_bytes(whole[: len(whole) // 2])
    assert "model.safetensors" in fails("sample", model_file)
    (tmp_path / "last.ckpt").write_bytes(whole)
    assert "last.ckpt" in fails("sample", tmp_path / "last.ckpt")


def test_an_unwritable_file_is_refused_before_sampling(model_file, fails, tmp_path, monkeypatch):
    monkeypatch.setattr("pixelcnn.cli.commands.sample.sample_with_progress", None)
    (tmp_path / "file").write_text("")
    assert "not a folder" in fails("sample", model_file, "--out", tmp_path / "file" / "a.png")


def test_a_model_without_a_size_asks_for_one(fails, tmp_path):
    save(
        PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=2),
        tmp_path / "a.safetensors",
    )
    assert "size" in fails("sample", tmp_path / "a.safetensors", "--out", tmp_path / "a.png")


def test_no_space_is_one_line_and_leaves_no_half_file(model_file, fails, tmp_path):
    resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = tmp_path / "new" / "a.npz"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        line = fails("sample", model_file, "--num-samples=2000", "--out", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"Cannot write `{out}`" in line
    assert not out.parent.exists()


def test_a_bundled_model_is_sampled_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sample("digits", "sevens.npz", "--label=7", "--num-samples=2")
    with np.load("sevens.npz") as arrays:
        assert arrays["labels"].tolist() == [7, 7]
        assert arrays["x"].shape == (2, 1, 8, 8)


def test_a_folder_of_that_name_hides_the_bundled_model(model_file, fails, monkeypatch):
    monkeypatch.chdir(model_file.parent)
    (model_file.parent / "digits").mkdir()
    assert "It hides the bundled model 'digits'" in fails("sample", "digits")
    model_file.rename(model_file.parent / "digits" / "model.safetensors")
    sample("digits", "coats.npz", "--label=coat")


@pytest.mark.parametrize(
    ("words", "expected"), [([], "samples.png"), (["--separate"], "samples/0000.png")]
)
def test_samples_have_a_place_of_their_own(model_file, tmp_path, monkeypatch, words, expected):
    monkeypatch.chdir(tmp_path)
    assert main(["sample", str(model_file), "--num-samples=1", *words]) == 0
    assert (tmp_path / expected).is_file()


def test_a_file_of_settings_holds_unless_an_option_is_typed(model_file, tmp_path):
    settings = tmp_path / "a.yaml"
    settings.write_text("seed: 4\nsampling: {per_label: 2, temperature: 0.5, top_k: 2}\n")
    notes = []
    for words in ([], ["--num-samples=4", "--temperature=0.7", "--seed=0"]):
        sample(model_file, tmp_path / "a.npz", f"--config={settings}", *words)
        with np.load(tmp_path / "a.npz") as arrays:
            notes.append(json.loads(json.loads(str(arrays["notes"]))["Comment"]))
    names = ("seed", "num_samples", "temperature", "top_k")
    assert [notes[0][name] for name in names] == [4, 6, 0.5, 2]
    assert [notes[1][name] for name in names] == [0, 4, 0.7, 2]


def test_settings_that_cannot_be_read_are_one_line(model_file, fails, tmp_path):
    assert "none.yaml" in fails("sample", model_file, f"--config={tmp_path / 'none.yaml'}")


def test_refused_options_leave_no_folder(fails, tmp_path):
    fails("sample", tmp_path / "missing", "--out", tmp_path / "new" / "deep" / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("precision", "bf16", "warns"), [("bf16", False, 1), ("bf16", True, 0), ("16", True, 1)]
)
def test_a_precision_that_is_slow_here_is_used_with_a_warning(
    precision, bf16, warns, model_file, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("pixelcnn.cli.commands.sample.has_bf16", lambda device: bf16)
    sample(model_file, tmp_path / "a.npz", f"--precision={precision}", "--num-samples=1")
    assert capsys.readouterr().err.count("is slower than float32 on this processor") == warns
