"""What tests of trainings share."""

import os
import signal

import pytest
from lightning.pytorch import Callback

import pixelcnn.training.run as run_module
from pixelcnn.logger import lines_on_stderr


@pytest.fixture(autouse=True)
def _lines_are_shown():
    """As on the command line; pytest has handlers of its own, so `train_pixelcnn` shows none."""
    with lines_on_stderr():
        yield


class PressCtrlC(Callback):
    """Sends real interrupts in a hook of this epoch and, where there is one, this batch."""

    def __init__(self, hook: str, epoch: int, batch: int | None = None, times: int = 1) -> None:
        def press(trainer, *arguments) -> None:
            if trainer.current_epoch == epoch and (batch is None or batch in arguments):
                for _ in range(times):
                    os.kill(os.getpid(), signal.SIGINT)

        setattr(self, hook, press)


@pytest.fixture
def press_ctrl_c(monkeypatch):
    """Makes the next trainings be interrupted in a hook; without arguments ends that."""
    make_callbacks = run_module.make_callbacks

    def arm(*where) -> None:
        extra = [PressCtrlC(*where)] if where else []
        monkeypatch.setattr(
            run_module, "make_callbacks", lambda *args: [*make_callbacks(*args), *extra]
        )

    return arm
