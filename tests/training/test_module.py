"""Facts about the Lightning module, its optimisers and its compiled step."""

import pytest
import torch
from torch.optim import Adam, AdamW
from torch.optim.lr_scheduler import ReduceLROnPlateau

from pixelcnn.config import TrainingConfig
from pixelcnn.data import Batch
from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN, PixelCNNPlusPlus
from pixelcnn.training import PixelCNNTrainer
from pixelcnn.training.compilation import compile_or_explain
from pixelcnn.training.optimisation.optimizers import (
    make_optimizer,
    make_plateau,
    make_schedule,
    rate_factor,
)
from tests.training.tiny_runs import train


def tiny() -> PixelCNN:
    return PixelCNN(hidden_channels=8, num_residual_blocks=1, image_size=8, num_classes=2)


def test_settings_are_checked_like_any_others():
    assert PixelCNNTrainer(tiny(), {"learning_rate": "1e-2"}).settings.learning_rate == 0.01
    assert PixelCNNTrainer(tiny()).settings == TrainingConfig()
    with pytest.raises(ConfigError, match=r"`training\.learning_rat`"):
        PixelCNNTrainer(tiny(), {"learning_rat": 0.1})


def test_the_loss_is_the_negative_log_likelihood():
    model = tiny()
    x = torch.randint(2, (3, 1, 8, 8))
    assert torch.equal(PixelCNNTrainer(model).plain_nll(x, None), -model.log_prob(x))


@pytest.mark.parametrize(("name", "kind"), [("adam", Adam), ("adamw", AdamW)])
def test_the_optimizer_is_the_configured_one_and_fused(name, kind):
    config = TrainingConfig(optimizer=name, learning_rate=0.5, weight_decay=0.25)
    optimizer = make_optimizer(tiny(), config)
    assert type(optimizer) is kind
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["fused"]) == (0.5, 0.25, True)


def test_half_precision_clips_before_an_unfused_step():
    optimizer = make_optimizer(tiny(), TrainingConfig(precision="16-mixed"))
    assert not optimizer.param_groups[0]["fused"]


def test_cosine_falls_from_one_to_zero():
    factors = [rate_factor(step, TrainingConfig(), 10) for step in range(11)]
    assert factors[0] == 1
    assert factors[10] == 0
    assert factors == sorted(factors, reverse=True)


def test_constant_stays_after_its_warm_up():
    config = TrainingConfig(schedule="constant", warmup_steps=4)
    assert [rate_factor(step, config, 10) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_a_warm_up_longer_than_the_run_is_refused():
    config = TrainingConfig(warmup_steps=10)
    optimizer = make_optimizer(tiny(), config)
    with pytest.raises(ConfigError, match=r"`training\.warmup_steps` must be below 10, .* got 10"):
        make_schedule(optimizer, config, 10)


def test_a_plateau_halves_the_rate_at_its_fourth_epoch():
    optimizer = make_optimizer(tiny(), TrainingConfig(learning_rate=1.0))
    schedule, rates = make_plateau(optimizer), []
    for figure in (3, 2, 2, 2, 2, 2, 2):
        schedule.step(figure)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1, 1, 1, 1, 1, 0.5, 0.5]


def test_a_plateau_is_one_of_the_validation_nll(tmp_path, monkeypatch):
    stepped, step = [], ReduceLROnPlateau.step

    def noted(self, value):
        stepped.append(value.item())
        step(self, value)

    monkeypatch.setattr(ReduceLROnPlateau, "step", noted)
    result = train(tmp_path, training={"schedule": "plateau"})
    assert stepped == [entry["val_nll"] for entry in result.history]


def test_gradients_are_clipped_by_their_norm():
    trainer = PixelCNNTrainer(tiny())
    for parameter in trainer.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer = make_optimizer(trainer.model, TrainingConfig())
    trainer.configure_gradient_clipping(optimizer, 0.5)
    squares = [parameter.grad.square().sum() for parameter in trainer.model.parameters()]
    assert torch.stack(squares).sum().sqrt().item() == pytest.approx(0.5, rel=1e-4)
    count = sum(parameter.numel() for parameter in trainer.model.parameters())
    assert trainer.gradient_norm.item() == pytest.approx(count**0.5, rel=1e-4)


def test_masked_weights_get_no_gradient():
    model = tiny()
    PixelCNNTrainer(model).plain_nll(torch.randint(2, (2, 1, 8, 8)), None).sum().backward()
    hidden = model.first.mask.expand_as(model.first.weight) == 0
    assert hidden.any()
    assert (model.first.weight.grad[hidden] == 0).all()
    assert (model.first.weight.grad[~hidden] != 0).any()


def test_the_first_batch_sets_the_scales_of_a_new_model_and_none_after_it():
    model = PixelCNNPlusPlus(hidden_channels=4, num_resnets=1, num_resolutions=1, num_classes=2)
    start = model.out.gain.clone()
    trainer = PixelCNNTrainer(model)
    batch = Batch(torch.randint(2, (4, 1, 6, 6), dtype=torch.uint8))
    trainer.on_train_batch_start(batch, 0)
    first = model.out.gain.clone()
    trainer.on_train_batch_start(batch._replace(x=1 - batch.x), 1)
    assert not torch.equal(first, start)
    assert torch.equal(model.out.gain, first)


def test_a_compiled_loss_is_the_plain_one(monkeypatch):
    # A backend that only captures the graph stands for the compiler, which takes half a minute.
    capture = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: capture(function, backend="eager"))
    model = tiny()
    trainer = PixelCNNTrainer(model)
    x = torch.randint(2, (4, 1, 8, 8))
    compiled, reason = compile_or_explain(trainer.plain_nll, x, None, model.parameters())
    assert reason is None
    assert torch.allclose(compiled(x, None), trainer.plain_nll(x, None))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not [name for name in trainer.state_dict() if "_orig_mod" in name]


def test_a_compiled_loss_leaves_out_other_labels_each_time():
    model = PixelCNN(
        hidden_channels=8, num_residual_blocks=1, num_labels=2, label_dropout=0.5, num_classes=2
    )
    torch.nn.init.normal_(model.blocks[0].cond_bias.weight)
    trainer = PixelCNNTrainer(model.train())
    compiled = torch.compile(trainer.plain_nll, backend="eager", fullgraph=True)
    x, labels = torch.zeros(32, 1, 4, 4, dtype=torch.int64), torch.arange(32) % 2
    torch.manual_seed(1)
    first, second = compiled(x, labels), compiled(x, labels)
    assert not torch.allclose(first, second)
    torch.manual_seed(1)
    assert torch.allclose(trainer.plain_nll(x, labels), first)


@pytest.mark.slow
def test_the_real_compiler_gives_the_plain_loss():
    model = tiny()
    trainer = PixelCNNTrainer(model)
    x = torch.randint(2, (4, 1, 8, 8))
    compiled, _ = compile_or_explain(trainer.plain_nll, x, None, model.parameters())
    assert torch.allclose(compiled(x, None), trainer.plain_nll(x, None), atol=1e-4)
