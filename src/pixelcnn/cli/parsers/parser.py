"""What can be typed. Nothing heavy is imported here, so `--help` answers at once."""

import argparse
import re
from collections.abc import Sequence

from pixelcnn.cli.parsers.compare import add_compare
from pixelcnn.cli.parsers.options import (
    RUN_HELP,
    OneLineParser,
    Subparsers,
    add_command,
    add_device,
    destination,
    non_negative,
    positive,
    sites,
    size,
)
from pixelcnn.cli.parsers.queries import add_questions
from pixelcnn.cli.parsers.sample import add_sample
from pixelcnn.version import __version__

DESCRIPTION = "Image models with an exact likelihood: train them, draw from them, score with them."
SETTING = re.compile(r"--\w+\.")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parses the words of a command line; wrong ones end the process with exit code 2.

    Returns:
        The options; `settings` holds the words such as `--training.max_epochs 5`, in pairs, and
        `words` all that was typed.
    """
    plain, settings = split_settings(words)
    parser = build_parser()
    args, unknown = parser.parse_known_args(plain)
    if unknown:
        args.refuse(f"unrecognized arguments: {' '.join(unknown)}")
    if settings and not args.takes_settings:
        args.refuse(f"`{args.command}` takes no settings such as {settings[0]}")
    args.settings = settings
    args.words = list(words)
    return args


def split_settings(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separates typed settings, which the configuration reads, from a command's own options.

    Example:
        >>> split_settings(["train", "--data.levels", "2", "--seed", "1", "--model.norm=none"])
        (['train', '--seed', '1'], ['--data.levels', '2', '--model.norm=none'])
    """
    plain: list[str] = []
    settings: list[str] = []
    rest = iter(words)
    for word in rest:
        if not SETTING.match(word):
            plain.append(word)
            continue
        settings.append(word)
        if "=" not in word:
            settings.extend([value for value in [next(rest, None)] if value is not None])
    return plain, settings


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = OneLineParser(prog="pixelcnn", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"pixelcnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_quickstart(commands)
    _add_train(commands)
    add_sample(commands)
    _add_evaluate(commands)
    _add_train_classifier(commands)
    add_compare(commands)
    _add_verify(commands)
    _add_info(commands)
    add_questions(commands)
    _add_app(commands)
    return parser


def _add_quickstart(commands: Subparsers) -> None:
    parser = add_command(
        commands, "quickstart", "train on small digits, score and draw, in a minute"
    )
    parser.epilog = "`pixelcnn sample digits` draws without training: its model comes along."
    parser.add_argument(
        "--out",
        type=destination,
        default="runs/quickstart",
        help="run folder (default: %(default)s)",
    )
    parser.add_argument("--seed", type=non_negative, default=0, help="decides everything random")
    add_device(parser)


def _add_train(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "train",
        "train a model, then score and draw",
        takes_settings=True,
        settings=("a configuration", "--training.max_epochs 5 --model.hidden_channels 128"),
    )
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--config", metavar="FILE", help="settings in YAML")
    recipe.add_argument("--preset", metavar="NAME", help="a recipe that comes with the package")
    parser.add_argument(
        "--out", type=destination, metavar="DIR", help="run folder (default: runs/NAME-DATE-TIME)"
    )
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="continue a run folder, or a .ckpt of its checkpoints; auto: whatever complete state "
        "--out holds, or start",
    )
    parser.add_argument("--seed", type=non_negative, help="decides everything random")
    add_device(parser)
    for what in ("learning-rate", "batch-size"):
        parser.add_argument(
            f"--find-{what}",
            action="store_true",
            help=f"find the {what.replace('-', ' ')} first, and train with it",
        )
    parser.add_argument(
        "--overwrite", action="store_true", help="train even if the run folder holds a training"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="show all settings as YAML and stop"
    )


def _add_evaluate(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "evaluate",
        "score a trained model on held-out images, and judge what it draws",
        takes_settings=True,
        settings=("the images and the evaluation", "--evaluation.max_samples 1000"),
    )
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--config", metavar="FILE", help="settings (default: those of the run)")
    parser.add_argument(
        "--split", choices=["train", "val", "test"], help="which images (default: test)"
    )
    parser.add_argument(
        "--out",
        type=destination,
        metavar="FILE",
        help="where to write the figures (default: RUN/metrics-SPLIT.json)",
    )
    parser.add_argument(
        "--seed",
        type=non_negative,
        help="decides drawn images, and which images a smaller set holds",
    )
    parser.add_argument(
        "--sum-labels",
        action="store_true",
        help="also compute p(x) as a sum over labels, one pass over the images for each",
    )
    add_device(parser)
    _add_judges(
        parser.add_argument_group(
            "judging images that the model draws",
            "Images are drawn if any of --features, --lpips or --num-generated is typed.",
        )
    )
    parser.add_argument(
        "--print-config", action="store_true", help="show all settings as YAML and stop"
    )


def _add_judges(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--features",
        choices=["inception", "classifier"],
        help="features for FID, KID, Inception score, precision and recall (default with "
        "--num-generated: those that fit the images)",
    )
    group.add_argument(
        "--num-generated",
        type=positive,
        metavar="N",
        help="images to draw (default: as many as there are real ones, at most 10,000)",
    )
    group.add_argument(
        "--classifier",
        metavar="FILE",
        help="of `pixelcnn train-classifier`, or the name of one that comes with the package "
        "(default: that of the same images)",
    )
    group.add_argument(
        "--inception-weights",
        metavar="FILE",
        help="torch-fidelity's Inception (default: that library downloads it)",
    )
    group.add_argument(
        "--lpips",
        choices=["alex", "vgg", "squeeze"],
        help="measure how different images look, by this backbone",
    )
    group.add_argument(
        "--lpips-weights",
        metavar="FILE",
        help="torchvision's weights of the backbone (default: torchvision downloads them)",
    )


def _add_train_classifier(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "train-classifier",
        "train the classifier that judges drawn images",
        takes_settings=True,
    )
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--config", metavar="FILE", help="settings in YAML, such as those of a run")
    recipe.add_argument("--preset", metavar="NAME", help="a recipe that comes with the package")
    parser.add_argument(
        "--out", type=destination, metavar="FILE", required=True, help="the .safetensors file"
    )
    parser.add_argument("--epochs", type=positive, metavar="N", help="(default: 10)")
    parser.add_argument("--batch-size", type=positive, metavar="N", help="(default: 64)")
    parser.add_argument("--learning-rate", type=float, metavar="R", help="(default: 0.003)")
    parser.add_argument(
        "--width", type=positive, metavar="N", help="of the first convolution (default: 16)"
    )
    parser.add_argument(
        "--num-features", type=positive, metavar="N", help="that describe an image (default: 64)"
    )
    parser.add_argument("--seed", type=non_negative, help="decides everything random (default: 0)")
    add_device(parser)


def _add_verify(commands: Subparsers) -> None:
    parser = add_command(
        commands, "verify", "prove on its weights what a model's likelihood stands on"
    )
    parser.epilog = "Exit code 0 if every line holds, 1 if one fails, 2 if nothing could be tried."
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument(
        "--sites",
        type=sites,
        metavar="N",
        help="sub-pixels to check one by one, or all (default: as many as about a minute allows)",
    )
    parser.add_argument(
        "--size", type=size, metavar="HxW", help="size of the images (default: the model's own)"
    )
    parser.add_argument(
        "--out",
        type=destination,
        metavar="FILE",
        help="file of the report (default: MODEL.verification.json beside the model)",
    )
    parser.add_argument("--seed", type=non_negative, help="chooses images and sites (default: 0)")
    add_device(parser)


def _add_info(commands: Subparsers) -> None:
    parser = add_command(commands, "info", "say what a trained model is, or which come along")
    parser.add_argument("run", nargs="?", metavar="RUN", help=f"{RUN_HELP} (default: list those)")
    parser.add_argument("--json", action="store_true", help="for programs instead of people")


def _add_app(commands: Subparsers) -> None:
    parser = add_command(commands, "app", "serve the web page: draw, complete, ask, compare")
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="run folders, folders of them, or .safetensors files (default: runs/); the models of "
        "the package come along",
    )
    parser.add_argument(
        "--host",
        default="localhost",
        help="address to listen at; 0.0.0.0 for every machine that reaches this one "
        "(default: %(default)s)",
    )
    parser.add_argument("--port", type=positive, default=8501, help="(default: %(default)s)")
    parser.add_argument("--browser", action="store_true", help="open it in the browser at once")
    add_device(parser)
