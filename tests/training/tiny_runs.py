"""Trainings of a few seconds, on a few 8×8 digits."""

from pathlib import Path

import torch

from pixelcnn.runs import load_trained, read_state
from pixelcnn.training import train_pixelcnn

TINY = {"hidden_channels": 8, "num_residual_blocks": 1, "dropout": 0.1}
FEW = {"dataset_name": "digits", "max_samples": 60, "batch_size": 16}
SILENT = {"tensorboard": False, "csv": False, "sample_every_n_epochs": 0}


def train(out: Path, *, model=None, training=None, data=None, logger=None, **options):
    return train_pixelcnn(
        {**TINY, **(model or {})},
        {"max_epochs": 2, **(training or {})},
        {**FEW, **(data or {})},
        logger_config={**SILENT, **(logger or {})},
        out=out,
        device="cpu",
        **{"overwrite": True, **options},
    )


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_trained(path).state_dict()


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def leaves(state: object, name: str = "state") -> dict[str, object]:
    """Every leaf of a state by its path."""
    if isinstance(state, dict):
        items = state.items()
    elif isinstance(state, list | tuple):
        items = enumerate(state)
    else:
        return {name: state}
    return {key: leaf for k, v in items for key, leaf in leaves(v, f"{name}.{k}").items()}


def assert_same_state(one: Path, other: Path) -> None:
    """All that is in the files of two states, apart from times."""
    mine, theirs = leaves(read_state(one)), leaves(read_state(other))
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        # Lightning counts there every attempt at a batch, also those that were cut off.
        if name.endswith((".seconds", "batch_progress.total.ready")):
            continue
        same = torch.equal(value, theirs[name]) if torch.is_tensor(value) else value == theirs[name]
        assert same, name
