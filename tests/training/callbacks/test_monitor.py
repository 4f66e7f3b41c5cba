"""Facts about what is logged, read back from their files."""

import csv
import math
import mmap
import shutil
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import pixelcnn.training.run as run_module
from pixelcnn.errors import OutputError
from pixelcnn.training.callbacks.monitor import memory_in_use
from tests.training.tiny_runs import train

CLIP = 1e-3
FIGURES = ("train_nll", "train_bpd", "val_nll", "val_bpd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four steps of two batches in each of three epochs; every third step is logged."""
    out = tmp_path_factory.mktemp("run")
    steps = {"log_every_n_steps": 3, "sample_every_n_epochs": 2, "sample_epochs": [3]}
    train(
        out,
        training={"max_epochs": 3, "accumulate_grad_batches": 2, "gradient_clip_val": CLIP},
        data={"max_samples": 64, "batch_size": 8},
        logger={"tensorboard": True, "csv": True, **steps},
        sampling_config={"num_samples": 2},
    )
    return out


@pytest.fixture(scope="module")
def rows(folder) -> list[dict[str, str]]:
    with (folder / "logs" / "version_0" / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def events(folder) -> EventAccumulator:
    return EventAccumulator(str(folder / "logs" / "version_0")).Reload()


@pytest.mark.parametrize("name", ["gradient_norm", "images_per_second", "memory_gib"])
def test_speed_and_memory_are_read_at_the_steps_that_are_logged(rows, events, name):
    found = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
    assert [step for step, _ in found] == [2, 5, 8, 11]
    assert all(math.isfinite(value) and value > 0 for _, value in found)
    assert [event.step for event in events.Scalars(name)] == [2, 5, 8, 11]


def test_the_gradient_is_measured_before_it_is_clipped(rows):
    assert all(float(row["gradient_norm"]) > 10 * CLIP for row in rows if row["gradient_norm"])


def test_the_loss_is_logged_in_nats_and_bits(rows, events):
    assert {*FIGURES, "lr-AdamW", "train_nll_step"} <= set(events.Tags()["scalars"])
    for stage in ("train", "val"):
        found = [row for row in rows if row[f"{stage}_nll"]]
        assert len(found) == 3
        for row in found:
            nats = float(row[f"{stage}_bpd"]) * 64 * math.log(2)
            assert float(row[f"{stage}_nll"]) == pytest.approx(nats, rel=1e-5)


def test_pictures_are_made_after_the_chosen_epochs(folder, events):
    assert {path.name for path in (folder / "samples").iterdir()} == {
        "epoch-002.png",
        "epoch-003.png",
    }
    assert (folder / "curves.png").is_file()
    for name in ("samples", "curves"):
        assert [event.step for event in events.Images(name)] == [2, 3]
    with Image.open(folder / "samples" / "epoch-003.png") as image:
        shown = events.Images("samples")[-1]
        assert (shown.width, shown.height) == image.size


def test_memory_on_a_processor_is_that_of_this_process():
    before = memory_in_use(torch.device("cpu"))
    size = 2**26
    with mmap.mmap(-1, size) as held:  # fresh pages, which no allocator had set aside
        held.write(bytes(size // 2))
        assert memory_in_use(torch.device("cpu")) - before > 0.4 * size


@pytest.mark.parametrize("csv", [True, False])
def test_a_folder_that_is_deleted_while_it_is_logged_to_is_one_clear_error(
    tmp_path, monkeypatch, capfd, csv
):
    class Delete(Callback):
        def on_train_epoch_start(self, trainer, pl_module) -> None:
            shutil.rmtree(tmp_path / "logs")

    make_callbacks = run_module.make_callbacks
    monkeypatch.setattr(
        run_module, "make_callbacks", lambda *args: [*make_callbacks(*args), Delete()]
    )
    with pytest.raises(OutputError, match=r"Cannot write `.*logs`: No such file"):
        logger = {"log_every_n_steps": 1, "tensorboard": True, "csv": csv}
        train(tmp_path, training={"max_epochs": 9}, logger=logger)
    assert "Traceback" not in capfd.readouterr().err


def test_the_training_loss_of_an_epoch_is_the_mean_over_its_own_images(tmp_path):
    result = train(tmp_path, logger={"csv": True, "log_every_n_steps": 1})
    with (tmp_path / "logs" / "version_0" / "metrics.csv").open() as file:
        found = [
            float(row["train_nll_step"]) for row in csv.DictReader(file) if row["train_nll_step"]
        ]
    sizes = torch.tensor([16, 16, 16, 12])
    for entry, losses in zip(result.history, torch.tensor(found).split(4), strict=True):
        assert entry["train_nll"] == pytest.approx(((losses * sizes).sum() / 60).item(), rel=1e-5)
