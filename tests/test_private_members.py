"""Private members of torch and Lightning: which are used, where, and that they exist."""

import ast
from pathlib import Path

import pytest
import torch
import torch._functorch.config as functorch_config
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import RichProgressBar, WeightAveraging
from lightning.pytorch.loops import _TrainingEpochLoop

ROOT = Path(__file__).parents[1] / "src" / "pixelcnn"
OF_NAMED_TUPLES = {"_asdict", "_fields", "_replace"}

USED = {
    "_average_model": "training/callbacks/ema.py",
    "_batches_that_stepped": "training/callbacks/history.py",
    "_foreach_lerp_": "training/callbacks/ema.py",
    "_exit": "walk/spread.py",
    "_functorch": "training/compilation.py",
    "_get_train_description": "training/callbacks/progress.py",
    "_is_amx_tile_supported": "device.py",
    "_is_avx512_bf16_supported": "device.py",
    "_is_mkldnn_bf16_supported": "device.py",
    "_latest_update_step": "training/callbacks/ema.py",
    "_softmax_backward_data": "nn/attention/blockwise.py",
    "_swap_models": "training/callbacks/ema.py",
    "_weight_norm": "importing/foreign.py",
}
"""By name, the file that uses it. A new one needs a line here, and a check of it below."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def own_names(tree: ast.AST) -> set[str]:
    """Private names that a module defines: functions, variables, and attributes in constructors."""
    own = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("__"):
            own |= {
                each.attr
                for each in ast.walk(node)
                if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
            }
    return own


def used_names(tree: ast.AST) -> set[str]:
    """Private names that a module takes from objects, or imports from other packages."""
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names]
            module = getattr(node, "module", None) or ""
            if not module.startswith("pixelcnn"):
                used |= {part for name in (module, *modules) for part in name.split(".")}
    return {name for name in used if is_private(name)}


def test_every_private_member_that_is_used_is_known():
    # The command line uses neither, but some of argparse.
    paths = [path for path in ROOT.rglob("*.py") if "cli" not in path.relative_to(ROOT).parts]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    own = set().union(*(own_names(tree) for tree in trees.values())) | OF_NAMED_TUPLES
    overridden = {"_get_train_description"}  # defined here to replace that of Lightning
    used = {
        name: path.relative_to(ROOT).as_posix()
        for path, tree in trees.items()
        for name in used_names(tree) - own
    }
    assert used == {name: path for name, path in USED.items() if name not in overridden}


@pytest.mark.parametrize("name", ["_foreach_lerp_", "_softmax_backward_data", "_weight_norm"])
def test_torch_has_these_functions(name):
    assert callable(getattr(torch, name))


def test_torch_says_what_the_processor_has():
    assert isinstance(torch.cpu._is_amx_tile_supported(), bool)
    assert isinstance(torch.cpu._is_avx512_bf16_supported(), bool)
    if torch.backends.mkldnn.is_available():
        assert isinstance(torch.ops.mkldnn._is_mkldnn_bf16_supported(), bool)


def test_the_budget_of_the_compiler_can_be_patched():
    with functorch_config.patch(activation_memory_budget=0.5):
        assert functorch_config.activation_memory_budget == 0.5


def test_schedules_save_their_last_rates():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    assert schedule.state_dict()["_last_lr"] == schedule.state_dict()["base_lrs"] == [0.5]


def test_lightning_averages_weights_with_these_members():
    averaging = WeightAveraging()
    assert averaging._average_model is None
    assert averaging._latest_update_step == 0
    assert callable(averaging._swap_models)


def test_lightning_counts_steps_for_loggers_in_this_member(tmp_path):
    trainer = Trainer(accelerator="cpu", logger=False, default_root_dir=tmp_path)
    assert isinstance(trainer.fit_loop.epoch_loop, _TrainingEpochLoop)
    assert trainer.fit_loop.epoch_loop._batches_that_stepped == 0


def test_the_bar_of_lightning_asks_this_method_for_its_description():
    assert callable(RichProgressBar._get_train_description)
