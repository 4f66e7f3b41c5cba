"""What can be typed. Nothing heavy is imported here, so `--help` answers at once."""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from pixelcnn.version import __version__

Subparsers = argparse._SubParsersAction  # argparse has no public name for it

DESCRIPTION = "Image models with an exact likelihood: train them, draw from them, score with them."
SETTINGS = """\
Any setting of a configuration can be given by its name, for example
  --training.max_epochs 5 --data.dataset_name mnist --model.hidden_channels 128
`--print-config` shows all of them with their values, as YAML."""
RUN_HELP = (
    "run folder; a checkpoint: .safetensors, or .ckpt of a training; "
    "or a model of the package, such as digits, where no such file or folder exists"
)
SETTING = re.compile(r"--\w+\.")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parses the words of a command line; wrong ones end the process with exit code 2.

    Returns:
        The options; `settings` holds the words such as `--training.max_epochs 5`, in pairs.
    """
    plain, settings = split_settings(words)
    parser = build_parser()
    args = parser.parse_args(plain)
    if settings and not args.takes_settings:
        parser.error(f"`{args.command}` takes no settings such as {settings[0]}")
    args.settings = settings
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


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is a word away."""

    def error(self, message: str) -> NoReturn:
        """Prints the line on standard error and exits with code 2."""
        self.exit(2, f"pixelcnn: {message}. See `{self.prog} --help`.\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = OneLineParser(prog="pixelcnn", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"pixelcnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_quickstart(commands)
    _add_train(commands)
    _add_sample(commands)
    _add_evaluate(commands)
    _add_info(commands)
    return parser


def _add(
    commands: Subparsers, name: str, summary: str, *, takes_settings: bool = False
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=SETTINGS if takes_settings else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(takes_settings=takes_settings)
    return parser


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 … or mps (default: auto)"
    )


def _add_quickstart(commands: Subparsers) -> None:
    parser = _add(commands, "quickstart", "train on small digits, score and draw, in a minute")
    parser.epilog = "`pixelcnn sample digits` draws without training: its model comes along."
    parser.add_argument(
        "--out", default="runs/quickstart", help="run folder (default: %(default)s)"
    )
    parser.add_argument("--seed", type=whole, default=0, help="decides everything random")
    _add_device(parser)


def _add_train(commands: Subparsers) -> None:
    parser = _add(commands, "train", "train a model, then score and draw", takes_settings=True)
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--config", metavar="FILE", help="settings in YAML")
    recipe.add_argument("--preset", metavar="NAME", help="a recipe that comes with the package")
    parser.add_argument("--out", metavar="DIR", help="run folder (default: runs/NAME-DATE-TIME)")
    parser.add_argument(
        "--resume", metavar="RUN", help="continue a run folder, or a .ckpt of its checkpoints"
    )
    parser.add_argument("--seed", type=whole, help="decides everything random")
    _add_device(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="train even if the run folder holds a model"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="show all settings as YAML and stop"
    )


def _add_sample(commands: Subparsers) -> None:
    parser = _add(commands, "sample", "draw images from a trained model")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    count = parser.add_mutually_exclusive_group()
    count.add_argument("--num-samples", type=positive, metavar="N", help="images (default: 16)")
    count.add_argument("--per-label", type=positive, metavar="N", help="images of each label")
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME",
        help="label to draw, by name or number; repeat it, or separate several by commas",
    )
    parser.add_argument(
        "--attributes",
        action="append",
        default=[],
        metavar="LIST",
        help="attributes that are on, by name: Smiling,Male; or numbers for all of them: 0.5,1,0; "
        "repeat it for several vectors",
    )
    parser.add_argument(
        "--maps", metavar="FILE", help=".npy or .npz of maps: one, or one for each image"
    )
    parser.add_argument(
        "--temperature", type=float, metavar="T", help="1 follows the likelihood (default: 1)"
    )
    parser.add_argument("--top-k", type=int, metavar="K", help="keep the k most probable levels")
    parser.add_argument("--top-p", type=float, metavar="P", help="keep that much probability")
    parser.add_argument(
        "--guidance",
        type=float,
        metavar="G",
        help="0 ignores the labels, 1 follows them, more exaggerates them (default: 1)",
    )
    parser.add_argument("--seed", type=whole, help="same seed, same images (default: 0)")
    parser.add_argument("--size", type=size, metavar="HxW", help="size of the images")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help=".png: a grid, .gif: the grid as it grows, .npz: the levels (default: samples.png)",
    )
    parser.add_argument(
        "--separate",
        action="store_true",
        help="one PNG per image into the folder --out (default: samples)",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings in YAML, whose `sampling` and `seed` hold for what is not typed",
    )
    parser.add_argument("--columns", type=positive, metavar="N", help="images in a row of the grid")
    parser.add_argument("--scale", type=positive, metavar="N", help="screen pixels per pixel")
    _add_device(parser)


def _add_evaluate(commands: Subparsers) -> None:
    parser = _add(
        commands, "evaluate", "score a trained model on held-out images", takes_settings=True
    )
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--config", metavar="FILE", help="settings (default: those of the run)")
    parser.add_argument(
        "--split", choices=["train", "val", "test"], help="which images (default: test)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="where to write the figures (default: RUN/metrics-SPLIT.json)"
    )
    parser.add_argument("--seed", type=whole, help="decides which images a smaller set holds")
    _add_device(parser)
    parser.add_argument(
        "--print-config", action="store_true", help="show all settings as YAML and stop"
    )


def _add_info(commands: Subparsers) -> None:
    parser = _add(commands, "info", "say what a trained model is, or which come along")
    parser.add_argument("run", nargs="?", metavar="RUN", help=f"{RUN_HELP} (default: list those)")
    parser.add_argument("--json", action="store_true", help="for programs instead of people")


def positive(text: str) -> int:
    """A whole number of at least 1, and no larger than a tensor can be."""
    if not text.isdecimal() or not 1 <= int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 2**31 - 1, got {text}")
    return int(text)


def whole(text: str) -> int:
    """A whole number of at least 0, and of at most 63 bits, as seeds are."""
    if not text.isdecimal() or not 0 <= int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 2**63 - 1, got {text}")
    return int(text)


def size(text: str) -> tuple[int, int]:
    """Height and width from `40x20`, or from one number for both.

    Example:
        >>> size("40x20"), size("28")
        ((40, 20), (28, 28))
    """
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.lower())
    if not match:
        raise argparse.ArgumentTypeError(f"must be HEIGHTxWIDTH such as 40x20, got {text!r}")
    height, width = match.groups()
    return positive(height), positive(width or height)
