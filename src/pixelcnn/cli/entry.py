"""Runs one command, and turns every error into one line and an exit code."""

import argparse
import importlib
import keyword
import logging
import os
import re
import sys
from collections.abc import Sequence

from pixelcnn.cli.parsers.options import LESS_MEMORY
from pixelcnn.cli.parsers.parser import parse
from pixelcnn.errors import (
    FAILED,
    INTERRUPTED,
    LOST,
    EndedElsewhereError,
    LostProcessError,
    PixelCNNError,
)
from pixelcnn.logger import lines_on_stderr, logger, printable, warnings_as_lines
from pixelcnn.processes import end_with_parent

READER_LEFT = 141  # what a shell reports for a program that a closed pipe ended
BUG = 70  # "internal software error" in sysexits.h


@lines_on_stderr()
@warnings_as_lines()
def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after `pixelcnn`; those of this process by default.

    Returns:
        Exit code: 0; 1 where a check of `verify` fails; 2 for what the user can mend; 130 after
        Ctrl-C; 70 for a bug. With PIXELCNN_DEBUG=1 in the environment errors are raised instead.
    """
    has_starter = end_with_parent()
    args = parse(sys.argv[1:] if argv is None else list(argv))
    # It warns about a home that it cannot write to, although nothing here needs one.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        log_loading(args)
        # `import` is a word of the language.
        module = args.command.replace("-", "_") + "_" * keyword.iskeyword(args.command)
        command = importlib.import_module(f"pixelcnn.cli.commands.{module}")
        code: int = command.run(args)
        sys.stdout.flush()  # here, where a closed pipe is caught
        return code
    except BrokenPipeError:
        _forget_stdout()
        return READER_LEFT
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("PIXELCNN_DEBUG") == "1":
            raise
        if isinstance(error, EndedElsewhereError):
            return error.code
        if isinstance(error, LostProcessError) and has_starter:
            return LOST  # the starter prints which process was lost
        in_shards = getattr(args, "shards", None) is not None
        advice = args.less_memory_of_shards if in_shards else args.less_memory
        line, code = explain(error, less_memory=advice)
        print(printable(f"pixelcnn: {in_options(line, args)}"), file=sys.stderr)
        return code


def log_loading(args: argparse.Namespace) -> None:
    """Logs a line before PyTorch is imported, which takes seconds, for those who wait."""
    is_quick = args.command == "app" or getattr(args, "print_config", False)
    if (args.is_slow or sys.stderr.isatty()) and not is_quick and "torch" not in sys.modules:
        logger.info("Loading PyTorch …")


def in_options(line: str, args: argparse.Namespace) -> str:
    """An error of the library, with the options that were typed instead of its arguments.

    Example:
        >>> args = argparse.Namespace(top_p=2.0, top_k=None)
        >>> in_options("`top_p` must be at most 1, got 2.0. `temperature`: use top_k=1.", args)
        '`--top-p` must be at most 1, got 2.0. `temperature`: use --top-k 1.'
    """
    names = vars(args).keys() - {"run", "runs", "files", "command", "settings", "words"}

    def option(match: re.Match[str]) -> str:
        name, value = match[1] or match[2], match[3]
        is_untyped = value is None and vars(args).get(name) is None and name != "batch_size"
        if name not in names or is_untyped:
            return match[0]
        typed = f"--{name.replace('_', '-')}"
        return f"`{typed}`" if value is None else f"{typed} {value}"

    line = re.sub(r"(?<!-)\b(sampling\.\w+)=(\w+)", r"--\1 \2", line)
    return re.sub(r"`(\w+)`|\b(\w+)=(\w+)", option, line)


def explain(error: BaseException, *, less_memory: str = LESS_MEMORY) -> tuple[str, int]:
    """The line to print and the exit code, for anything that can end a command.

    Args:
        error: What ended it.
        less_memory: What to change when the memory did not suffice.

    Example:
        >>> explain(PixelCNNError("No such model."))
        ('No such model.', 2)
    """
    text = " ".join(str(error).split())
    if isinstance(error, KeyboardInterrupt):
        return text or "Stopped.", INTERRUPTED
    if isinstance(error, PixelCNNError):
        return text, FAILED
    if _is_out_of_memory(error):
        return f"Out of memory. {less_memory}", FAILED
    if isinstance(error, OSError):
        name = error.filename
        place = f" `{os.fsdecode(name) if isinstance(name, bytes) else name}`" if name else ""
        return f"{error.strerror or text or type(error).__name__}{place}.", FAILED
    return (
        f"Unexpected {type(error).__name__}: {text} This is a bug in pixelcnn; "
        f"PIXELCNN_DEBUG=1 shows where it is."
    ), BUG


def _is_out_of_memory(error: BaseException) -> bool:
    # By name: asking torch for its class would import torch for every error.
    is_torch = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return is_torch or isinstance(error, MemoryError)


def _forget_stdout() -> None:
    # Python flushes standard output once more at exit, which would complain about the pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
