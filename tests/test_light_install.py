"""What works without the packages of the extra `train`."""

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import importlib.metadata as metadata
import sys

MISSING = {"lightning", "torchvision", "tensorboard", "psutil", "sklearn"}


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def version(name, found=metadata.version):
    if name in MISSING:
        raise metadata.PackageNotFoundError(name)
    return found(name)


sys.meta_path.insert(0, Refuse())
metadata.version = version
"""


def run_without(statements: str, folder: Path) -> str:
    """Runs statements where the packages are missing; returns what they printed."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + statements], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def command(*words: str, code: int = 0) -> str:
    return f"from pixelcnn.cli import main\nassert main({list(words)}) == {code}\n"


def test_models_load_sample_save_and_score_from_python(tmp_path):
    run_without(
        """
import pixelcnn
model = pixelcnn.load("digits")
images = model.generate(num_samples=2, cond=3)
pixelcnn.save(model, "model.safetensors")
pixelcnn.score(pixelcnn.load("model.safetensors"), images, cond=3)
""",
        tmp_path,
    )


def test_commands_that_need_no_training_run(tmp_path):
    shown = run_without(
        command("info")
        + command("info", "digits")
        + command("sample", "digits", "--num-samples", "2", "--separate", "--out", "some")
        + "from pathlib import Path\nfile = str(next(Path('some').glob('*.png')))\n"
        + "assert main(['score', 'digits', file, '--label', '3']) == 0\n",
        tmp_path,
    )
    assert "bits/dim" in shown


@pytest.mark.slow
def test_a_model_is_verified(tmp_path):
    run_without(command("verify", "digits", "--out", "report.json"), tmp_path)


@pytest.mark.parametrize(
    ("statements", "package"),
    [
        (command("train", "--preset", "digits", "--out", "run", code=2), "lightning"),
        (command("train-classifier", "--preset", "digits", "--out", "c", code=2), "lightning"),
        (command("evaluate", "digits", code=2), "sklearn"),
    ],
)
def test_what_trains_says_what_to_install(tmp_path, statements, package):
    told = f"This needs the package `{package}`, which is not installed. Install it with: pip "
    assert told + 'install "pixelcnn[train]"' in run_without(statements, tmp_path)
    assert list(tmp_path.iterdir()) == []
