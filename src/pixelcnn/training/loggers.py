"""Loggers as configured: TensorBoard, CSV, Weights & Biases."""

import errno
import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from pixelcnn.config import Config, LoggerConfig, as_dict
from pixelcnn.errors import ConfigError, require
from pixelcnn.files import unwritable

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def check_loggers(config: LoggerConfig) -> None:
    """Raises `MissingDependencyError` if the package of a logger is not installed."""
    if config.wandb and importlib.util.find_spec("wandb") is None:
        require("wandb", extra="wandb")


@contextmanager
def open_loggers(config: Config, run_dir: Path) -> Iterator[list[Logger]]:
    """Opens the loggers of a run, and closes those that would keep running.

    TensorBoard and CSV write into `logs/version_N`, with a new N for every start. Weights & Biases
    has a run of its own for every start, in `wandb/`, grouped by the name of the folder.

    Yields:
        The loggers, none or several.

    Raises:
        MissingDependencyError: If a package is not installed.
        ConfigError: If Weights & Biases cannot begin a run.
        OutputError: If a log can no longer be written.
    """
    version = next(n for n in count() if not (run_dir / "logs" / f"version_{n}").exists())
    loggers: list[Logger] = []
    if config.logger.tensorboard:
        loggers.append(TensorBoardLogger(run_dir, name="logs", version=version))
    if config.logger.csv:
        every = config.logger.log_every_n_steps
        loggers.append(
            CSVLogger(run_dir, name="logs", version=version, flush_logs_every_n_steps=every)
        )
    with failing_clearly(run_dir / "logs"):
        if not config.logger.wandb:
            yield loggers
            return
        with open_wandb(config, run_dir) as logger:
            yield [*loggers, logger]


@contextmanager
def failing_clearly(folder: Path) -> Iterator[None]:
    """Raises one error where a folder of logs can no longer be written.

    TensorBoard writes in a thread, which would print its traceback before its error arrives here.

    Raises:
        OutputError: If the disk is full or the folder is gone.
    """
    hook = threading.excepthook

    def show(thrown: threading.ExceptHookArgs) -> None:
        if not type(thrown.thread).__module__.startswith("tensorboard."):
            hook(thrown)

    threading.excepthook = show
    try:
        yield
    except OSError as error:  # ours among them, whose `errno` and `filename` are None
        is_there = error.filename and Path(os.fsdecode(error.filename)).is_relative_to(folder)
        if is_there or error.errno in DISK_IS_FULL:  # which comes without the name of a file
            raise unwritable(folder, error) from error
        raise
    finally:
        threading.excepthook = hook


@contextmanager
def open_wandb(config: Config, run_dir: Path) -> Iterator[WandbLogger]:
    """A logger for Weights & Biases.

    A run that is already in progress, such as that of a sweep, is used and not ended.

    Yields:
        The logger. In other processes than the first it does nothing.

    Raises:
        MissingDependencyError: If `wandb` is not installed.
        ConfigError: If no run can be started, for example without an account.
    """
    wandb = require("wandb", extra="wandb")
    if getattr(rank_zero_only, "rank", 0) != 0 or wandb.run is not None:
        yield WandbLogger(experiment=wandb.run)
        return
    offline = config.logger.wandb_mode == "offline"
    if offline:
        wandb.setup(wandb.Settings(silent=True))
    try:
        # Not by Lightning, whose arguments newer versions of wandb warn about.
        experiment = wandb.init(
            project=config.logger.wandb_project,
            name=run_dir.resolve().name,
            group=run_dir.resolve().name,
            dir=str(run_dir),
            mode=config.logger.wandb_mode,
            config=as_dict(config),
            settings=wandb.Settings(silent=offline, console="off"),
        )
    except wandb.Error as error:
        wandb.teardown(exit_code=1)
        raise ConfigError(
            f"Weights & Biases cannot start a run: {str(error).rstrip('.')}. Log in by "
            f"`wandb login`, or set `logger.wandb_mode` to offline."
        ) from error
    experiment.define_metric("trainer/global_step")
    experiment.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    code = 1
    try:
        yield WandbLogger(experiment=experiment)
        code = 0
    finally:
        experiment.finish(exit_code=code)
        wandb.teardown(exit_code=code)  # its process would otherwise run as long as this one
