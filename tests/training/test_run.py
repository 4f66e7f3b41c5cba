"""Facts about whole trainings, on a few 8×8 digits."""

import signal
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

import pixelcnn.training.run as run_module
from pixelcnn import checkpoint
from pixelcnn.config import load_config
from pixelcnn.errors import CheckpointError, ConfigError, NotFiniteError, OutputError
from pixelcnn.evaluation import evaluate
from pixelcnn.runs import read_state
from pixelcnn.training import TrainingResult, train_pixelcnn
from tests.training.tiny_runs import FEW, SILENT, TINY, assert_same, assert_same_state, train

pytestmark = pytest.mark.filterwarnings("ignore::pixelcnn.data.DataWarning")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> TrainingResult:
    logger = {"tensorboard": True, "csv": True, "sample_every_n_epochs": 2, "log_every_n_steps": 1}
    return train(
        tmp_path_factory.mktemp("run"),
        model={"num_labels": 10},
        logger=logger,
        sampling_config={"per_label": 1},
    )


def test_a_run_folder_holds_everything(trained):
    found = {
        str(path.relative_to(trained.run_dir))
        for path in trained.run_dir.rglob("*")
        if path.is_file() and "events" not in path.name
    }
    assert found == {
        "model.safetensors",
        "config.yaml",
        "environment.json",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "curves.png",
        "checkpoints/step-4.ckpt",
        "samples/epoch-002.png",
        "logs/version_0/metrics.csv",
        "logs/version_0/hparams.yaml",
    }
    assert list(trained.run_dir.glob("logs/version_0/events*"))


def test_training_lowers_the_nll(trained):
    first, last = trained.history
    assert last["train_nll"] < first["train_nll"]
    assert last["val_nll"] < first["val_nll"]


def test_history_agrees_with_an_evaluation_of_the_best_weights(trained):
    # 60 images in batches of 16: the last one is smaller and must not count for more.
    figures = evaluate(trained.model, trained.data.val, batch_size=7)
    best = trained.history[trained.best_epoch - 1]
    assert figures["nll_nats"] == pytest.approx(best["val_nll"], rel=1e-5)
    assert figures["bits_per_dim"] == pytest.approx(best["val_bpd"], rel=1e-5)


def test_the_card_says_how_the_weights_came_to_be(trained):
    card = checkpoint.read_card(trained.run_dir / "model.safetensors")
    training = card["training"]
    assert card["labels"] == list("0123456789")
    assert training["protocol"] == trained.data.protocol
    assert training["val_nll_nats"] == trained.history[trained.best_epoch - 1]["val_nll"]
    assert (training["epochs"], training["seed"]) == (2, 0)
    assert set(training["versions"]) == {"pixelcnn", "torch", "lightning", "python"}


def test_the_configuration_of_a_run_trains_it_again(trained, tmp_path):
    config = load_config(trained.run_dir / "config.yaml")
    again = train_pixelcnn(
        config.model, config.training, config.data, logger_config=SILENT, out=tmp_path
    )
    assert_same(again.model.state_dict(), trained.model.state_dict())


def test_weights_have_no_traces_of_the_trainer_in_their_names(trained):
    assert not [name for name in trained.model.state_dict() if "_orig_mod" in name]
    assert not trained.model.training


def test_a_log_has_a_plain_line_after_the_first_step_and_each_epoch(tmp_path, capsys):
    train(tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": train ")[0] for line in lines] == [
        f"Training pixelcnn (849 parameters) on 60 images, up to epoch 2, in {tmp_path}.",
        "epoch 1/2, step 1/4",
        "epoch 1/2",
        "epoch 2/2",
    ]
    assert all(line.isprintable() for line in lines)


def test_ctrl_c_saves_the_last_state_and_comes_through(tmp_path, press_ctrl_c, capsys):
    press_ctrl_c("on_train_batch_end", 0, 1)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    assert read_state(tmp_path / "checkpoints" / "last.ckpt")["global_step"] == 2
    assert "Ctrl-C again" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


def test_a_second_ctrl_c_stops_at_once(tmp_path, press_ctrl_c):
    press_ctrl_c("on_validation_start", 1, None, 2)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    # The state after the first epoch; the second was not over.
    assert read_state(tmp_path / "checkpoints" / "last.ckpt")["global_step"] == 4


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize(
    "moment",
    [
        ("on_train_batch_end", 1, 1),
        ("on_train_batch_end", 1, 3),
        ("on_train_batch_start", 1, 0),
        ("on_validation_batch_end", 1, 0),
        ("on_train_epoch_start", 1),
        ("on_train_epoch_end", 1),
    ],
    ids=str,
)
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    tmp_path, press_ctrl_c, schedule, moment
):
    # All that has noise or a memory: dropout, flips, dynamic binarization, and an average.
    settings = {
        "training": {"schedule": schedule, "max_epochs": 3, "ema_decay": 0.9},
        "data": {"use_augmentation": True, "binarization": "dynamic"},
    }
    whole = train(tmp_path / "whole", **settings)
    press_ctrl_c(*moment)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", **settings)
    press_ctrl_c()
    last = Path("checkpoints") / "last.ckpt"
    parts = train(tmp_path / "parts", resume=tmp_path / "parts" / last, **settings)
    assert_same_state(parts.run_dir / last, whole.run_dir / last)
    assert_same(parts.model.state_dict(), whole.model.state_dict())
    figures = ("epoch", "train_nll", "val_nll", "learning_rate")
    assert [[entry[name] for name in figures] for entry in parts.history] == [
        [entry[name] for name in figures] for entry in whole.history
    ]


def test_a_finished_run_needs_more_epochs_to_resume(trained, tmp_path):
    last = trained.run_dir / "checkpoints" / "last.ckpt"
    with pytest.raises(ConfigError, match=r"already trained 2 epochs.*training\.max_epochs"):
        train(tmp_path, model={"num_labels": 10}, resume=last)


def test_a_finished_run_resumes_with_more_epochs(trained, tmp_path):
    last = trained.run_dir / "checkpoints" / "last.ckpt"
    longer = train(tmp_path, model={"num_labels": 10}, training={"max_epochs": 3}, resume=last)
    assert [entry["epoch"] for entry in longer.history] == [1, 2, 3]
    # The new folder has weights of its own, whatever the old one has.
    assert longer.best_epoch == 3
    assert (tmp_path / "model.safetensors").is_file()


def test_a_state_of_another_model_is_refused(trained, tmp_path):
    last = trained.run_dir / "checkpoints" / "last.ckpt"
    with pytest.raises(CheckpointError, match=r"`model\.num_labels` 10"):
        train(tmp_path, training={"max_epochs": 3}, resume=last)


def test_a_loss_that_is_no_number_names_epoch_and_batch(tmp_path, capsys):
    with pytest.raises(NotFiniteError, match=r"loss .* epoch 1, batch 2\. .*learning_rate"):
        train(tmp_path, training={"learning_rate": 1e30, "gradient_clip_val": None})
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()
    assert "nan" not in capsys.readouterr().err


class PoisonGradient(Callback):
    """Puts one NaN among the gradients of a batch."""

    def __init__(self, epoch: int, batch: int) -> None:
        self.where = (epoch, batch)

    def on_after_backward(self, trainer, pl_module) -> None:
        if pl_module._stopped_at == self.where:
            next(pl_module.parameters()).grad.view(-1)[0] = float("nan")


@pytest.mark.parametrize(("batch", "every"), [(1, None), (1, 1), (0, 1)])
def test_a_gradient_that_is_no_number_leaves_the_last_good_state(
    tmp_path, monkeypatch, batch, every
):
    make_callbacks = run_module.make_callbacks
    poison = PoisonGradient(1, batch)
    monkeypatch.setattr(
        run_module, "make_callbacks", lambda *args: [*make_callbacks(*args), poison]
    )
    # Every weight is NaN after that step, with clipping at once.
    named = rf"gradient .* epoch 2, batch {batch + 1}\. .*last\.ckpt"
    with pytest.raises(NotFiniteError, match=named):
        train(tmp_path, training={"checkpoint_every_n_steps": every})
    state = read_state(tmp_path / "checkpoints" / "last.ckpt")
    assert state["global_step"] == (4 if every is None else 4 + batch)
    assert all(value.isfinite().all() for value in state["state_dict"].values())


def test_a_training_that_fails_leaves_the_run_that_it_should_replace(tmp_path):
    train(tmp_path, training={"max_epochs": 1})
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(NotFiniteError, match=r"epoch 1, batch 2"):
        train(tmp_path, training={"learning_rate": 1e30, "gradient_clip_val": None})
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_the_first_state_replaces_the_earlier_run_as_a_whole(tmp_path, press_ctrl_c):
    train(tmp_path, training={"max_epochs": 1})
    (tmp_path / "metrics.json").write_text("{}")
    press_ctrl_c("on_train_batch_end", 0, 1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training={"max_epochs": 3})
    press_ctrl_c()
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {"config.yaml", "environment.json", str(Path("checkpoints", "last.ckpt"))}
    assert load_config(tmp_path / "config.yaml").training.max_epochs == 3
    state = tmp_path / "checkpoints" / "last.ckpt"
    assert len(train(tmp_path, training={"max_epochs": 3}, resume=state).history) == 3


def test_early_stopping_ends_a_run_that_no_longer_improves(tmp_path):
    # A rate too small to change a float: every epoch after the first is no better.
    training = {"learning_rate": 1e-20, "max_epochs": 9, "early_stopping_patience": 2}
    assert len(train(tmp_path, training=training).history) == 3


def test_without_a_compiler_training_goes_on_and_says_so(tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise RuntimeError("no C++ compiler found\nand more")

    monkeypatch.setattr(torch, "compile", lambda function: fail)
    result = train(tmp_path, training={"compile": True})
    said = [line for line in capsys.readouterr().err.splitlines() if "torch.compile" in line]
    assert said == ["Training without torch.compile, which failed: no C++ compiler found"]
    assert not load_config(tmp_path / "config.yaml").training.compile
    assert len(result.history) == 2


def test_an_unwritable_folder_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        train(tmp_path / "file" / "run")


def test_an_absent_device_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="`device`"):
        train_pixelcnn(TINY, None, FEW, out=tmp_path, device="cuda:99")


def test_dynamic_binarization_and_flips_train(tmp_path):
    data = {"binarization": "dynamic", "use_augmentation": True}
    result = train(tmp_path, data=data, training={"accumulate_grad_batches": 2})
    assert result.model.num_classes == 2
    assert "dynamically binarized" in result.data.protocol


def test_an_earlier_run_is_replaced_only_with_overwrite(tmp_path):
    train(tmp_path, training={"max_epochs": 1}, overwrite=False)
    with pytest.raises(ConfigError, match=r"which holds model\.safetensors\. .*`overwrite=True`"):
        train(tmp_path, training={"max_epochs": 1}, overwrite=False)
    train(tmp_path, overwrite=False, resume=tmp_path / "checkpoints" / "last.ckpt")
    assert len(train(tmp_path, overwrite=False, resume="auto").history) == 2
    assert len(train(tmp_path, training={"max_epochs": 1}, overwrite=True).history) == 1


def test_arrays_in_memory_train_a_model(tmp_path):
    x = torch.arange(20 * 64).reshape(20, 8, 8) % 17
    arrays = {"x": x, "y": torch.arange(20) % 2, "levels": 17}
    sections = ({**TINY, "num_labels": 2}, {"max_epochs": 1}, {"batch_size": 16})
    run = train_pixelcnn(
        *sections, data=arrays, logger_config=SILENT, out=tmp_path / "run", device="cpu"
    )
    assert run.data.protocol.startswith("memory, 17 levels, 16/2/2")
    assert load_config(tmp_path / "run" / "config.yaml").data.dataset_name == "memory"
    with pytest.raises(ConfigError, match=r"got both \(`dataset_name` is 'mnist'\)"):
        train_pixelcnn(data_config={"dataset_name": "mnist"}, data=arrays, out=tmp_path / "other")
