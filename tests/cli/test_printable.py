"""Text of files and paths reaches the terminal without control characters."""

import json
import re
import warnings

import numpy as np
import pytest

from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.logger import lines_on_stderr, logger, printable, warnings_as_lines
from pixelcnn.models import PixelCNN

RED = "\x1b[31mred\x1b[0m\x07"
SHOWN = r"\u001b[31mred\u001b[0m\u0007"


@pytest.fixture
def run(tmp_path):
    """A run folder whose labels, metrics, starts, data and path hold control characters."""
    folder = tmp_path / f"run {RED}"
    folder.mkdir()
    data = tmp_path / f"data {RED}.npz"
    x = np.random.default_rng(0).integers(0, 4, (12, 1, 6, 5))
    names = [RED, "bag", "coat\x9b\u202e"]
    np.savez(data, x_train=x, y_train=np.arange(12) % 3, label_names=names, levels=4)
    settings = {"dataset_name": f"npz:{data}", "levels": 4, "binarization": "none"}
    (folder / "config.yaml").write_text(json.dumps({"data": settings}))
    model = PixelCNN(hidden_channels=4, num_residual_blocks=1, num_classes=4, num_labels=3)
    model.image_size = (6, 5)
    save(model, folder / "model.safetensors", labels=names, training={"recipe": RED, RED: [RED]})
    (folder / "metrics.json").write_text(json.dumps({"nll_nats": 1.0, "protocol": RED, RED: RED}))
    (folder / "environment.json").write_text(
        json.dumps({"starts": [{"command": RED, RED: {RED: RED}}]})
    )
    return folder


@pytest.fixture
def shown(tmp_path, capfd):
    """Runs a command; its output, which must hold no control character."""

    def run_command(*words, code=0):
        assert main([str(word) for word in words]) == code, capfd.readouterr().err
        captured = capfd.readouterr()
        for line in (captured.out + captured.err).split("\n"):
            assert line.isprintable(), line
        return captured.out + captured.err

    return run_command


def test_everything_but_plain_text_is_escaped():
    assert printable(f"{RED}\r\n\t\x7f\x9b\u202e") == SHOWN + r"\r\n\t\u007f\u009b\u202e"
    assert printable("± – 猫 é\\") == "± – 猫 é\\"


def test_info(run, shown):
    text = "".join(shown("info", run).split())
    assert text.count(SHOWN) >= 8
    facts = json.loads(shown("info", run, "--json"))
    assert facts["labels"] == [RED, "bag", "coat\x9b\u202e"]
    assert facts["metrics"][RED] == RED and facts["command"] == RED


def test_sample(run, shown, tmp_path):
    out = tmp_path / f"{RED}.png"
    assert SHOWN in shown("sample", run, "--label", RED, "--num-samples", "1", "--out", out)
    assert f"choose with --label: {SHOWN}, bag" in shown("sample", run, "--out", out)
    assert SHOWN in shown("sample", run, "--label", "\x1b[2J", code=2)
    assert SHOWN in shown("sample", run, "--shards", tmp_path / RED, "--num-samples", "2")


@pytest.mark.parametrize("command", ["classify", "score", "complete"])
def test_queries(command, run, shown, tmp_path):
    assert SHOWN in shown(command, run, "--max-images", "2", "--out", tmp_path / RED)
    assert SHOWN in shown(command, run, tmp_path / f"none {RED}.png", code=2)


def test_evaluate(run, shown):
    assert SHOWN in shown("evaluate", run, "--device", "cpu")


def test_compare(run, shown, tmp_path):
    words = ["--num-generated", "4", "--max-images", "2", "--out", tmp_path / RED]
    assert SHOWN in shown("compare", f"a{RED}={run}", f"b{RED}={run}", *words)


def test_wrong_words_and_settings(run, shown, capfd):
    assert SHOWN in shown("train", "--config", run / "none.yaml", code=2)
    with pytest.raises(SystemExit):
        main(["sample", "digits", RED])
    assert capfd.readouterr().err.rstrip("\n").isprintable()


def test_messages_of_the_library(capfd):
    with lines_on_stderr():
        logger.warning(f"Skipping {RED}\nagain")
    assert capfd.readouterr().err == f"Skipping {SHOWN}\\nagain\n"


def test_warnings_of_other_libraries():
    with pytest.warns(UserWarning, match=re.escape(SHOWN)), warnings_as_lines():
        warnings.warn(f"Glyph 27 ({RED}) missing", UserWarning, stacklevel=1)
