"""What the parsers of all commands share. Nothing heavy is imported here."""

import argparse
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from pixelcnn.cli.parsers.types import destination, non_negative, positive, size
from pixelcnn.logger import printable

Subparsers = argparse._SubParsersAction  # argparse has no public name for it
Options: TypeAlias = dict[str, Any]
"""The name, or names as in "-o/--out", and metavar of each option: kind, help, default if any.

A kind is a type, a list of choices or keywords of `add_argument`. Options in a table of their own
are a group if its key is `title: description`, and else exclude each other.
"""
FLAG = {"action": "store_true"}
REPEATED = {"action": "append", "default": []}

SETTINGS = """\
Every setting of {about} is an option too, for example
  {example}
`pixelcnn train --preset digits --print-config` lists all settings, as YAML."""
IMAGE_SETTINGS = ("the images", "--data.dataset_name mnist --data.binarization threshold")
RUN_HELP = (
    "Trained model: a run folder, a .safetensors file, a .ckpt file of a training, or the name of "
    "a bundled model such as digits"
)
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
        if self.get_default("takes_settings"):
            # Here, because it brings PyTorch, which `--help` does without.
            from pixelcnn.config.load import hints

            name = word.lstrip("-").replace("-", "_")
            for key in hints():
                if key.partition(".")[2] == name:
                    self.error(f"There is no option `{word}`. Did you mean `--{key}`?")
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


@dataclass(frozen=True)
class Command:
    """What a command is and takes.

    Attributes:
        summary: Starts without a capital and ends without a stop.
        options: Its options and positional words.
        settings: Which settings of a configuration can be typed, with an example; None for none.
        less_memory: What to change when the memory does not suffice.
        less_memory_of_shards: The same with `--shards`.
        is_slow: Whether it usually runs for long, and so prints at once what it does.
        epilog: The end of its help, for a command that takes no settings.
    """

    summary: str
    options: Options
    settings: tuple[str, str] | None = None
    less_memory: str = LESS_MEMORY
    less_memory_of_shards: str | None = None
    is_slow: bool = False
    epilog: str | None = None


def add_command(commands: Subparsers, name: str, command: Command) -> None:
    """Adds a command under the name that is typed."""
    settings = command.settings
    epilog = SETTINGS.format(about=settings[0], example=settings[1]) if settings else None
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=command.summary,
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        epilog=command.epilog or epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(
        takes_settings=settings is not None,
        less_memory=command.less_memory,
        less_memory_of_shards=command.less_memory_of_shards,
        is_slow=command.is_slow,
    )
    add_options(parser, command.options)


def add_options(parser: argparse._ActionsContainer, options: Options) -> None:
    """Adds the options of a command or of a group."""
    for words, entry in options.items():
        if isinstance(entry, dict):
            title, _, about = words.partition(": ")
            titled = parser.add_argument_group(title, about) if about else None
            add_options(titled or parser.add_mutually_exclusive_group(), entry)
            continue
        kind, text, *default = entry
        names, _, metavar = words.partition(" ")
        keywords = {"choices": kind} if isinstance(kind, list) else {"type": kind}
        keywords = dict(kind) if isinstance(kind, dict) else keywords
        keywords |= {"metavar": metavar} if metavar else {}
        keywords |= {"default": default[0]} if default else {}
        parser.add_argument(*names.split("/"), help=text, **keywords)


# fmt: off
RUN: Options = {"run RUN": (str, f"{RUN_HELP}.")}
SPLIT: Options = {
    "--config FILE": (str, "Settings in YAML (default: those of the run)."),
    "--split": (["train", "val", "test"], "Split of the data set (default: test)."),
}
DEVICE: Options = {
    "--device NAME": (str, "Device: auto, cpu, cuda, cuda:1 … or mps (default: auto)."),
}
PRINT_CONFIG: Options = {"--print-config": (FLAG, "Print all settings as YAML and stop.")}
SIZE: Options = {
    "--size HxW": (size, "Height and width of the images in pixels, such as 64x96, or one number "
                   "for both (default: the size of the model)."),
}
SHARING: Options = {
    "work on --shards: Processes that torchrun or srun starts share the shards without further "
    "options.": {
        "--shard-size N": (positive, "Images in each shard (N ≥ 1; default: 4096)."),
        "--num-processes N": (positive, "Processes to start on this machine (N ≥ 1; default: 1)."),
        "--worker I": (non_negative, "Make only the shards of worker I (0 ≤ I < --num-workers), "
                       "for example one on each machine."),
        "--num-workers N": (positive, "Workers that share the shards (N ≥ 1; goes with --worker)."),
    },
}
"""How work on shards is shared: `pixelcnn.cli.sharding` reads it."""
# fmt: on


def seed(decides: str, *, default: str = "0", value: int | None = None) -> Options:
    """`--seed`.

    Args:
        decides: What the seed decides.
        default: What holds where none is typed.
        value: The number that is then given to the command.
    """
    text = f"Seed of {decides} (0 ≤ N < 2^64; default: {default})."
    return {"--seed N": (non_negative, text, value)}


def batch_size(default: int, done: str) -> Options:
    """`--batch-size`, for images that are scored or sampled together."""
    text = f"Images {done} together (N ≥ 1; default: {default})."
    return {"--batch-size N": (positive, text, default)}


def output(folder: str, files: str) -> Options:
    """The folder for the results, and the device."""
    text = f"Folder for {files} (default: {folder})."
    return {"--out DIR": (destination, text, folder)} | DEVICE
