"""Where the command line begins and where every error ends."""

import importlib
import logging
import os
import sys
from collections.abc import Sequence

from pixelcnn.cli.parsers.parser import parse
from pixelcnn.errors import (
    FAILED,
    INTERRUPTED,
    LOST,
    EndedElsewhereError,
    LostProcessError,
    PixelCNNError,
)
from pixelcnn.logger import lines_on_stderr, warnings_as_lines
from pixelcnn.processes import end_with_parent

READER_LEFT = 141  # what a shell reports for a program that a closed pipe ended
BUG = 70  # "internal software error" in sysexits.h
LESS_MEMORY = {
    "sample": "Draw fewer images at once (--batch-size), smaller ones (--size, --scale), or many "
    "to disk (--shards).",
    "sample --shards": "Draw smaller shards (--shard-size), fewer images at once (--batch-size) or "
    "smaller ones (--size).",
    "score --shards": "Score fewer images at once (--batch-size) or smaller shards (--shard-size).",
    "train-classifier": "Use fewer images at once (--batch-size) or a smaller --width.",
    "verify": "Verify on a device with more memory: --device.",
    "evaluate": "Score fewer images at once: --evaluation.batch_size.",
    "compare": "Use fewer images (--max-images, --num-generated).",
    "score": "Score fewer images at once: --batch-size.",
    "classify": "Score fewer images at once: --batch-size.",
    "marginal": "Draw smaller images (--size), or fewer at once (--batch-size).",
    "complete": "Use fewer completions (--num-completions) or images (--max-images), or fewer at "
    "once (--batch-size).",
    "conditional": "Use fewer images at once (--batch-size), or fewer in each population "
    "(--num-particles).",
}
LESS_MEMORY_ELSEWHERE = "Use fewer images at once (--data.batch_size) or a smaller model."


@lines_on_stderr()
@warnings_as_lines()
def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after `pixelcnn`; those of this process by default.

    Returns:
        Exit code: 0, or 1 where a command answers no (`verify`), 2 for what the user can mend,
        130 after Ctrl-C, 70 for our own bugs.
        With PIXELCNN_DEBUG=1 in the environment errors are raised instead.
    """
    has_starter = end_with_parent()
    args = parse(sys.argv[1:] if argv is None else list(argv))
    # It complains about a home that it cannot write to; its curves do not need one.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        command = importlib.import_module(f"pixelcnn.cli.commands.{args.command.replace('-', '_')}")
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
            return LOST  # that one knows which, and says it
        shards = " --shards" if getattr(args, "shards", None) else ""
        line, code = explain(error, args.command + shards)
        print(f"pixelcnn: {line}", file=sys.stderr)
        return code


def explain(error: BaseException, command: str | None = None) -> tuple[str, int]:
    """One line for people, and the exit code, for anything that can end a command.

    Args:
        error: What ended it.
        command: Which command, for advice in its own options; with ` --shards` if that was asked.

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
        advice = LESS_MEMORY.get(command or "", LESS_MEMORY_ELSEWHERE)
        return f"Out of memory. {advice}", FAILED
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
