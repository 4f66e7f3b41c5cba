"""Facts about what a training waits for: on a GPU, reading one number stops the queue."""

from collections import Counter

import pytest
import torch
from lightning.pytorch import Callback
from torch.utils._python_dispatch import TorchDispatchMode

import pixelcnn.training.run as run_module
from pixelcnn.training import train_pixelcnn

READ = torch.ops.aten._local_scalar_dense.default  # what `item`, `bool` and `float` come down to
BATCH, LOOK = 4, 4  # images, and steps from one look at the loss to the next


class Reads(TorchDispatchMode, Callback):
    """Counts by step of training how often the value of a tensor is read."""

    def __init__(self) -> None:
        super().__init__()
        self.step: int | None = None
        self.count: Counter[int] = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is READ and self.step is not None:
            self.count[self.step] += 1
        return function(*args, **(kwargs or {}))

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.step = trainer.global_step

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        self.step = None


@pytest.fixture
def reads(monkeypatch) -> Reads:
    mode, make_callbacks = Reads(), run_module.make_callbacks
    monkeypatch.setattr(run_module, "make_callbacks", lambda *args: [*make_callbacks(*args), mode])
    return mode


@pytest.mark.parametrize(
    ("model", "precision"),
    [
        ({"num_residual_blocks": 1}, "bf16-mixed"),
        ({"name": "pixelcnnpp", "num_resnets": 1, "num_resolutions": 1}, "32-true"),
    ],
)
def test_only_the_first_step_and_those_that_are_logged_read_a_number(
    tmp_path, reads, model, precision
):
    with reads:
        train_pixelcnn(
            {"hidden_channels": 4, "num_labels": 10, "label_dropout": 0.5, **model},
            {"max_epochs": 1, "precision": precision, "gradient_clip_val": 1.0},
            {"dataset_name": "digits", "max_samples": 8 * BATCH, "batch_size": BATCH},
            logger_config={"log_every_n_steps": LOOK, "sample_every_n_epochs": 0},
            out=tmp_path,
            device="cpu",
        )
    # In the first step images are checked, and layers that normalise weights are set by them.
    assert set(reads.count) == {0, LOOK - 1, 2 * LOOK - 1}
