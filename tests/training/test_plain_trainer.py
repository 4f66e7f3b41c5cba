"""`PixelCNNTrainer` with a plain `Trainer` of Lightning and plain loaders of PyTorch."""

import math

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import pixelcnn
from pixelcnn.config import ModelConfig, TrainingConfig
from pixelcnn.errors import ConfigError, DataError, ShapeError
from pixelcnn.training import PixelCNNTrainer
from tests.training.tiny_runs import train

MODEL = {"hidden_channels": 8, "num_residual_blocks": 1, "num_classes": 4}
LEVELS = torch.randint(4, (24, 1, 6, 6), generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(24) % 3

pytestmark = pytest.mark.filterwarnings("ignore")  # hints of Lightning


def loader(images: torch.Tensor, *others: torch.Tensor) -> DataLoader:
    return DataLoader(TensorDataset(images, *others), batch_size=8)


def fit(module: PixelCNNTrainer, images: torch.Tensor, *others: torch.Tensor, folder) -> Trainer:
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(module, loader(images, *others), loader(images, *others))
    return trainer


def trained_on(images: torch.Tensor, *others: torch.Tensor, folder, **model) -> dict:
    torch.manual_seed(0)
    module = PixelCNNTrainer({**MODEL, **model}, {"learning_rate": 0.01})
    trainer = fit(module, images, *others, folder=folder)
    assert trainer.callback_metrics["val_nll"] < 36 * 1.4  # log 4 = 1.386 nats: it has learned
    return module.state_dict()


def test_levels_and_floats_of_both_ranges_train_alike(tmp_path, caplog):
    caplog.set_level("INFO", "pixelcnn")
    levels = trained_on(LEVELS, LABELS, folder=tmp_path)
    assert "floats" not in caplog.text
    for floats, name in ((LEVELS / 3, "[0, 1]"), (LEVELS / 1.5 - 1, "[-1, 1]")):
        caplog.clear()
        found = trained_on(floats, LABELS, folder=tmp_path)
        assert all(torch.equal(found[key], levels[key]) for key in levels)
        logged = [message for message in caplog.messages if "floats" in message]
        assert logged == [f"Images: floats in {name} read as 4 levels."]


def test_labels_are_what_the_model_is_conditioned_on(tmp_path):
    weights = trained_on(LEVELS, LABELS, folder=tmp_path, num_labels=3)
    without = trained_on(LEVELS, folder=tmp_path)
    assert set(weights) > set(without)


@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        ((LEVELS,), DataError, "conditioned on labels, but the loader yields images alone"),
        ((LEVELS * 2, LABELS), ShapeError, r"`images` must hold integer levels in \[0, 4\)"),
        ((LEVELS / 7, LABELS), ShapeError, "Float images must be the 4 levels of the model"),
        ((LEVELS, LABELS + 1), ShapeError, "label"),
    ],
)
def test_what_does_not_fit_is_one_error(tmp_path, batch, error, words):
    module = PixelCNNTrainer({**MODEL, "num_labels": 3})
    with pytest.raises(error, match=words):
        fit(module, *batch, folder=tmp_path)


def test_models_are_built_from_settings():
    for model in (ModelConfig(**MODEL), MODEL):
        module = PixelCNNTrainer(model, TrainingConfig(learning_rate=0.5))
        assert module.model.num_classes == 4
        assert module.settings.learning_rate == 0.5
    with pytest.raises(ConfigError, match=r"`model\.hiden_channels`"):
        PixelCNNTrainer({"hiden_channels": 8})


def test_a_checkpoint_of_a_plain_trainer_needs_nothing_else(tmp_path):
    module = PixelCNNTrainer({**MODEL, "num_labels": 3}, {"optimizer": "adam"}, seed=7)
    trainer = fit(module, LEVELS, LABELS, folder=tmp_path)
    path = trainer.checkpoint_callback.best_model_path
    again = PixelCNNTrainer.load_from_checkpoint(path)
    x, cond = LEVELS[:2], LABELS[:2]
    expected = module.model.eval().log_prob(x, cond)
    assert torch.equal(again.model.log_prob(x, cond), expected)
    assert (again.settings, again.seed) == (module.settings, 7)
    assert torch.equal(pixelcnn.load(path).log_prob(x, cond), expected)


def test_a_state_of_train_pixelcnn_loads_and_trains_on(tmp_path):
    train(tmp_path, training={"max_epochs": 1, "learning_rate": 0.002})
    module = PixelCNNTrainer.load_from_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    assert module.settings.learning_rate == 0.002
    fit(module, torch.randint(17, (24, 1, 8, 8)), folder=tmp_path)


def test_the_settings_clip_where_the_trainer_does_not():
    module = PixelCNNTrainer(MODEL, {"gradient_clip_val": 0.5})
    for parameter in module.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    module.configure_gradient_clipping(None, None)
    squares = sum(float(each.grad.square().sum()) for each in module.model.parameters())
    assert squares == pytest.approx(0.25, rel=1e-4)


class Stream(IterableDataset):
    """Images without a number of them."""

    def __iter__(self):
        return iter(LEVELS)


def test_a_loader_without_a_length_saves_a_checkpoint(tmp_path):
    module = PixelCNNTrainer(MODEL, {"schedule": "constant"})
    trainer = Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, DataLoader(Stream(), batch_size=8))
    trainer.save_checkpoint(tmp_path / "state.ckpt")
    found = PixelCNNTrainer.load_from_checkpoint(tmp_path / "state.ckpt")
    assert found.model.config == module.model.config


def test_a_plain_trainer_tests_and_predicts():
    torch.manual_seed(0)
    module = PixelCNNTrainer({**MODEL, "num_labels": 3})
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False
    )
    images = loader(LEVELS[:20] / 3, LABELS[:20])  # the last batch is smaller
    (found,) = trainer.test(module, images, verbose=False)
    with torch.no_grad():
        nats = -module.model.eval().log_prob(LEVELS[:20], LABELS[:20])
    assert found["test_nll"] == pytest.approx(nats.mean().item(), rel=1e-5)
    assert found["test_bpd"] == pytest.approx(nats.mean().item() / 36 / math.log(2), rel=1e-5)
    torch.testing.assert_close(torch.cat(trainer.predict(module, images)), nats)


@pytest.mark.parametrize("epochs", [0, -1])
def test_settings_out_of_range_are_refused(epochs):
    with pytest.raises(ConfigError, match=r"`training\.max_epochs` must be at least 1"):
        PixelCNNTrainer(MODEL, TrainingConfig(max_epochs=epochs))
