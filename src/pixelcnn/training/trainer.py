"""Lightning's trainer and its callbacks, as configured."""

import signal
import sys
from pathlib import Path

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import Logger

from pixelcnn.config import Config
from pixelcnn.data import Batches, DataSplits
from pixelcnn.processes import this_process
from pixelcnn.training.callbacks.early_stopping import ResumableEarlyStopping
from pixelcnn.training.callbacks.ema import ExponentialMovingAverage
from pixelcnn.training.callbacks.history import History
from pixelcnn.training.callbacks.logged_images import LearningCurves, chosen_epochs
from pixelcnn.training.callbacks.monitor import TrainingMonitor
from pixelcnn.training.callbacks.progress import EpochBar, ProgressLines
from pixelcnn.training.callbacks.sample_grids import SampleGrids
from pixelcnn.training.callbacks.signals import TERMINATED, StopOnSignal
from pixelcnn.training.callbacks.throughput import Throughput
from pixelcnn.training.checkpoint_io import AtomicCheckpointIO
from pixelcnn.training.distributed.devices import ExternalProcesses, device_options
from pixelcnn.training.loaders import EpochLoader
from pixelcnn.training.module import PixelCNNTrainer
from pixelcnn.training.resume import naming_state


def make_callbacks(
    config: Config, data: DataSplits, run_dir: Path, history: History
) -> list[Callback]:
    """The callbacks that measure, plot, sample and show."""
    throughput = Throughput()
    callbacks: list[Callback] = [throughput]
    if (chosen := chosen_epochs(config.logger)) is not None:
        callbacks += [
            SampleGrids(
                run_dir / "samples",
                chosen=chosen,
                sampling=config.sampling,
                seed=config.seed,
                conditions=data.val.conditions,
            ),
            LearningCurves(
                run_dir / "curves.png",
                chosen=chosen,
                history=history,
                num_dims=data.spec.num_dims,
            ),
        ]
    if config.training.ema_decay is not None:
        callbacks.append(ExponentialMovingAverage(config.training.ema_decay))
    if config.training.early_stopping_patience is not None:
        callbacks.append(ResumableEarlyStopping(config.training.early_stopping_patience))
    if config.logger.tensorboard or config.logger.csv or config.logger.wandb:
        callbacks += [LearningRateMonitor(logging_interval="step"), TrainingMonitor(throughput)]
    if sys.stderr.isatty():
        callbacks.append(EpochBar(history, throughput))
    else:
        callbacks.append(ProgressLines(history, throughput))
    return callbacks


def make_trainer(
    config: Config,
    run_dir: Path,
    *,
    callbacks: list[Callback],
    loggers: list[Logger],
    io: AtomicCheckpointIO,
) -> Trainer:
    """Lightning's trainer with our settings."""
    process = this_process()
    return Trainer(
        **device_options(config, process),
        precision=config.training.precision_of_trainer,
        max_epochs=config.training.max_epochs,
        gradient_clip_val=config.training.gradient_clip_val,
        accumulate_grad_batches=config.training.accumulate_grad_batches,
        log_every_n_steps=config.logger.log_every_n_steps,
        logger=loggers or False,
        callbacks=callbacks,
        plugins=[io, ExternalProcesses(process)],
        enable_checkpointing=True,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        deterministic=config.training.deterministic or None,
        num_sanity_val_steps=0,
        default_root_dir=run_dir,
    )


def run_fit_loop(
    trainer: Trainer,
    module: PixelCNNTrainer,
    loaders: tuple[EpochLoader, Batches],
    stop: StopOnSignal,
    resume: str | None,
) -> None:
    """Runs Lightning's loop; Ctrl-C comes out as `KeyboardInterrupt`, SIGTERM as exit code 143."""
    with stop.listening():
        try:
            with naming_state(resume, lambda: stop.has_begun):
                trainer.fit(module, *loaders, ckpt_path=resume)
        except SystemExit:
            if trainer.received_sigterm:  # before our handler was set; nothing is lost yet
                raise SystemExit(TERMINATED) from None
            if not trainer.interrupted or stop.received != signal.SIGINT:
                raise
            # Lightning turns Ctrl-C into exit code 1, and ignores it from then on.
            raise KeyboardInterrupt from None
        finally:
            for loader in loaders:
                loader.close()
