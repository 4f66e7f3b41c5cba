"""Silences what libraries print while a model trains."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


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
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
