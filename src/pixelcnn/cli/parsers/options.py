"""What the parsers of all commands share. Nothing heavy is imported here."""

import argparse
import difflib
import re
from collections.abc import Iterable
from typing import NoReturn

from pixelcnn.cli.parsers.types import destination, non_negative, positive, size
from pixelcnn.logger import printable

Subparsers = argparse._SubParsersAction  # argparse has no public name for it

SETTINGS = """\
Every setting of {about} is an option too, for example
  {example}
`pixelcnn train --preset digits --print-config` lists all settings, as YAML."""
ABOUT_IMAGES = ("the images", "--data.dataset_name mnist --data.binarization threshold")
RUN_HELP = (
    "Trained model: a run folder, a .safetensors file, a .ckpt file of a training, or the name of "
    "a bundled model such as digits"
)
PRINT_CONFIG_HELP = "Print all settings as YAML and stop."
LESS_MEMORY = "Use fewer images at once (--data.batch_size) or a smaller model."
MESSAGES = {
    r"argument (--[\w-]+)\S*: expected one argument": (
        r"`\1` needs a value (one that begins with a minus is written \1=-…)"
    ),
    r"argument (--[\w-]+): not allowed with argument (--[\w-]+)": (
        r"`\1` and `\2` exclude each other: leave out one"
    ),
    r"argument (\S+): invalid choice: '?(.*?)'? \(choose from (.*)\)": (
        r"`\1` must be one of \3, got `\2`"
    ),
    r"argument (\S+): (.*)": r"`\1` \2",
    r"the following arguments are required: (.*)": r"\1 is missing",
}
"""The words of argparse, and ours."""


class OneLineParser(argparse.ArgumentParser):
    """Prints an error in one line that ends with where to read more."""

    def error(self, message: str) -> NoReturn:
        """Prints the line on standard error and exits with code 2."""
        for theirs, ours in MESSAGES.items():
            if match := re.fullmatch(theirs, message, flags=re.DOTALL):
                message = match.expand(ours)
                if theirs.endswith(r"(.*)\)"):  # choices are quoted by some versions of Python
                    message = message.replace("'", "")
                break
        end = "" if message.endswith("?") else "."
        line = printable(f"pixelcnn: {message}{end} See `{self.prog} --help`.")
        self.exit(2, f"{line}\n")

    def refuse_unknown(self, words: list[str]) -> NoReturn:
        """Refuses words that mean nothing here, with the nearest option."""
        word = words[0].partition("=")[0]
        if not word.startswith("-"):
            self.error(f"`{word}` is not expected here")
        self.error(f"There is no option `{word}`{did_you_mean(word, self._option_string_actions)}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with the known word that begins like a wrong one, or else is nearest to it.

    Example:
        >>> did_you_mean("--temp", ["--top-k", "--temperature"]), did_you_mean("x", ["sample"])
        ('. Did you mean `--temperature`?', '')
    """
    known = list(known)
    begins = [each for each in known if each.startswith(word)] if word else []
    nearest = begins or difflib.get_close_matches(word, known, n=1)
    return f". Did you mean `{nearest[0]}`?" if nearest else ""


def add_command(
    commands: Subparsers,
    name: str,
    summary: str,
    *,
    takes_settings: bool = False,
    settings: tuple[str, str] = ABOUT_IMAGES,
    less_memory: str = LESS_MEMORY,
    is_slow: bool = False,
) -> argparse.ArgumentParser:
    """Adds a command.

    Args:
        commands: Where to.
        name: What is typed.
        summary: Starts without a capital and ends without a stop.
        takes_settings: Whether settings of a configuration can be typed.
        settings: Which of them, with an example.
        less_memory: What to change when the memory does not suffice.
        is_slow: Whether it usually runs for long, and so prints at once what it does.
    """
    about, example = settings
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=SETTINGS.format(about=about, example=example) if takes_settings else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(takes_settings=takes_settings, less_memory=less_memory, is_slow=is_slow)
    return parser


def add_run(parser: argparse.ArgumentParser) -> None:
    """Adds the trained model."""
    parser.add_argument("run", metavar="RUN", help=f"{RUN_HELP}.")


def add_split(parser: argparse.ArgumentParser) -> None:
    """Adds the choice of a data set and its split."""
    parser.add_argument(
        "--config", metavar="FILE", help="Settings in YAML (default: those of the run)."
    )
    parser.add_argument(
        "--split", choices=["train", "val", "test"], help="Split of the data set (default: test)."
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds `--device`."""
    parser.add_argument(
        "--device", metavar="NAME",
        help="Device: auto, cpu, cuda, cuda:1 … or mps (default: auto).",
    )  # fmt: skip


def add_seed(
    parser: argparse.ArgumentParser, decides: str, *, default: str = "0", value: int | None = None
) -> None:
    """Adds `--seed`.

    Args:
        parser: Of the command.
        decides: What the seed decides.
        default: What holds where none is typed.
        value: The number that is then given to the command.
    """
    parser.add_argument(
        "--seed", type=non_negative, metavar="N", default=value,
        help=f"Seed of {decides} (0 ≤ N < 2^64; default: {default}).",
    )  # fmt: skip


def add_size(parser: argparse.ArgumentParser) -> None:
    """Adds `--size`."""
    parser.add_argument(
        "--size", type=size, metavar="HxW",
        help="Height and width of the images in pixels, such as 64x96, or one number for both "
        "(default: the size of the model).",
    )  # fmt: skip


def add_batch_size(parser: argparse.ArgumentParser, default: int, done: str) -> None:
    """Adds `--batch-size`, for images that are scored or sampled together."""
    parser.add_argument(
        "--batch-size", type=positive, metavar="N", default=default,
        help=f"Images {done} together (N ≥ 1; default: {default}).",
    )  # fmt: skip


def add_output(parser: argparse.ArgumentParser, folder: str, files: str) -> None:
    """Adds the folder for the results, and the device."""
    parser.add_argument(
        "--out", type=destination, metavar="DIR", default=folder,
        help=f"Folder for {files} (default: %(default)s).",
    )  # fmt: skip
    add_device(parser)


def add_sharing(parser: argparse.ArgumentParser, *, less_memory: str) -> None:
    """Adds how work on shards is shared: `pixelcnn.cli.sharding` reads it."""
    parser.set_defaults(less_memory_of_shards=less_memory)
    group = parser.add_argument_group(
        "work on --shards",
        "Processes that torchrun or srun starts share the shards without further options.",
    )
    group.add_argument(
        "--shard-size", type=positive, metavar="N",
        help="Images in each shard (N ≥ 1; default: 4096).",
    )  # fmt: skip
    group.add_argument(
        "--num-processes", type=positive, metavar="N",
        help="Processes to start on this machine (N ≥ 1; default: 1).",
    )  # fmt: skip
    group.add_argument(
        "--worker", type=non_negative, metavar="I",
        help="Make only the shards of worker I (0 ≤ I < --num-workers), for example one on each "
        "machine.",
    )  # fmt: skip
    group.add_argument(
        "--num-workers", type=positive, metavar="N",
        help="Workers that share the shards (N ≥ 1; goes with --worker).",
    )  # fmt: skip
