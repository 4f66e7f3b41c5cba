"""`pixelcnn train-classifier`: trains a classifier to evaluate samples with."""

import argparse
import shlex
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from pixelcnn.cli.inputs.quality_metrics import form_of
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar
from pixelcnn.config import TRAINING_ONLY, Config, DataConfig, load_config
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.metrics import save_classifier
from pixelcnn.version import versions

if TYPE_CHECKING:
    from pixelcnn.training.classifier import ClassifierSettings


def run(args: argparse.Namespace) -> int:
    """Trains, writes the file, and prints the accuracy."""
    # Here, so that wrong options are refused before Lightning is imported.
    from pixelcnn.config.images import load_images
    from pixelcnn.training.classifier import ClassifierSettings, train_classifier

    config = classifier_settings(args)
    out = Path(args.out)
    if out.suffix != ".safetensors":
        raise ConfigError(f"`--out` must end in .safetensors, got `{out}`.")
    typed = {field.name: vars(args)[field.name] for field in fields(ClassifierSettings)}
    settings = ClassifierSettings(**{k: v for k, v in typed.items() if v is not None})
    device = resolve_device(args.device or "auto")
    started = time.perf_counter()
    with provisional_folder(out.parent):
        data = load_images(config)
        with progress_bar("training") as progress:
            result = train_classifier(data, settings, device=device, progress=progress)
        training = {
            "data": form_of(config.data),
            "protocol": data.protocol,
            "settings": asdict(settings),
            "command": classifier_command(config, settings),
            "losses": result.losses,
            "val_accuracy": result.val_accuracy,
            "test_accuracy": result.test_accuracy,
            "num_test": len(data.test),
            "device": device,
            "seconds": round(time.perf_counter() - started, 1),
            "versions": versions(),
        }
        save_classifier(result.network, out, training=training)
    print_lines(
        f"accuracy {100 * result.test_accuracy:.2f} % on {counted(len(data.test), 'test image')}, "
        f"{100 * result.val_accuracy:.2f} % on the validation images: {data.protocol}",
        out,
    )
    return 0


def classifier_settings(args: argparse.Namespace) -> Config:
    """Which images: those of a file, of a preset, or as typed."""
    for word in args.settings:
        if word.startswith("--") and not word.startswith("--data."):
            raise ConfigError(
                f"`pixelcnn train-classifier` takes settings of the images (--data.…), got "
                f"`{word.partition('=')[0]}`. Leave it out."
            )
    if not (args.config or args.preset or args.settings):
        raise ConfigError(
            "A classifier needs images, got none: choose them by --preset, by --config, or by "
            "settings such as --data.dataset_name mnist."
        )
    return load_config(args.config, args.settings, preset=args.preset)


def classifier_command(config: Config, settings: "ClassifierSettings") -> str:
    """The command that trains the same classifier."""
    unused = {"data_root", *TRAINING_ONLY}
    usual_data, usual = asdict(DataConfig()), asdict(type(settings)())
    words = ["pixelcnn", "train-classifier", "--data.dataset_name", config.data.dataset_name]
    for name, value in asdict(config.data).items():
        if name not in ("dataset_name", *unused) and value != usual_data[name]:
            words += [f"--data.{name}", str(value)]
    for name, value in asdict(settings).items():
        if value != usual[name]:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--out", "FILE.safetensors"])
