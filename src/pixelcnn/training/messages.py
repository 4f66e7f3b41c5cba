"""What a run says: single lines for people, and nothing from the libraries below."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pixelcnn.data import DataWarning
from pixelcnn.processes import this_process


def say(line: str) -> None:
    """Prints one line on standard error, away from results on standard output.

    Of the processes that train together the first one speaks.
    """
    if this_process().is_first:
        print(line, file=sys.stderr, flush=True)


@contextmanager
def data_warnings_as_lines() -> Iterator[None]:
    """Prints what `pixelcnn.data` warns of as single lines, without file and line of the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        show = warnings.showwarning

        def show_line(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, DataWarning):
                say(str(message))
            else:
                show(message, category, *place, **more)

        warnings.showwarning = show_line
        yield


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silences banners, tips and hints meant for authors of training loops."""
    with (
        quiet_loggers("lightning.pytorch", "lightning.fabric", "torch.utils.cpp_extension"),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", module=r"lightning(\..*)?")
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        # Of models in parts. Nothing here changes in place what a network returns.
        warnings.filterwarnings("ignore", message="FSDP2-wrapped module")
        yield


@contextmanager
def quiet_loggers(*names: str) -> Iterator[None]:
    """Lets loggers of these names say nothing but errors."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
