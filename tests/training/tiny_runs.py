"""Trainings of a few seconds, on a few 8×8 digits."""

from pathlib import Path

import torch

from pixelcnn.training import load_trained, train_pixelcnn

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
        **options,
    )


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_trained(path).state_dict()


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name
