"""The wheel works without the checkout: built from the sdist, checked, installed, used."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def run(*words, **options):
    """What a command prints; fails with its errors."""
    found = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=600, **options
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The scripts of an environment that holds the wheel, and borrows all else from this one.

    A path in a .pth file is not searched for .pth files, so the editable install stays out.
    """
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False)
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    scripts = Path(sysconfig.get_path("scripts", "venv", paths))
    python = scripts / Path(sys.executable).name
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", built[1])
    return scripts


def use(scripts, folder, *words):
    """What the installed program prints, run away from the checkout."""
    away = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return run(scripts / words[0], *words[1:], cwd=folder, env=away)


def test_twine_accepts_both(built):
    assert run(sys.executable, "-m", "twine", "check", "--strict", *built).count("PASSED") == 2


def test_the_wheel_holds_the_package_and_nothing_else(built):
    names = zipfile.ZipFile(built[1]).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pixelcnn"}
    kept = ("py.typed", "configs/digits.yaml", "weights/digits.safetensors")
    assert {f"pixelcnn/{name}" for name in kept} <= set(names)
    configs = {f"pixelcnn/configs/{path.name}" for path in (ROOT / "configs").glob("*.yaml")}
    assert configs <= set(names)


def test_the_sdist_holds_what_its_tests_need(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "tests/test_wheel.py"} <= names


def test_it_is_the_wheel_that_runs(installed, tmp_path):
    script = "import pixelcnn; print(pixelcnn.__file__)"
    found = use(installed, tmp_path, Path(sys.executable).name, "-c", script)
    assert Path(found.strip()).is_relative_to(installed.parent)


def test_a_bundled_model_samples(installed, tmp_path):
    use(installed, tmp_path, "pixelcnn", "sample", "digits", "--num-samples", "4", "--out", "x.png")
    assert (tmp_path / "x.png").stat().st_size > 0


def test_an_epoch_trains(installed, tmp_path):
    words = ("--preset", "digits", "--training.max_epochs", "1", "--training.warmup_steps", "0")
    use(installed, tmp_path, "pixelcnn", "train", *words, "--device", "cpu", "--out", "run")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["nll_nats"] > 0
    assert (tmp_path / "run" / "model.safetensors").is_file()
