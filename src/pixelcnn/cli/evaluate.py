"""`pixelcnn evaluate`: scores a trained model on held-out images."""

import argparse
from pathlib import Path

from pixelcnn.checkpoint import read_card
from pixelcnn.cli.finish import measure, summary
from pixelcnn.cli.runs import CONFIG_FILE, Run, find_model, open_run, run_folder
from pixelcnn.config import Config, load_config, to_yaml
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder, write_json
from pixelcnn.training.run import load_images


def run(args: argparse.Namespace) -> int:
    """Scores, writes the figures, and prints them."""
    config = settings_of(args)
    if args.print_config:
        print(to_yaml(config), end="")
        return 0
    trained = open_run(args.run, device=resolve_device(config.device))
    out = place_of(args, trained, config)
    if out is None:
        print(summary(measure(trained.model, load_images(config), config)))
        return 0
    with provisional_folder(out.parent):
        metrics = measure(trained.model, load_images(config), config)
        print(summary(metrics))
        write_json(out, metrics)
    print(out)
    return 0


def settings_of(args: argparse.Namespace) -> Config:
    """The settings of the run or of a file, then what was typed.

    Raises:
        ConfigError: If nothing says which images to use.
    """
    for word in args.settings:
        if word.startswith("--model."):
            raise ConfigError(f"The model is the one that was trained: leave `{word}` out.")
    # Not the device of the training: that may be a machine far away.
    device = args.device or "auto"
    given = {"seed": args.seed, "device": device, "evaluation.split": args.split}
    words = [f"--{name}={value}" for name, value in given.items() if value is not None]
    file = find_model(args.run)
    folder = run_folder(file)
    source = args.config or (folder / CONFIG_FILE if folder else None)
    own = own_data(file) if source is None else []
    if source is None and not any(word.startswith("--data.") for word in [*own, *args.settings]):
        raise ConfigError(
            f"There is no {CONFIG_FILE} beside `{args.run}`: say which images by --config, "
            f"or by settings such as --data.dataset_name mnist."
        )
    return load_config(source, [*own, *args.settings, *words])


def own_data(file: Path) -> list[str]:
    """The images that the card of a lone model file names, as those that come along do."""
    if file.suffix == ".ckpt":
        return []
    named = read_card(file)["training"].get("data", {})
    return [f"--data.{name}={value}" for name, value in named.items()]


def place_of(args: argparse.Namespace, trained: Run, config: Config) -> Path | None:
    """Where the figures go. Never into metrics.json, which says what the training reported."""
    if args.out:
        return Path(args.out)
    if trained.folder is None:
        return None
    return trained.folder / f"metrics-{config.evaluation.split}.json"
