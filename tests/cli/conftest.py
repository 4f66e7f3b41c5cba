"""A tiny trained-looking model, and one tiny training, for the commands to work on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.models import PixelCNN

NAMES = ["Ankle boot", "bag", "coat"]
TINY = [
    "--model.hidden_channels=4",
    "--model.num_residual_blocks=1",
    "--training.max_epochs=1",
    "--training.warmup_steps=0",
    "--data.max_samples=40",
    "--evaluation.max_samples=20",
    "--sampling.per_label=2",
]


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """An untrained model of three labels, 4 levels and 6×5 pixels."""
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=4, num_labels=3)
    model.image_size = (6, 5)
    save(model, tmp_path / "model.safetensors", labels=NAMES, training={"best_epoch": 3})
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training of one epoch on a few digits leaves."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    code = main(["train", "--preset", "digits", "--device", "cpu", "--out", str(folder), *TINY])
    assert code == 0
    return folder


@pytest.fixture
def tiny() -> list[str]:
    """Settings that make a training last seconds."""
    return TINY


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must end with a code and one line on standard error; returns it."""

    def run(*words: object, code: int = 2) -> str:
        assert main([str(word) for word in words]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("pixelcnn: ")
        assert err.count("\n") == 1, f"more than one line: {err}"
        return err

    return run
