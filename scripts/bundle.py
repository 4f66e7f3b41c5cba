"""Makes a bundled model from its recipe.

    python scripts/bundle.py digits
    python scripts/bundle.py mnist-256 --run runs/mnist-256
    python scripts/bundle.py mnist-binary --training.max_epochs 2 --into somewhere/else

Without --run it trains into runs/bundle/NAME, as `pixelcnn train` does. It writes the model to
src/pixelcnn/weights/NAME.safetensors; its card holds the metrics on the whole test set, the recipe
and the command. A finished run is used as it is, with the metrics that it reported.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import fingerprint, read_card, save
from pixelcnn.cli import main as pixelcnn
from pixelcnn.cli.entry import explain
from pixelcnn.cli.outputs.training_report import evaluate_split
from pixelcnn.cli.parsers.options import OneLineParser
from pixelcnn.cli.parsers.parser import split_settings
from pixelcnn.config import Config, DataConfig, as_dict, flatten, load_config
from pixelcnn.config.images import load_images
from pixelcnn.data import DataSplits
from pixelcnn.errors import CheckpointError, ConfigError, PixelCNNError
from pixelcnn.evaluation import evaluate
from pixelcnn.files import atomic_write
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import CONFIG_FILE, METRICS_FILE, MODEL_FILE, load
from pixelcnn.weights import FOLDER

# The recipe in configs/ of each bundled model.
RECIPES = {
    "digits": "digits",
    "mnist-binary": "mnist-conditional",
    "mnist-256": "mnist-256",
}
MAX_BYTES = 2_000_000
NUM_FIRST = 50  # test images of a second, quick metric, by which tests recognise the model
METRICS = ("nll_nats", "nll_nats_stderr", "bits_per_dim", "perplexity")
DECISIVE = ("model.", "training.", "data.", "seed")
# Of these, what changes neither the weights nor the training images.
PLACES = ("data.data_root", "data.num_workers")


def main(words: Sequence[str]) -> int:
    """Trains unless a run is given, and bundles the model; returns an exit code."""
    plain, settings = split_settings(words)
    args = parser().parse_args(plain)
    folder = args.run
    try:
        if folder is None:
            folder = Path("runs", "bundle", args.name)
            command = ["train", "--preset", RECIPES[args.name], "--out", str(folder)]
            device = ["--device", args.device] if args.device else []
            code = pixelcnn([*command, "--overwrite", *device, *settings])
            if code:
                return code
        elif settings:
            raise ConfigError(f"A run has its own settings: leave out {settings[0]} or --run.")
        path = bundle(args.name, folder, args.into)
    except (PixelCNNError, KeyboardInterrupt) as error:
        line, code = explain(error)
        print(f"bundle: {line}", file=sys.stderr)
        return code
    print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options, besides settings of the training."""
    parser = OneLineParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", choices=list(RECIPES), help="the model to make")
    parser.add_argument("--run", type=Path, metavar="DIR", help="a finished run of its recipe")
    parser.add_argument("--into", type=Path, metavar="DIR", default=FOLDER, help="output folder")
    parser.add_argument("--device", metavar="NAME", help="where to train (default: auto)")
    return parser


def bundle(name: str, folder: Path, into: Path) -> Path:
    """Writes the model of a run as NAME.safetensors, with its metrics in the card.

    Raises:
        CheckpointError: If the run has no model, is unfinished, or its model is too large.
        ConfigError: If the settings of the run cannot be read.
    """
    file, path = folder / MODEL_FILE, into / f"{name}.safetensors"
    model, card = load(file), read_card(file)
    config = load_config(folder / CONFIG_FILE)
    config.evaluation.split, config.evaluation.max_samples = "test", None
    data = load_images(config)
    training = {
        **card["training"],
        "recipe": RECIPES[name],
        "command": command_of(config, RECIPES[name]),
        "data": data_of(config),
        "figures": metrics_of(model, data, config, folder),
    }
    with atomic_write(path) as temporary:
        save(model, temporary, labels=card["labels"], training=training)
        size = temporary.stat().st_size
        if size > MAX_BYTES:
            raise CheckpointError(
                f"A bundled model must have at most {MAX_BYTES:,} bytes, but that of {folder} has "
                f"{size:,}. Make the recipe {RECIPES[name]} smaller."
            )
    return path


def metrics_of(
    model: AutoregressiveModel, data: DataSplits, config: Config, folder: Path
) -> dict[str, Any]:
    """Metrics on the whole test set: those of the run, or measured now."""
    metrics = reported(folder)
    needed = {"split", "protocol", "num_images", "num_dims", *METRICS}
    if model.condition.is_optional:
        needed |= {f"{name}_without_label" for name in (*METRICS, "density")}
    is_whole = (metrics.get("split"), metrics.get("num_images")) == ("test", len(data.test))
    is_ours = metrics.get("fingerprint") == fingerprint(model)
    if not (is_whole and is_ours and needed <= set(metrics)):
        metrics = evaluate_split(model, data, config)
    first = evaluate(model, data.test, max_samples=NUM_FIRST)
    return {
        **{name: value for name, value in metrics.items() if name in needed},
        "num_first": first["num_images"],
        "nll_nats_of_first": first["nll_nats"],
    }


def reported(folder: Path) -> dict[str, Any]:
    """The metrics that a run reported at its end.

    Raises:
        CheckpointError: If it is unfinished.
    """
    try:
        metrics: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} holds no {METRICS_FILE}: its training is unfinished. Continue it with "
            f"pixelcnn train --resume {shlex.quote(str(folder))}"
        ) from None
    return metrics


def command_of(config: Config, recipe: str) -> str:
    """The command that trains this again: the recipe, and the settings that differ from it."""
    theirs = decisive(load_config(preset=recipe))
    words = ["pixelcnn", "train", "--preset", recipe]
    for key, value in decisive(config).items():
        if value != theirs[key]:
            words += [f"--{key}", value if isinstance(value, str) else json.dumps(value)]
    return shlex.join(words)


def decisive(config: Config) -> dict[str, Any]:
    """The settings that decide the weights, by dotted key."""
    return {
        key: value
        for key, value in flatten(as_dict(config)).items()
        if key.startswith(DECISIVE) and key not in PLACES
    }


def data_of(config: Config) -> dict[str, Any]:
    """The data settings by which `pixelcnn evaluate NAME` finds the test images."""

    usual = asdict(DataConfig())
    chosen = {
        key: value
        for key, value in asdict(config.data).items()
        if value != usual[key] and f"data.{key}" not in (*PLACES, "data.batch_size")
    }
    return {"dataset_name": config.data.dataset_name, **chosen}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
