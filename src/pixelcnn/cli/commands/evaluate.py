"""`pixelcnn evaluate`: likelihood on held-out images, and sample quality."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pixelcnn.cli.inputs.quality_metrics import (
    evaluator_of,
    measures_samples,
    sample_quality_summary,
)
from pixelcnn.cli.outputs.console import print_lines, progress_bars
from pixelcnn.cli.outputs.training_report import evaluate_split, metrics_summary
from pixelcnn.config import Config, load_config, to_yaml
from pixelcnn.config.images import load_images
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import labels_by_name
from pixelcnn.files import provisional_folder, write_json
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import CONFIG_FILE, TrainedModel, find_model, open_model, own_data, run_folder


def run(args: argparse.Namespace) -> int:
    """Evaluates, writes and prints the metrics."""
    config = evaluation_settings(args)
    if args.print_config:
        print(to_yaml(config), end="")
        return 0
    trained = open_model(args.run, device=config.device)
    out = metrics_destination(args, trained, config)
    with nullcontext() if out is None else provisional_folder(out.parent):
        metrics = metrics_of(args, trained.model, config)
        print_lines(*metrics_summary(metrics), *sample_quality_summary(metrics))
        if out is not None:
            write_json(out, metrics)
            print_lines(out)
        else:
            print_lines("The metrics are not saved: that needs `--out FILE`.")
    return 0


def metrics_of(
    args: argparse.Namespace, model: AutoregressiveModel, config: Config
) -> dict[str, Any]:
    """The metrics that the options choose."""
    loaded = load_images(config)
    data, foreign = labels_by_name(model.condition, loaded)
    if foreign and not model.condition.is_optional:
        raise ConfigError(
            f"The model must be conditioned on a label, but {foreign}. `pixelcnn score` sums over "
            f"its labels."
        )
    options: dict[str, Any] = {"sum_labels": args.sum_labels}
    if measures_samples(args):
        options["evaluator"] = evaluator_of(args, loaded, config.data, device=model.device)
        options["num_generated"] = args.num_generated
        # Compared with themselves, training images cannot show memorisation.
        options["train"] = None if config.evaluation.split == "train" else data.train
    with progress_bars() as progress:
        return evaluate_split(model, data, config, progress=progress, **options)


def evaluation_settings(args: argparse.Namespace) -> Config:
    """The settings of the run or of a file, then what was typed.

    Raises:
        ConfigError: If there are no images to use.
    """
    for word in args.settings:
        if word.startswith("--model."):
            raise ConfigError(
                f"A trained model keeps its `model` settings, got `{word}`. Leave it out."
            )
    # Not the device of the training: this machine may lack it.
    device = args.device or "auto"
    given = {"seed": args.seed, "device": device, "evaluation.split": args.split}
    words = [f"--{name}={value}" for name, value in given.items() if value is not None]
    file = find_model(args.run)
    folder = run_folder(file)
    source = args.config or (folder / CONFIG_FILE if folder else None)
    own = own_data(file) if source is None else []
    if source is None and not any(word.startswith("--data.") for word in [*own, *args.settings]):
        raise ConfigError(
            f"`{args.run}` needs a {CONFIG_FILE} beside it, and has none. Choose the images by "
            f"--config, or by settings such as --data.dataset_name mnist."
        )
    return load_config(source, [*own, *args.settings, *words])


def metrics_destination(
    args: argparse.Namespace, trained: TrainedModel, config: Config
) -> Path | None:
    """The file for the metrics. Never metrics.json, which holds those of the training."""
    if args.out:
        return Path(args.out)
    if trained.folder is None:
        return None
    return trained.folder / f"metrics-{config.evaluation.split}.json"
