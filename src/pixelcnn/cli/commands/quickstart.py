"""`pixelcnn quickstart`: the whole way, from images to a model and its samples, in a minute."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from pixelcnn.cli.commands.train import train, train_command
from pixelcnn.config import load_config

PRESET = "digits"


def run(args: argparse.Namespace) -> int:
    """Trains on scikit-learn's digits; an earlier quickstart in the folder is replaced."""
    words = [f"--seed={args.seed}", f"--device={args.device or 'auto'}", f"--out={args.out}"]
    config = load_config(preset=PRESET, overrides=words)
    with one_thread():
        train(config, Path(args.out), command=train_command(args.words))
    return 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Computes in one thread, for work too small to share.

    On a machine that is busy with something else the threads of so small a model spend their
    time waiting for each other: with one core of two taken, two threads took three times as long
    as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
