"""The logger of the package, as users of the library and of the command line meet it."""

import logging
import subprocess
import sys
import warnings

import pytest

from pixelcnn.data import DataWarning
from pixelcnn.errors import PixelCNNWarning
from pixelcnn.inference import UnreliableEstimateWarning
from pixelcnn.logger import lines_on_stderr, logger, warnings_as_lines

TRAINING = """
import logging
from pixelcnn import train_pixelcnn
{setup}
train_pixelcnn(
    {{"hidden_channels": 4, "num_residual_blocks": 1}},
    {{"max_epochs": 1}},
    {{"dataset_name": "digits", "max_samples": 20}},
    logger_config={{"tensorboard": False, "csv": False, "sample_every_n_epochs": 0}},
    out="run",
)
"""


def test_lines_go_to_standard_error_while_they_are_shown(capsys):
    with lines_on_stderr():
        logger.info("one line")
        logger.debug("a detail")
    logger.info("another")
    assert capsys.readouterr() == ("", "one line\n")
    assert logger is logging.getLogger("pixelcnn")
    assert logger.level == logging.NOTSET


def test_of_many_processes_only_the_first_logs(capsys, monkeypatch):
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    with lines_on_stderr():
        logger.warning("one line")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("category", [DataWarning, UnreliableEstimateWarning])
def test_warnings_of_the_package_are_lines_and_others_are_not(capsys, category):
    assert issubclass(category, PixelCNNWarning)
    with lines_on_stderr(), warnings_as_lines():
        for _ in range(2):
            warnings.warn("look at this", category, stacklevel=1)
    assert capsys.readouterr().err == 2 * "look at this\n"
    with warnings_as_lines(), pytest.raises(UserWarning):  # as pytest is configured here
        warnings.warn("of another package", UserWarning, stacklevel=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setup", "shown"),
    [
        ("", "epoch 1/1"),
        ("logging.getLogger('pixelcnn').setLevel(logging.WARNING)", ""),
        ("logging.basicConfig(level=logging.INFO, filename='log.txt')", ""),
    ],
)
def test_a_training_from_python_shows_lines_unless_a_handler_is_set(tmp_path, setup, shown):
    code = TRAINING.format(setup=setup)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert (shown in done.stderr) if shown else (done.stderr == "")
    if "log.txt" in setup:
        assert "epoch 1/1" in (tmp_path / "log.txt").read_text()
