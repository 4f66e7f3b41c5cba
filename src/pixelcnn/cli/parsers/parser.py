"""The whole command line. Nothing heavy is imported here, so `--help` answers at once."""

import argparse
import re
from collections.abc import Sequence

from pixelcnn.cli.parsers.evaluation import add_compare, add_evaluate, add_info, add_verify
from pixelcnn.cli.parsers.options import (
    OneLineParser,
    Subparsers,
    add_command,
    add_device,
    did_you_mean,
)
from pixelcnn.cli.parsers.queries import (
    add_classify,
    add_complete,
    add_conditional,
    add_marginal,
    add_score,
)
from pixelcnn.cli.parsers.sample import add_sample
from pixelcnn.cli.parsers.training import add_quickstart, add_train, add_train_classifier
from pixelcnn.cli.parsers.types import port
from pixelcnn.version import __version__

DESCRIPTION = (
    "Autoregressive image models with an exact likelihood: train, sample, evaluate and query them."
)
SETTING = re.compile(r"--\w+\.")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parses the words of a command line; wrong ones end the process with exit code 2.

    Options and files may stand in any order after the command.

    Returns:
        The options; `settings` holds the words such as `--training.max_epochs 5`, in pairs, and
        `words` all that was typed.
    """
    plain, settings = split_settings(words)
    parser = build_parser()
    commands = command_parsers(parser)
    if not plain or plain[0].startswith("-"):
        return parser.parse_args(plain)  # --help, --version, or a missing command
    if plain[0] not in commands:
        parser.error(f"There is no command `{plain[0]}`{did_you_mean(plain[0], commands)}")
    chosen = commands[plain[0]]
    # Not `parser.parse_args`, which refuses files that follow options.
    args, unknown = chosen.parse_known_intermixed_args(plain[1:])
    if unknown:
        chosen.refuse_unknown(unknown)
    if settings and not args.takes_settings:
        chosen.error(f"`{plain[0]}` takes no settings such as {settings[0]}")
    args.command, args.settings, args.words = plain[0], settings, list(words)
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


def build_parser() -> OneLineParser:
    """The parser of all commands."""
    parser = OneLineParser(prog="pixelcnn", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"pixelcnn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        *(add_quickstart, add_train, add_sample),
        *(add_evaluate, add_train_classifier, add_compare, add_verify, add_info),
        *(add_score, add_classify, add_marginal, add_conditional, add_complete),
        add_app,
    ):
        add(commands)
    return parser


def command_parsers(parser: argparse.ArgumentParser) -> dict[str, OneLineParser]:
    """The parser of each command, by its name."""
    return {
        name: each
        for action in parser._actions
        if isinstance(action, Subparsers)
        for name, each in action.choices.items()
    }


def add_app(commands: Subparsers) -> None:
    """Adds `app`."""
    parser = add_command(
        commands, "app", "serve a web page: sample, complete, query and compare models"
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN",
        help="Run folders, folders of them, or .safetensors files (default: runs/). Bundled models "
        "are always shown.",
    )  # fmt: skip
    parser.add_argument(
        "--host", default="localhost", metavar="NAME",
        help="Address to listen on; 0.0.0.0 for every machine that reaches this one "
        "(default: %(default)s).",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=port, default=8501, metavar="N",
        help="Port to listen on (1 ≤ N ≤ 65535; default: %(default)s).",
    )  # fmt: skip
    parser.add_argument("--browser", action="store_true", help="Open the page in the browser.")
    add_device(parser)
