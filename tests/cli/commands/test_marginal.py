"""`pixelcnn marginal` writes the estimate of one sub-pixel, found twice."""

import pytest
from PIL import Image

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.inference import marginal
from pixelcnn.models import PixelCNN
from pixelcnn.runs import load
from tests.cli.tables import table


def test_the_table_holds_both_estimates_with_their_intervals(model_file, tmp_path, capsys):
    out = tmp_path / "marginal"
    words = ["--site", "2,3", "--label", "bag", "--num-draws", "50", "--seed", "3"]
    assert main(["marginal", str(model_file), *words, "--out", str(out)]) == 0
    rows = table(out / "levels.csv")
    assert [row["method"] for row in rows] == ["averaged conditionals"] * 4 + [
        "counted samples"
    ] * 4
    expected = marginal(load(model_file), (2, 3), num_draws=50, cond=1, seed=3).averaged
    found = [float(row["probability"]) for row in rows[:4]]
    assert found == pytest.approx(expected.probabilities.tolist(), abs=1e-6)
    for row in rows:
        assert float(row["low_95"]) <= float(row["probability"]) <= float(row["high_95"])
    assert "times as many samples" in capsys.readouterr().out
    with Image.open(out / "levels.png") as picture:
        assert picture.width > 300


def test_the_first_sub_pixel_is_exact(model_file, tmp_path, capsys):
    out = tmp_path / "marginal"
    words = ["--site", "0,0", "--label", "0", "--num-draws", "5", "--out", str(out)]
    assert main(["marginal", str(model_file), *words]) == 0
    assert all(float(row["stderr"]) == 0 for row in table(out / "levels.csv")[:4])


def test_wrong_inputs_are_refused_in_one_line(model_file, fails, tmp_path):
    out = tmp_path / "marginal"
    assert "--label NAME" in fails("marginal", model_file, "--site", "0,0", "--out", out)
    words = ("marginal", model_file, "--label", "0", "--out", out, "--site")
    assert "`--site`" in fails(*words, "6,0")
    assert "`--num-draws` must be at least 2" in fails(*words, "0,0", "--num-draws", "1")
    assert not out.exists()
    with pytest.raises(SystemExit, match="2"):
        main([str(word) for word in words] + ["middle"])


@pytest.mark.parametrize("command", [["marginal", "--site", "0,0"], ["sample"], ["verify"]])
def test_a_model_without_a_size_needs_one(command, fails, tmp_path):
    save(
        PixelCNN(hidden_channels=2, num_residual_blocks=1, num_classes=2),
        tmp_path / "model.safetensors",
    )
    words = [command[0], tmp_path / "model.safetensors", *command[1:]]
    out = ["--out", tmp_path / "new" / "out.png"]
    assert "has no image size of its own: add `--size HxW`." in fails(*words, *out)
    assert not (tmp_path / "new").exists()
    assert main([str(word) for word in [*words, *out, "--size", "3x2"]]) == 0
