"""The parsers of the commands that train. Nothing heavy is imported here."""

import argparse

from pixelcnn.cli.parsers.options import (
    PRINT_CONFIG_HELP,
    Subparsers,
    add_command,
    add_device,
    add_seed,
)
from pixelcnn.cli.parsers.types import destination, number, positive


def add_quickstart(commands: Subparsers) -> None:
    """Adds `quickstart`."""
    parser = add_command(
        commands,
        "quickstart",
        "train on small digits, evaluate and sample, in about a minute",
        is_slow=True,
    )
    parser.epilog = "`pixelcnn sample digits` samples from a bundled model without training."
    parser.add_argument(
        "--out", type=destination, metavar="DIR", default="runs/quickstart",
        help="Run folder; an earlier quickstart there is replaced (default: %(default)s).",
    )  # fmt: skip
    add_seed(parser, "the weights, the batches and the samples", value=0)
    add_device(parser)


def add_train(commands: Subparsers) -> None:
    """Adds `train`."""
    parser = add_command(
        commands,
        "train",
        "train a model, then evaluate it and sample from it",
        is_slow=True,
        takes_settings=True,
        settings=("the configuration", "--training.max_epochs 5 --model.hidden_channels 128"),
    )
    _add_recipe(parser)
    parser.add_argument(
        "--out", type=destination, metavar="DIR",
        help="Run folder (default: runs/NAME-DATE-TIME).",
    )  # fmt: skip
    parser.add_argument(
        "--resume", metavar="RUN",
        help="Continue the training in a run folder, or from one of its .ckpt files; auto: "
        "continue what --out holds, or start.",
    )  # fmt: skip
    add_seed(parser, "the weights, the batches and the samples", default="that of the settings")
    add_device(parser)
    parser.add_argument(
        "--find-learning-rate", action="store_true",
        help="Find a learning rate first, and train with it.",
    )  # fmt: skip
    parser.add_argument(
        "--find-batch-size", action="store_true",
        help="Find the largest batch size that fits first, and train with it.",
    )  # fmt: skip
    parser.add_argument(
        "--overwrite", action="store_true",
        help="Replace the training that the run folder holds.",
    )  # fmt: skip
    parser.add_argument("--print-config", action="store_true", help=PRINT_CONFIG_HELP)


def add_train_classifier(commands: Subparsers) -> None:
    """Adds `train-classifier`."""
    parser = add_command(
        commands,
        "train-classifier",
        "train the evaluation classifier that measures sample quality",
        is_slow=True,
        takes_settings=True,
        less_memory="Use fewer images at once (--batch-size) or a smaller --width.",
    )
    _add_recipe(parser)
    parser.add_argument(
        "--out", type=destination, metavar="FILE", required=True,
        help="The .safetensors file to write.",
    )  # fmt: skip
    parser.add_argument(
        "--epochs", type=positive, metavar="N", help="Passes over the images (N ≥ 1; default: 10)."
    )
    parser.add_argument(
        "--batch-size", type=positive, metavar="N",
        help="Images in each step (N ≥ 1; default: 64).",
    )  # fmt: skip
    parser.add_argument(
        "--learning-rate", type=number, metavar="R",
        help="Peak learning rate (0 < R < 1; default: 0.003).",
    )  # fmt: skip
    parser.add_argument(
        "--width", type=positive, metavar="N",
        help="Channels of the first convolution (N ≥ 1; default: 16).",
    )  # fmt: skip
    parser.add_argument(
        "--num-features", type=positive, metavar="N",
        help="Features that describe an image (N ≥ 1; default: 64).",
    )  # fmt: skip
    add_seed(parser, "the weights and the batches")
    add_device(parser)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument(
        "--config", metavar="FILE", help="Settings in YAML, such as config.yaml of a run."
    )
    recipe.add_argument(
        "--preset", metavar="NAME", help="Bundled settings, such as digits or mnist-256."
    )
