"""Facts about the moving average of the weights."""

from collections import OrderedDict

import pytest
import torch
from lightning.pytorch import Callback

import pixelcnn.training.run as run_module
from pixelcnn import checkpoint
from pixelcnn.evaluation import evaluate
from pixelcnn.runs import read_state
from pixelcnn.training.callbacks.ema import step_size
from tests.training.tiny_runs import assert_same, train, weights

DECAY = 0.6


class Watch(Callback):
    """Averages by hand, after every optimiser step."""

    def __init__(self) -> None:
        self.average: OrderedDict = OrderedDict()

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        # By then the step before is over, whichever callback came first.
        self.add(trainer.global_step - 1, pl_module)

    def add(self, number: int, pl_module) -> None:
        share = step_size(number, DECAY)
        for name, value in pl_module.model.named_parameters():
            if number == 0:
                self.average[name] = value.detach().clone()
            elif number > 0:
                self.average[name] += share * (value.detach() - self.average[name])

    def on_validation_start(self, trainer, pl_module) -> None:
        self.add(trainer.global_step - 1, pl_module)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    watch, make_callbacks = Watch(), run_module.make_callbacks
    monkeypatch.setattr(run_module, "make_callbacks", lambda *args: [watch, *make_callbacks(*args)])
    return watch, train(tmp_path, training={"max_epochs": 1, "ema_decay": DECAY})


def test_the_average_is_that_of_its_formula(watched):
    watch, result = watched
    for name, value in result.model.named_parameters():
        torch.testing.assert_close(value, watch.average[name], rtol=1e-5, atol=1e-6)


def test_what_is_validated_saved_and_loaded_is_the_average(watched):
    _, result = watched
    figures = evaluate(result.model, result.data.val)
    assert figures["nll_nats"] == pytest.approx(result.history[0]["val_nll"], rel=1e-5)
    file = checkpoint.read_model(result.run_dir / "model.safetensors")
    assert_same(file.state_dict(), result.model.state_dict())
    last = result.run_dir / "checkpoints" / "last.ckpt"
    assert_same(weights(last), result.model.state_dict())


def test_training_resumes_from_the_weights_and_not_from_their_average(tmp_path):
    plain = train(tmp_path / "plain")
    train(tmp_path / "average", training={"ema_decay": DECAY})
    last = read_state(tmp_path / "average" / "checkpoints" / "last.ckpt")
    trained = {
        name.removeprefix("model."): value for name, value in last["current_model_state"].items()
    }
    assert_same(trained, weights(plain.run_dir / "checkpoints" / "last.ckpt"))


@pytest.mark.parametrize("name", ["gated", "pixelcnnpp", "pixelsnail"])
def test_every_architecture_can_be_averaged(tmp_path, name):
    model = {"name": name, "dropout": None, "num_residual_blocks": None, "hidden_channels": 8}
    result = train(tmp_path, model=model, training={"max_epochs": 1, "ema_decay": DECAY})
    assert result.history[0]["val_nll"] < 400


def test_statistics_of_a_batch_norm_come_along(tmp_path):
    model = {"norm": "batch"}
    result = train(tmp_path, model=model, training={"max_epochs": 1, "ema_decay": DECAY})
    figures = evaluate(result.model, result.data.val)
    assert figures["nll_nats"] == pytest.approx(result.history[0]["val_nll"], rel=1e-5)
    learned = read_state(tmp_path / "checkpoints" / "last.ckpt")["current_model_state"]
    statistics = dict(result.model.named_buffers())
    found = [name for name in statistics if name.endswith("running_mean")]
    assert found
    for name in found:
        assert torch.equal(statistics[name], learned[f"model.{name}"])
