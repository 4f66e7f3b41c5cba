"""Which models are there, and what the page never opens."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pixelcnn.app.models import find_models
from pixelcnn.app.widgets.display import as_code, plain
from pixelcnn.checkpoint import save
from pixelcnn.errors import CheckpointError
from pixelcnn.models import PixelCNN
from pixelcnn.weights import list_weights
from tests.app.conftest import ENTRY, said

PACKAGE = Path(__file__).parents[2] / "src" / "pixelcnn" / "app"


@pytest.fixture
def runs(tmp_path):
    """A folder of two runs, one of them without a model."""
    (tmp_path / "runs" / "begun").mkdir(parents=True)
    model = PixelCNN(num_residual_blocks=1, hidden_channels=4, image_size=6, num_classes=2)
    save(model, tmp_path / "runs" / "mine" / "model.safetensors")
    return tmp_path / "runs"


def test_runs_come_first_then_the_bundled_models(runs, monkeypatch):
    monkeypatch.chdir(runs.parent)
    assert list(find_models([])) == ["mine", *list_weights()]
    assert list(find_models([str(runs / "mine")])) == ["mine", *list_weights()]


def test_without_runs_there_are_the_bundled_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(find_models([])) == list_weights()


def test_a_run_named_as_a_bundled_model_is_distinguished(runs, monkeypatch):
    monkeypatch.chdir(runs.parent)
    (runs / "mine").rename(runs / "digits")
    choices = find_models([])
    assert choices["digits"].parent.parent == runs.relative_to(runs.parent)
    assert choices["digits (bundled)"].name == "digits.safetensors"


def test_nothing_is_unpickled(tmp_path):
    state = tmp_path / "last.ckpt"
    state.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CheckpointError, match=r"opens \.safetensors files only"):
        find_models([str(state)])


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
    assert "Sample" in [button.label for button in app.button]


@pytest.mark.parametrize("title", ["Sample", "Compare", "About the run"])
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
    assert "Sample" in [button.label for button in app.button]


def test_a_run_is_called_by_its_folder_from_within_it(runs, monkeypatch):
    monkeypatch.chdir(runs / "mine")
    assert list(find_models(["."])) == ["mine", *list_weights()]


def test_a_folder_of_its_name_does_not_hide_a_bundled_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in list_weights():
        (tmp_path / name).mkdir()
    assert list(find_models([])) == list_weights()


@pytest.mark.parametrize("name", ["config.yaml", "metrics.json", "logs", "model.safetensors"])
@pytest.mark.parametrize("title", ["Sample", "Compare", "About the run"])
def test_links_out_of_a_run_folder_are_refused(page, runs, tmp_path, title, name):
    own, elsewhere = runs / "mine" / name, tmp_path / "elsewhere"
    (runs / "mine" / "config.yaml").write_text("data:\n  dataset_name: digits\n")
    if name == "logs":
        (elsewhere / "version_0").mkdir(parents=True)
        (elsewhere / "version_0" / "metrics.csv").write_text("a secret")
    else:
        elsewhere.write_bytes(own.read_bytes() if own.exists() else b"a secret")
    own.unlink(missing_ok=True)
    own.symlink_to(elsewhere)
    app = page(title, runs=(str(runs / "mine"),))
    assert not app.exception
    assert "must lie in its run folder, got a link to elsewhere" in said(app.error)
    assert "secret" not in said((*app.error, *app.code, *app.markdown))


def test_a_run_that_is_a_link_itself_is_opened(page, runs, tmp_path):
    (runs / "mine" / "config.yaml").write_text("data:\n  dataset_name: digits\n")
    (tmp_path / "linked").symlink_to(runs / "mine")
    app = page("About the run", runs=(str(tmp_path / "linked"),))
    assert not app.exception and not app.error and "dataset_name" in app.code[0].value


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("title", ["Sample", "Compare", "About the run"])
def test_the_name_of_a_run_is_written_as_it_is(page, runs, title):
    name = "_*a* $\\frac{b}$ [c](d) ~~e~~ <i>"
    run = runs / "mine"
    (run / "config.yaml").write_text("")
    (run / "logs" / "version_0").mkdir(parents=True)
    (run / "logs" / "version_0" / "metrics.csv").write_text(
        "epoch,step,train_nll,val_nll\n0,4,,15.5\n0,4,14.0,\n"
    )
    run = run.rename(runs / name)
    app = page(title, runs=(str(run),))
    for button in app.button:
        if button.label == "Sample":
            app = button.click().run()
    assert not app.exception and not app.error
    written = [text.value for text in (*app.markdown, *app.caption) if "frac" in text.value]
    assert all(plain(name) in text or as_code(name) in text for text in written)
    assert written or title == "About the run"
    (run / "model.safetensors").write_bytes(b"no weights")
    app = app.run()
    assert plain(name) in app.error[0].value and name in said(app.error)


def test_the_page_shows_the_facts_about_a_model(page):
    app = page("About the run")
    assert not app.exception and not app.error
    assert app.success[0].value.startswith("All checks passed.")
    assert "digits, 17 levels" in said(app.markdown)


def test_a_run_shows_its_configuration_metrics_and_curves(page, runs):
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


def test_the_frame_is_shown_without_pytorch():
    frame = "import sys, pixelcnn.app.page; print('torch' in sys.modules, 'numpy' in sys.modules)"
    server = (
        "import sys, pixelcnn.app.server as s; print('torch' in sys.modules, s.ENTRY.is_file())"
    )
    for code, says in ((frame, "False"), (server, "False True")):
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert ran.stdout.startswith(says)


def test_the_page_uses_the_python_interface_alone():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            if module is None or not module.startswith("pixelcnn"):
                continue
            assert not module.startswith("pixelcnn.cli"), f"{path.name} imports the command line"
            private = [alias.name for alias in node.names if alias.name[0] == "_" != alias.name[1]]
            assert not private, f"{path.name} imports {private} of {module}"


def test_streamlit_finds_no_pages_of_its_own():
    # It lists the files of a folder `pages` beside the script in a sidebar.
    assert not (ENTRY.parent / "pages").exists()
