"""`pixelcnn compare`: models side by side on one page."""

import argparse
from dataclasses import replace
from pathlib import Path

from pixelcnn.cli.commands.evaluate import evaluation_settings
from pixelcnn.cli.inputs.quality_metrics import features_of
from pixelcnn.cli.outputs.console import counted, print_lines
from pixelcnn.config import Config, as_dict, flatten
from pixelcnn.config.images import load_images
from pixelcnn.data import DataSplits, takes_path
from pixelcnn.data.files.decoding import DecodingOptions, read_pixels
from pixelcnn.errors import ConfigError, MissingDependencyError
from pixelcnn.evaluation import check_fit, labels_by_name
from pixelcnn.files import provisional_folder
from pixelcnn.logger import logger
from pixelcnn.metrics import Features
from pixelcnn.report import QUICK, Effort, Variant, compare, write_report
from pixelcnn.report.highlights import highlights
from pixelcnn.runs import TrainedModel, history_of, open_model

GRIDS = "epoch-*.png"


def run(args: argparse.Namespace) -> int:
    """Evaluates, writes the report, and prints its highlights."""
    out = Path(args.out)
    with provisional_folder(out):
        named = [name_and_run(word) for word in args.runs]
        runs = {name: open_model(path, device=args.device) for name, path in named}
        if len(runs) < len(named):
            names = ", ".join(name for name, _ in named)
            raise ConfigError(
                f"Runs must have different names, got {names}. Name them as in "
                f"`pixelcnn compare small=runs/a/model large=runs/b/model`."
            )
        configs = {name: evaluation_settings(for_run(args, path)) for name, path in named}
        check_alike(configs, runs)
        config = next(iter(configs.values()))
        data = load_images(config)
        check_models(runs, data)
        features, why_none = features_for(args, data, config)
        variants = [variant_of(name, each, configs[name]) for name, each in runs.items()]
        found = compare(
            variants,
            data,
            effort=effort_of(args),
            features=features,
            no_features_reason=why_none,
            say=logger.info,
        )
        files = write_report(found, out)
    print_lines(*highlights(found), *files)
    return 0


def name_and_run(word: str) -> tuple[str, str]:
    """A run and its name: NAME=RUN, or RUN with the name of its file or folder.

    Example:
        >>> name_and_run("wide=runs/a"), name_and_run("runs/base/"), name_and_run("digits")
        (('wide', 'runs/a'), ('base', 'runs/base/'), ('digits', 'digits'))
    """
    name, sign, path = word.partition("=")
    if sign and not Path(word).exists():
        if not name or not path:
            raise ConfigError(f"A name and a run are written NAME=RUN, got `{word}`.")
        return name, path
    place = Path(word)
    is_model_of_folder = place.name == "model.safetensors" and place.parent.name
    return (place.parent.name if is_model_of_folder else place.stem or word), word


def for_run(args: argparse.Namespace, path: str) -> argparse.Namespace:
    """What was typed, for one run."""
    return argparse.Namespace(**{**vars(args), "run": path, "config": None, "split": "test"})


def effort_of(args: argparse.Namespace) -> Effort:
    """How much to measure."""
    typed = {
        "max_images": args.max_images,
        "num_generated": args.num_generated,
        "max_sampling_seconds": args.sampling_seconds,
        "seed": args.seed,
    }
    given = {name: value for name, value in typed.items() if value is not None}
    return replace(QUICK if args.quick else Effort(), **given)


def check_alike(configs: dict[str, Config], runs: dict[str, TrainedModel]) -> None:
    """Raises `ConfigError` unless all models were trained on the same kind of images."""
    forms = {
        name: ", ".join(
            [
                source_of(config),
                f"binarization {config.data.binarization}",
                f"{runs[name].model.num_classes} levels",
                counted(runs[name].model.in_channels, "channel"),
                "×".join(map(str, runs[name].model.image_size or ("any", "size"))),
            ]
        )
        for name, config in configs.items()
    }
    first, *others = forms
    for other in others:
        if forms[other] != forms[first]:
            raise ConfigError(
                f"Models to compare must be trained on the same images: `{first}` on "
                f"{forms[first]}; `{other}` on {forms[other]}. Leave out one of them."
            )


def source_of(config: Config) -> str:
    """The data set; for image files also where they are."""
    name, root = config.data.dataset_name, config.data.data_root
    return f"{name}:{root}" if root and takes_path(name) else name


def check_models(runs: dict[str, TrainedModel], data: DataSplits) -> None:
    """Raises unless every model can score these images, with their labels."""
    for name, each in runs.items():
        relabelled, foreign = labels_by_name(each.model.condition, data)
        if relabelled is not data:
            reason = foreign or "its labels are in another order"
            raise ConfigError(f"`{name}` cannot be compared on these images: {reason}.")
        check_fit(each.model, data.test)


def features_for(
    args: argparse.Namespace, data: DataSplits, config: Config
) -> tuple[Features | None, str]:
    """The network that measures sample quality, or None and why.

    By default the bundled classifier of these images, if there is one.
    """
    needed = {"classifier": "classifier", "inception_weights": "inception"}
    for name, features in needed.items():
        if vars(args)[name] is not None and args.features not in (None, features):
            raise ConfigError(
                f"`--{name.replace('_', '-')}` needs `--features {features}`, got {args.features}."
            )
    if args.features == "none":
        return None, "--features none was typed"
    chosen = args.features or ("inception" if args.inception_weights else "classifier")
    is_default = args.features is None and args.classifier is None and chosen == "classifier"
    try:
        words = argparse.Namespace(**{**vars(args), "features": chosen})
        found = features_of(words, data, config.data)
        assert found is not None
        _ = found.options
    except (ConfigError, MissingDependencyError) as error:
        if not is_default:
            raise
        return None, str(error).rstrip(".")
    return found, ""


def variant_of(name: str, run: TrainedModel, config: Config) -> Variant:
    """A model with all that its run folder holds."""
    if run.folder is None:
        return Variant(name, run.model, training=run.training)
    return Variant(
        name,
        run.model,
        settings=flatten(as_dict(config)),
        history=history_of(run.file),
        training=run.training,
        grids=grids_of(run.folder),
    )


def grids_of(folder: Path) -> dict[int, Path]:
    """The sample grids of a run, by epoch.

    Raises:
        DataError: If one cannot be read: before the evaluation, not after it.
    """
    grids = {}
    for path in (folder / "samples").glob(GRIDS):
        epoch = path.stem.rpartition("-")[2]
        if not epoch.isdecimal():
            continue
        read_pixels(path, DecodingOptions(channels=3))
        grids[int(epoch)] = path
    return grids
