"""Which models are there, and what the page never opens."""

import ast
import shutil
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pixelcnn.app.models import find_choices
from pixelcnn.checkpoint import save
from pixelcnn.errors import CheckpointError
from pixelcnn.models import PixelCNN
from pixelcnn.weights import list_weights
from tests.app.conftest import ENTRY

ROOM = Path(__file__).parents[2] / "src" / "pixelcnn" / "app"


@pytest.fixture
def runs(tmp_path):
    """A folder of two runs, one of them without a model."""
    (tmp_path / "runs" / "begun").mkdir(parents=True)
    model = PixelCNN(num_residual_blocks=1, hidden_channels=4, image_size=6)
    save(model, tmp_path / "runs" / "mine" / "model.safetensors")
    return tmp_path / "runs"


def test_runs_come_first_then_the_models_of_the_package(runs, monkeypatch):
    monkeypatch.chdir(runs.parent)
    assert list(find_choices([])) == ["mine", *list_weights()]
    assert list(find_choices([str(runs / "mine")])) == ["mine", *list_weights()]


def test_without_runs_there_are_the_models_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(find_choices([])) == list_weights()


def test_a_run_named_as_a_model_of_the_package_is_told_apart(runs, monkeypatch):
    monkeypatch.chdir(runs.parent)
    (runs / "mine").rename(runs / "digits")
    choices = find_choices([])
    assert choices["digits"].parent.parent == runs.relative_to(runs.parent)
    assert choices["digits (of the package)"].name == "digits.safetensors"


def test_nothing_is_unpickled(tmp_path):
    state = tmp_path / "last.ckpt"
    state.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CheckpointError, match=r"opens \.safetensors files only"):
        find_choices([str(state)])


def test_the_demo_opens_in_a_folder_without_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["app.py"])
    app = AppTest.from_file(str(ENTRY), default_timeout=60).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="set.model").options == list_weights()


def test_a_damaged_run_says_so_and_another_is_shown_first(page, runs):
    (runs / "mine" / "model.safetensors").write_bytes(b"no weights")
    app = page()
    assert app.selectbox(key="set.model").options[0] == "mine"
    assert app.selectbox(key="set.model").value == "digits"
    assert not app.error and not app.exception
    app = app.selectbox(key="set.model").set_value("mine").run()
    assert "no safetensors file" in app.error[0].value


def test_a_damaged_run_does_not_take_part_in_a_comparison(page, runs):
    (runs / "mine" / "model.safetensors").write_bytes(b"no weights")
    app = page("Compare")
    assert not app.error and "mine" not in app.multiselect(key="set.compare.models").value
    chosen = ["digits", "mine", "mnist-binary"]
    app = app.multiselect(key="set.compare.models").set_value(chosen).run()
    assert not app.exception and "no safetensors file" in app.error[0].value
    assert "Draw" in [button.label for button in app.button]


@pytest.mark.parametrize("title", ["Draw", "Compare", "About the run"])
def test_a_run_that_is_deleted_meanwhile_leaves_the_page_in_order(page, runs, title):
    app = page(title)
    app = app.selectbox(key="set.model").set_value("mine").run()
    shutil.rmtree(runs / "mine")
    app = app.run()
    assert not app.exception
    assert app.selectbox(key="set.model").value == "digits"


def test_a_named_run_that_is_gone_does_not_take_the_others_with_it(page, runs):
    app = page(runs=(str(runs / "mine"), str(runs / "gone")))
    assert not app.exception and "There is no" in app.error[0].value
    assert app.selectbox(key="set.model").options == ["mine", *list_weights()]
    assert "Draw" in [button.label for button in app.button]


def test_the_page_tells_what_is_known_of_a_model(page):
    app = page("About the run")
    assert not app.exception and not app.error
    assert app.success[0].value.startswith("Every line holds.")
    assert any("digits, 17 levels" in text.value for text in app.markdown)


def test_a_run_shows_its_configuration_figures_and_curves(page, runs):
    folder = runs / "mine"
    (folder / "config.yaml").write_text("data:\n  dataset_name: digits\n")
    (folder / "metrics.json").write_text('{"nll_nats": 12.5, "protocol": "six *digits*"}')
    (folder / "logs" / "version_0").mkdir(parents=True)
    (folder / "logs" / "version_0" / "metrics.csv").write_text(
        "epoch,step,train_nll,val_nll\n0,4,,15.5\n0,4,14.0,\n"
    )
    app = page("About the run", runs=(str(folder),))
    assert not app.exception and not app.error
    assert "dataset_name: digits" in app.code[0].value
    assert any(r"six \*digits\*" in text.value for text in app.markdown)
    assert "Training" in [heading.value for heading in app.subheader]


def test_the_page_uses_the_python_interface_alone():
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            if module is None or not module.startswith("pixelcnn"):
                continue
            assert not module.startswith("pixelcnn.cli"), f"{path.name} imports the command line"
            private = [alias.name for alias in node.names if alias.name[0] == "_" != alias.name[1]]
            assert not private, f"{path.name} imports {private} of {module}"
