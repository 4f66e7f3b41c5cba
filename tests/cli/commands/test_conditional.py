"""`pixelcnn conditional` estimates one sub-pixel by several methods side by side."""

import numpy as np
import pytest

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.models import PixelCNN
from tests.cli.tables import table


@pytest.fixture
def binary_model(tmp_path):
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=2, image_size=(3, 3))
    save(model, tmp_path / "binary.safetensors")
    np.savez(tmp_path / "x.npz", x=np.arange(18).reshape(2, 1, 3, 3) % 2, levels=2)
    return tmp_path / "binary.safetensors"


def test_methods_agree(binary_model, tmp_path, capsys):
    out = tmp_path / "conditional"
    words = ["--site", "1,1", "--missing", "top", "--index", "1", "--seed", "1"]
    methods = [f"--method={name}" for name in ("exact", "importance", "smc", "gibbs")]
    files = [str(binary_model), str(tmp_path / "x.npz")]
    code = main(["conditional", *files, *words, *methods, "--num-draws", "2000", "--out", str(out)])
    assert code == 0
    rows = [row for row in table(out / "levels.csv") if row["level"] == "1"]
    assert [row["method"] for row in rows] == ["exact", "importance", "smc", "gibbs"]
    exact, *others = (float(row["probability"]) for row in rows)
    for row, other in zip(rows[1:], others, strict=True):
        assert abs(other - exact) < 5 * float(row["stderr"]) + 1e-9
    assert "ESS " in capsys.readouterr().out


def test_the_default_method_of_small_queries_is_exact(binary_model, tmp_path):
    out = tmp_path / "conditional"
    files = [str(binary_model), str(tmp_path / "x.npz")]
    assert main(["conditional", *files, "--site", "1,1", "--out", str(out)]) == 0
    assert {row["method"] for row in table(out / "levels.csv")} == {"exact"}


def test_wrong_inputs_are_refused_in_one_line(binary_model, fails, tmp_path):
    out = tmp_path / "conditional"
    words = ("conditional", binary_model, tmp_path / "x.npz", "--out", out, "--site", "1,1")
    assert "`--index` must be below 2" in fails(*words, "--index", "2")
    assert "no mask" in fails(*words, "--missing", "sideways")
    assert "is not an option of `--method exact` (it belongs to `gibbs`). Add `--method gibbs`" in (
        fails(*words, "--method", "exact", "--num-chains", "3")
    )
    assert "of `--method exact`, the default here (it belongs to `importance`)" in (
        fails(*words, "--num-draws", "5")
    )
    twice = ("--missing", "0:1,0:2", "--missing", "top")
    assert "`--missing` must be given once, since there is one image, got 2" in fails(
        *words, *twice
    )
    assert "`` is no mask" in fails(*words, "--missing", "")
    assert "this is a folder" in fails(*words, "--missing", tmp_path)
    assert not out.exists()


def test_a_query_without_diagnostics_prints_no_empty_line(binary_model, tmp_path, capsys):
    words = ["conditional", binary_model, tmp_path / "x.npz", "--site", "1,1", "--method", "gibbs"]
    assert main([str(word) for word in [*words, "--out", tmp_path / "out"]]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("x-0 of 2 images from")
    assert all(line.strip() for line in said)
