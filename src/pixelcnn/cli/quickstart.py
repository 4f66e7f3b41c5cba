"""`pixelcnn quickstart`: the whole way, from images to a model and its samples, in a minute."""

import argparse
from pathlib import Path

from pixelcnn.cli.train import train
from pixelcnn.config import load_config

PRESET = "digits"


def run(args: argparse.Namespace) -> int:
    """Trains on scikit-learn's digits; an earlier quickstart in the folder is replaced."""
    words = [f"--seed={args.seed}", f"--device={args.device or 'auto'}", f"--out={args.out}"]
    train(load_config(preset=PRESET, overrides=words), Path(args.out))
    return 0
