import pytest
import torch
from torch import nn
from torch.optim import AdamW

from pixelcnn.config import TrainingConfig, load_config
from pixelcnn.errors import ConfigError
from pixelcnn.models import GatedPixelCNN
from pixelcnn.training.optimisation.muon import ADAM_SHARE, Muon, orthogonalise
from pixelcnn.training.optimisation.optimizers import make_optimizer
from tests.training.tiny_runs import assert_same_state, train

MUON = {"optimizer": "muon", "learning_rate": 0.02, "weight_decay": 0.01}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_singular_values_come_near_one_and_directions_stay():
    matrices = torch.randn(3, 12, 20, generator=generator())
    found = orthogonalise(matrices)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.6 and values.max() < 1.3
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    along = (left.mT @ found @ right.mT).diagonal(dim1=1, dim2=2)
    assert along.min() > 0.6, "the same singular vectors, with their signs"
    torch.testing.assert_close(orthogonalise(matrices.mT), found.mT, rtol=1e-4, atol=1e-5)


def test_kernels_move_by_muon_and_all_else_by_adamw():
    model = GatedPixelCNN(num_classes=4, num_labels=3, num_layers=2, hidden_channels=6)
    optimizer = make_optimizer(model, TrainingConfig(**MUON))
    kernels, others = (set(group["params"]) for group in optimizer.param_groups)
    assert [group["lr"] for group in optimizer.param_groups] == [0.02, 0.02 * ADAM_SHARE]
    for name, parameter in model.named_parameters():
        is_kernel = name.endswith("weight") and parameter.ndim == 4 and not name.startswith("out.")
        assert parameter in (kernels if is_kernel else others), name
    assert kernels | others == set(model.parameters())


def test_the_rest_moves_as_adamw_moves_it():
    mine = nn.Parameter(torch.randn(5, generator=generator()))
    theirs = nn.Parameter(mine.detach().clone())
    optimizers = [
        Muon([], [mine], lr=0.04, weight_decay=0.1),
        AdamW([theirs], lr=0.04 * ADAM_SHARE, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.1),
    ]
    for _ in range(3):
        for parameter, optimizer in zip((mine, theirs), optimizers, strict=True):
            parameter.grad = parameter.detach().sin()
            optimizer.step()
    torch.testing.assert_close(mine, theirs)


def test_the_first_step_is_orthogonal_and_scaled_by_the_shape():
    kernel = nn.Parameter(torch.zeros(8, 2, 1, 1))
    kernel.grad = torch.randn(kernel.shape, generator=generator())
    Muon([kernel], [], lr=0.1).step()
    values = torch.linalg.svdvals(kernel.detach().flatten(1)) / (0.1 * 2)  # root of 8 / 2
    assert values.min() > 0.6 and values.max() < 1.3


def test_weights_without_a_gradient_stay():
    kernel = nn.Parameter(torch.ones(4, 3, 3, 3))
    mask = torch.ones_like(kernel)
    mask[:2, 1] = 0
    optimizer = Muon([kernel], [], lr=0.1)
    for _ in range(3):
        kernel.grad = torch.randn(kernel.shape, generator=generator()) * mask
        optimizer.step()
    assert (kernel[mask == 0] == 1).all() and (kernel[mask == 1] != 1).all()


def test_a_resumed_training_is_the_uninterrupted_one(tmp_path):
    train(tmp_path / "whole", training={**MUON, "max_epochs": 3, "schedule": "constant"})
    train(tmp_path / "half", training={**MUON, "max_epochs": 2, "schedule": "constant"})
    state = tmp_path / "half" / "checkpoints" / "last.ckpt"
    train(
        tmp_path / "half", training={**MUON, "max_epochs": 3, "schedule": "constant"}, resume=state
    )
    assert_same_state(tmp_path / "whole" / "checkpoints" / "last.ckpt", state)


def test_parts_of_kernels_are_refused():
    words = ["--training.optimizer", "muon", "--training.strategy", "fsdp"]
    with pytest.raises(ConfigError, match="muon needs whole kernels"):
        load_config(overrides=words)
