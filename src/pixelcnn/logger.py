"""The logger of the package, `logging.getLogger("pixelcnn")`, and those of libraries.

To redirect them, add a handler to this logger or to the root logger. To silence them, set its level
to `logging.WARNING` or higher.
"""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pixelcnn.errors import PixelCNNWarning
from pixelcnn.processes import this_process

logger = logging.getLogger("pixelcnn")
# Of the processes that share a piece of work, only the first logs.
logger.addFilter(lambda record: this_process().is_first)


def printable(text: str) -> str:
    """One line of text that a terminal shows and does not obey, whatever file it comes from.

    Example:
        >>> print(printable("\\x1b[31mred\\x07 cat – 猫"))
        \\u001b[31mred\\u0007 cat – 猫
    """
    # Escaped as in JSON, so that JSON stays JSON.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class StderrLines(logging.Handler):
    """Prints each record as one plain line on standard error, away from results on standard output.

    Standard error is looked up for every line: a progress bar replaces it by one that prints above
    the bar.
    """

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(self.format(record)), file=sys.stderr, flush=True)


@contextmanager
def lines_on_stderr() -> Iterator[None]:
    """Shows what the package logs, from level INFO, on standard error.

    The command line does so, and `train_pixelcnn` where nobody has set up a handler.
    """
    handler, level = StderrLines(), logger.level
    logger.addHandler(handler)
    if level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Logs every warning of this package as one line, without file and line of the code."""
    show = warnings.showwarning

    def log(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, PixelCNNWarning):
            logger.warning(message)
        else:
            lines = map(printable, str(message).split("\n"))
            show("\n".join(lines), category, *place, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", PixelCNNWarning)
        warnings.showwarning = log
        yield


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silences banners, tips and hints that are meant for authors of training loops."""
    with (
        quiet_loggers("lightning.pytorch", "lightning.fabric", "torch.utils.cpp_extension"),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", module=r"lightning(\..*)?")
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        # Of sharded models. Nothing here changes in place what a network returns.
        warnings.filterwarnings("ignore", message="FSDP2-wrapped module")
        yield


@contextmanager
def quiet_loggers(*names: str) -> Iterator[None]:
    """Raises the level of the loggers of these names to errors."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
