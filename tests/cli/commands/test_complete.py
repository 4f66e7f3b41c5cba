"""`pixelcnn complete` samples the unknown pixels, and keeps the known ones."""

import numpy as np
import pytest
from PIL import Image

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.models import PixelCNN
from tests.cli.tables import table


@pytest.fixture
def question(tmp_path):
    """A model, and two images of its levels."""
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=3, image_size=(4, 5))
    save(model, tmp_path / "model.safetensors")
    x = np.random.default_rng(0).integers(3, size=(2, 1, 4, 5))
    np.savez(tmp_path / "x.npz", x=x, levels=3)
    return ["complete", str(tmp_path / "model.safetensors"), str(tmp_path / "x.npz")]


@pytest.mark.parametrize("method", ["raster", "smc"])
def test_known_levels_come_back_and_the_most_probable_first(question, tmp_path, method):
    out = tmp_path / "completions"
    masks = ["--missing", "top", "--missing", "right"]
    words = ["--method", method, "--num-completions", "5", *masks, "--out", str(out)]
    assert main([*question, *words]) == 0
    given = np.load(tmp_path / "x.npz")["x"]
    with np.load(out / "completions.npz") as found:
        x, known, nats = found["x"], found["known"], found["log_prob"]
    assert x.shape == (2, 5, 1, 4, 5)
    assert (x == given[:, None])[np.broadcast_to(known[:, None], x.shape)].all()
    assert not known[0, 0, :2].any() and known[1, 0, :, :2].all()
    assert (nats[:, :-1] >= nats[:, 1:]).all()
    rows = table(out / "completions.csv")
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5"] * 2
    assert float(rows[5]["log_prob_nats"]) == pytest.approx(nats[1, 0], abs=1e-3)
    with Image.open(out / "completions.png") as picture:
        assert picture.width > 500


def test_raster_completions_that_are_not_exact_are_called_unreliable(question, tmp_path, capsys):
    words = ["--method", "raster", "--missing", "top", "--out", str(tmp_path / "completions")]
    assert main([*question, *words]) == 0
    assert "  Unreliable: " in capsys.readouterr().out


def test_chains_are_shown_sweep_by_sweep(question, tmp_path):
    out = tmp_path / "completions"
    words = ["--num-sweeps", "8", "--num-completions", "2", "--missing", "top", "--animation"]
    assert main([*question, "--method", "gibbs", *words, "--out", str(out)]) == 0
    with Image.open(out / "chains.gif") as animation, Image.open(out / "chains.png") as strip:
        assert 1 < animation.n_frames <= 9, "the beginning and eight sweeps; equal ones are joined"
        assert strip.width > strip.height and animation.width >= 400


def test_an_option_of_the_usual_method_needs_no_method(question, tmp_path, capsys):
    words = ["--missing", "top", "--num-particles", "3", "--out", str(tmp_path / "out")]
    assert main([*question, *words]) == 0
    assert "by smc" in capsys.readouterr().out


def test_wrong_inputs_are_refused_in_one_line(question, fails, tmp_path):
    out = tmp_path / "completions"
    assert "one for each of 2" in fails(*question, *["--missing", "top"] * 3, "--out", out)
    assert "no mask" in fails(*question, "--missing", "upstairs", "--out", out)
    words = ("--method", "raster", "--num-particles", "4")
    assert (
        "`--num-particles` is not an option of `--method raster` (it belongs to `smc` and `gibbs`)"
        in (fails(*question, *words, "--out", out))
    )
    for option, how in (("--num-particles", "smc"), ("--num-sweeps", "gibbs")):
        line = fails(*question, option, "3", "--out", out)
        assert f"`{option}` is not an option of `--method raster`, the default here" in line
        assert f"`--method {how}`" in line
    assert "Add `--method gibbs`" in fails(*question, "--animation", "--out", out)
    assert not out.exists()
