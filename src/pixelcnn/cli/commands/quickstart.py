"""`pixelcnn quickstart`: from images to a trained model and its samples in a minute."""

import argparse
from pathlib import Path

from pixelcnn.cli.commands.train import train, train_command
from pixelcnn.config import load_config
from pixelcnn.threads import one_thread

PRESET = "digits"


def run(args: argparse.Namespace) -> int:
    """Trains on scikit-learn's digits; an earlier quickstart in the folder is replaced."""
    words = [f"--seed={args.seed}", f"--device={args.device or 'auto'}", f"--out={args.out}"]
    config = load_config(preset=PRESET, overrides=words)
    with one_thread():  # on a busy machine the threads of so small a model wait for each other
        train(config, Path(args.out), command=train_command(args.words))
    return 0
