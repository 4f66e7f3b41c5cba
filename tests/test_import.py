"""`import pixelcnn` is light, and its public names lead where they say."""

import ast
import inspect
import subprocess
import sys

import pytest

import pixelcnn

HEAVY = {"torch", "torchvision", "lightning", "matplotlib", "sklearn", "yaml", "rich"}
UNUSED = {"torchvision", "lightning", "matplotlib", "sklearn", "tensorboard", "arviz_stats"}


def packages_after(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(result.stdout.split())


@pytest.mark.parametrize("module", ["pixelcnn", "pixelcnn.cli", "pixelcnn.errors"])
def test_nothing_heavy_comes_with(module):
    assert packages_after(f"import {module}") & HEAVY == set()


def test_drawing_from_a_model_needs_no_training_or_statistics_packages():
    came = packages_after("import pixelcnn; pixelcnn.PixelCNNSampler; pixelcnn.load")
    assert "torch" in came
    assert came & UNUSED == set()
    assert packages_after("import pixelcnn.cli.commands.sample") & UNUSED == set()


@pytest.mark.parametrize("name", pixelcnn.__all__)
def test_every_public_name_exists(name):
    assert getattr(pixelcnn, name) is not None
    assert name in dir(pixelcnn)


def test_type_checkers_see_the_same_names_in_the_same_places():
    tree = ast.parse(inspect.getsource(pixelcnn))
    seen = {
        alias.asname: node.module.removeprefix("pixelcnn.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "typing"
        for alias in node.names
    }
    assert seen == {"__version__": "version", **pixelcnn._HOMES}


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        pixelcnn.nothing  # noqa: B018


def test_the_first_lines_of_the_help_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line[4:] for line in pixelcnn.__doc__.splitlines() if line.startswith("    ")]
    code = "\n".join(lines).replace('"max_epochs": 5', '"max_epochs": 1')
    code = code.replace('"name": "gated"', '"name": "gated", "hidden_channels": 4')
    code = code.replace('"digits"}', '"digits", "max_samples": 20}')
    exec(code)
    assert (tmp_path / "runs" / "gated" / "model.safetensors").is_file()
