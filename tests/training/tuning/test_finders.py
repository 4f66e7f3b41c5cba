"""Facts about settings that are found before a training."""

import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelcnn.config import Config, as_config, load_config
from pixelcnn.config.images import load_images
from pixelcnn.data import DataSplits
from pixelcnn.errors import ConfigError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import load, read_starts
from pixelcnn.training import build_model
from pixelcnn.training.tuning import finders
from pixelcnn.training.tuning.finders import (
    FoundRate,
    bytes_per_image,
    find_batch_size,
    find_learning_rate,
    steepest_fall,
)
from pixelcnn.training.tuning.trial import Trial
from tests.training import tiny_runs

pytestmark = pytest.mark.filterwarnings("ignore::pixelcnn.data.DataWarning")

MODEL = {"hidden_channels": 8, "num_residual_blocks": 1, "dropout": 0.2, "num_labels": 10}
DATA = {"dataset_name": "digits", "max_samples": 70, "batch_size": 16, "use_augmentation": True}


def prepared(**training) -> tuple[Config, AutoregressiveModel, DataSplits]:
    config = as_config(model=MODEL, training=training, data=DATA, device="cpu")
    data = load_images(config)
    return config, build_model(config.model, data), data


def train(out: Path, *, batch_size=16, resume=None, **training):
    data = {**DATA, "batch_size": batch_size}
    return tiny_runs.train(out, model=MODEL, training=training, data=data, resume=resume)


def random_state() -> list:
    state = np.random.get_state()
    return [random.getstate(), state[1].tolist(), state[2:], torch.get_rng_state().tolist()]


@pytest.fixture(autouse=True)
def _no_collections(monkeypatch):
    """Lightning collects garbage between sizes, which would take most of the time here."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


@pytest.fixture
def few_rates(monkeypatch):
    """A short search: the laws do not depend on its length."""
    monkeypatch.setattr(finders, "NUM_RATES", 12)


@pytest.fixture
def memory_for(monkeypatch):
    """Makes batches of more than so many images run out of memory."""

    def arm(count: int) -> None:
        step = Trial.training_step

        def limited(self, batch, batch_idx):
            if len(batch.x) > count:
                raise RuntimeError("CUDA out of memory. Tried to allocate 1 GiB.")
            return step(self, batch, batch_idx)

        monkeypatch.setattr(Trial, "training_step", limited)

    return arm


def test_the_rate_is_where_the_loss_falls_fastest():
    found = find_learning_rate(*prepared())
    assert len(found.rates) == len(found.losses)
    assert found.rates[0] == pytest.approx(1e-6, rel=0.2)
    assert all(low < high for low, high in zip(found.rates, found.rates[1:], strict=False))
    assert found.losses[0] == pytest.approx(np.log(17), rel=0.1)  # as no knowledge has
    assert 1e-4 < found.best < 0.1
    assert found.best == float(f"{found.best:.3g}")


def test_a_loss_that_explodes_does_not_hide_where_it_fell():
    rates = [10.0 ** (-7 + number / 4) for number in range(30)]
    losses = [3.0 - 1 / (1 + np.exp(14 - number)) for number in range(25)] + [float("nan")] * 5
    assert steepest_fall(rates, losses) == pytest.approx(rates[14], rel=0.01)


def test_a_loss_that_never_falls_is_an_error():
    rates = [10.0 ** (-7 + number / 4) for number in range(30)]
    with pytest.raises(ConfigError, match=r"no rate from 1e-06 to 1.*`training\.learning_rate`"):
        steepest_fall(rates, [3.0 + number for number in range(30)])


@pytest.mark.parametrize("find", [find_learning_rate, find_batch_size])
def test_weights_random_state_and_disk_are_left_as_they_were(
    few_rates, memory_for, find, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    memory_for(40)
    config, model, data = prepared()
    before, state = {k: v.clone() for k, v in model.state_dict().items()}, random_state()
    find(config, model, data)
    assert random_state() == state
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(weight.grad is not None for weight in model.parameters())
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("memory", "found"), [(9, 8), (1000, 64)])
def test_the_batch_is_the_largest_that_fits_by_doubling(memory_for, memory, found):
    memory_for(memory)
    config, model, data = prepared()
    assert len(data.train) == 70
    assert find_batch_size(config, model, data) == found


def test_on_a_processor_the_search_ends_before_memory_does(monkeypatch):
    config, model, data = prepared()
    each = bytes_per_image(config, model, data)
    features = 4 * 64 * 8  # of one layer: float32, pixels, channels
    assert 2 * features < each < 200 * features

    class Memory:
        available = 50 * each

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    assert find_batch_size(config, model, data) == 16  # 25 would be the most
    Memory.available = 10 * each
    assert find_batch_size(config, model, data) == 5
    Memory.available = each
    with pytest.raises(ConfigError, match="no room for a single image"):
        find_batch_size(config, model, data)


def test_a_run_with_found_settings_is_the_run_that_is_given_them(few_rates, memory_for, tmp_path):
    memory_for(40)
    wanted = {"find_learning_rate": True, "find_batch_size": True, "deterministic": True}
    found = train(tmp_path / "found", **wanted)
    assert not torch.are_deterministic_algorithms_enabled()
    config = load_config(tmp_path / "found" / "config.yaml")
    rate, size = config.training.learning_rate, config.data.batch_size
    assert (size, config.training.find_learning_rate) == (32, False)
    assert (tmp_path / "found" / "learning-rate.png").is_file()
    how = read_starts(tmp_path / "found")[0]["found"]
    assert how["training.learning_rate"]["value"] == rate
    assert how["data.batch_size"]["value"] == size
    train(tmp_path / "given", learning_rate=rate, batch_size=size)
    one, two = (load(tmp_path / name / "model.safetensors") for name in ("found", "given"))
    assert all(torch.equal(v, two.state_dict()[k]) for k, v in one.state_dict().items())
    assert found.config.training.learning_rate == rate
    assert not list(tmp_path.rglob(".*"))


def test_a_resumed_run_keeps_its_first_settings(tmp_path, monkeypatch):
    monkeypatch.setattr(finders, "find_learning_rate", lambda *_: FoundRate([1, 2], [2, 1], 0.0123))
    train(tmp_path, find_learning_rate=True, max_epochs=1)
    monkeypatch.setattr(finders, "find_learning_rate", None)
    with pytest.raises(ConfigError, match=r"`training\.find_learning_rate` is for a new ru"):
        train(tmp_path, find_learning_rate=True, resume=tmp_path / "checkpoints" / "last.ckpt")
    more = train(tmp_path, find_learning_rate=True, resume="auto")
    assert len(more.history) == 2
    assert more.config.training.learning_rate == 0.0123
    assert load_config(tmp_path / "config.yaml").training.learning_rate == 0.0123


def test_several_processes_do_not_search():
    with pytest.raises(ConfigError, match=r"`training\.find_batch_size` needs one process"):
        as_config(training={"num_devices": 2, "find_batch_size": True})
