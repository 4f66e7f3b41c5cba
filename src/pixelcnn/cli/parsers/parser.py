"""The whole command line. Nothing heavy is imported here, so `--help` answers at once."""

import argparse
import re
from collections.abc import Sequence

from pixelcnn.cli.parsers.compression import COMPRESS, DECOMPRESS
from pixelcnn.cli.parsers.evaluation import COMPARE, EVALUATE, IMPORT, INFO, VERIFY
from pixelcnn.cli.parsers.options import (
    DEVICE,
    FLAG,
    Command,
    OneLineParser,
    Subparsers,
    add_command,
    did_you_mean,
)
from pixelcnn.cli.parsers.queries import CLASSIFY, COMPLETE, CONDITIONAL, MARGINAL, SCORE
from pixelcnn.cli.parsers.sample import SAMPLE
from pixelcnn.cli.parsers.training import QUICKSTART, TRAIN, TRAIN_CLASSIFIER
from pixelcnn.cli.parsers.types import port
from pixelcnn.version import __version__

DESCRIPTION = (
    "Autoregressive image models with an exact likelihood: train, sample, score, compress."
)
# fmt: off
APP = Command("serve a web page: sample, complete, query and compare models", {
    "runs RUN": ({"nargs": "*"}, "Run folders, folders of them, or .safetensors files (default: "
                 "runs/). Bundled models are always shown."),
    "--host NAME": (str, "Address to listen on; 0.0.0.0 for every machine that reaches this one "
                    "(default: %(default)s).", "localhost"),
    "--port N": (port, "Port to listen on (1 ≤ N ≤ 65535; default: %(default)s).", 8501),
    "--browser": (FLAG, "Open the page in the browser."),
    **DEVICE,
})
# fmt: on
COMMANDS = {
    "quickstart": QUICKSTART,
    "train": TRAIN,
    "sample": SAMPLE,
    "evaluate": EVALUATE,
    "train-classifier": TRAIN_CLASSIFIER,
    "compare": COMPARE,
    "verify": VERIFY,
    "import": IMPORT,
    "info": INFO,
    "score": SCORE,
    "classify": CLASSIFY,
    "marginal": MARGINAL,
    "conditional": CONDITIONAL,
    "complete": COMPLETE,
    "compress": COMPRESS,
    "decompress": DECOMPRESS,
    "app": APP,
}
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
    for name, command in COMMANDS.items():
        add_command(commands, name, command)
    return parser


def command_parsers(parser: argparse.ArgumentParser) -> dict[str, OneLineParser]:
    """The parser of each command, by its name."""
    return {
        name: each
        for action in parser._actions
        if isinstance(action, Subparsers)
        for name, each in action.choices.items()
    }
