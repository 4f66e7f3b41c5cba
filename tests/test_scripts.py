"""`scripts/train.py` takes the options of the original project."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "train.py"
translate = runpy.run_path(str(SCRIPT))["translate"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "--config configs/default.yaml --device cuda --resume checkpoints/last.ckpt",
            "train --config configs/default.yaml --resume checkpoints/last.ckpt --device cuda",
        ),
        ("--sample-only --resume last.ckpt --seed 3", "sample last.ckpt --seed 3"),
        (
            "--sample-only --config a.yaml --resume last.ckpt",
            "sample last.ckpt --config a.yaml",
        ),
        (
            "--eval-only --resume last.ckpt --config a.yaml",
            "evaluate last.ckpt --config a.yaml",
        ),
        ("--eval-only --resume runs/x", "evaluate runs/x"),
        (
            "--config a.yaml --training.max_epochs 5",
            "train --config a.yaml --training.max_epochs 5",
        ),
    ],
)
def test_the_original_options_are_those_of_a_command(words, expected):
    assert translate(words.split()) == expected.split()


@pytest.mark.parametrize("only", ["--sample-only", "--eval-only"])
def test_sampling_and_evaluating_need_a_checkpoint(only, capsys):
    with pytest.raises(SystemExit) as end:
        translate([only])
    assert end.value.code == 2
    assert "need --resume" in capsys.readouterr().err


def test_errors_are_one_line_here_too(tmp_path):
    command = [sys.executable, str(SCRIPT), "--sample-only", "--resume", "missing.ckpt"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert result.returncode == 2
    assert result.stderr.startswith("pixelcnn: There is no `missing.ckpt`. Name a run folder")
    assert result.stderr.count("\n") == 1
