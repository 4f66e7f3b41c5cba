"""What the parsers of all commands share. Nothing heavy is imported here."""

import argparse
import re
from typing import NoReturn

Subparsers = argparse._SubParsersAction  # argparse has no public name for it

SETTINGS = """\
Any setting of {about} can be given by its name, for example
  {example}
`pixelcnn train --preset digits --print-config` shows all of them, as YAML."""
ABOUT_IMAGES = ("the images", "--data.dataset_name mnist --data.binarization threshold")
RUN_HELP = (
    "run folder; a checkpoint: .safetensors, or .ckpt of a training; "
    "or a model of the package, such as digits, where no such file or folder exists"
)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is a word away."""

    def error(self, message: str) -> NoReturn:
        """Prints the line on standard error and exits with code 2."""
        if found := re.fullmatch(r"argument (--[\w-]+)\S*: expected one argument", message):
            message += f" (one that begins with a minus is written {found[1]}=-…)"
        self.exit(2, f"pixelcnn: {message}. See `{self.prog} --help`.\n")


def add_command(
    commands: Subparsers,
    name: str,
    summary: str,
    *,
    takes_settings: bool = False,
    settings: tuple[str, str] = ABOUT_IMAGES,
) -> argparse.ArgumentParser:
    """Adds a command.

    Args:
        commands: Where to.
        name: What is typed.
        summary: Starts without a capital and ends without a stop.
        takes_settings: Whether settings of a configuration can be typed.
        settings: Which of them, with an example.
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
    parser.set_defaults(takes_settings=takes_settings, refuse=parser.error)
    return parser


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds `--device`."""
    parser.add_argument(
        "--device", metavar="NAME", help="auto, cpu, cuda, cuda:1 … or mps (default: auto)"
    )


def add_output(parser: argparse.ArgumentParser, folder: str, files: str) -> None:
    """Adds where the answer goes, and where it is computed."""
    parser.add_argument(
        "--out", type=destination, metavar="DIR", default=folder,
        help=f"folder for {files} (default: %(default)s)",
    )  # fmt: skip
    add_device(parser)


def add_sharing(parser: argparse.ArgumentParser) -> None:
    """Adds how work into shards is shared: `pixelcnn.cli.sharding` reads it."""
    group = parser.add_argument_group(
        "sharing --shards", "Processes that torchrun or srun starts share the shards by themselves."
    )
    group.add_argument(
        "--shard-size", type=positive, metavar="N", help="images of a shard (default: 4096)"
    )
    group.add_argument(
        "--num-processes", type=positive, metavar="N", help="start as many on this machine"
    )
    group.add_argument(
        "--worker", type=non_negative, metavar="I", help="make the shards of this one, from 0 …"
    )
    group.add_argument("--num-workers", type=positive, metavar="N", help="… of so many workers")


def positive(text: str) -> int:
    """A whole number of at least 1, and no larger than a tensor can be."""
    if not text.isdecimal() or not 1 <= int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 2**31 - 1, got {text}")
    return int(text)


def sites(text: str) -> int:
    """How many sites to look at: a whole number of at least 1, or all of them.

    Example:
        >>> sites("50"), sites("all") > 10**9
        (50, True)
    """
    return positive(str(2**31 - 1) if text.lower() == "all" else text)


def non_negative(text: str) -> int:
    """A whole number of at least 0, and of at most 64 bits, as seeds are."""
    if not text.isdecimal() or not 0 <= int(text) < 2**64:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 2**64 - 1, got {text}")
    return int(text)


def destination(text: str) -> str:
    """Where to write: any path but the empty one, which would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a place to write to, got an empty text")
    return text


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


def site(text: str) -> tuple[int, ...]:
    """Row and column of a sub-pixel, or channel, row and column, all from 0.

    Example:
        >>> site("14,14"), site("2, 0, 31")
        ((14, 14), (2, 0, 31))
    """
    if not re.fullmatch(r"\d+(,\d+){1,2}", re.sub(r"\s", "", text)):
        raise argparse.ArgumentTypeError(
            f"must be ROW,COLUMN such as 14,14, or CHANNEL,ROW,COLUMN, from 0, got {text!r}"
        )
    return tuple(non_negative(number.strip()) for number in text.split(","))
