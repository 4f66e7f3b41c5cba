"""One training from settings to a folder of results."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from pixelcnn import checkpoint
from pixelcnn.config import (
    Config,
    DataConfig,
    EvaluationConfig,
    LoggerConfig,
    ModelConfig,
    SamplingConfig,
    TrainingConfig,
    as_config,
    to_yaml,
)
from pixelcnn.data import Batches, DataSplits, batches, load_data
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder, write_text
from pixelcnn.models import AutoregressiveModel
from pixelcnn.training.build import build_model
from pixelcnn.training.grids import SampleGrids
from pixelcnn.training.history import EpochBar, EpochLines, History
from pixelcnn.training.interrupt import StopOnCtrlC
from pixelcnn.training.keep import KeepCheckpoints, begin_folder
from pixelcnn.training.loader import EpochLoader
from pixelcnn.training.messages import quiet_libraries
from pixelcnn.training.module import PixelCNNTrainer
from pixelcnn.training.precision import resolve_precision
from pixelcnn.training.state import AtomicCheckpointIO, check_same_model, read_state


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves.

    Attributes:
        model: The best weights by validation NLL, in eval mode, on the CPU.
        run_dir: Folder with `model.safetensors`, `checkpoints/`, `config.yaml`, `logs/` and
            `samples/`.
        history: One entry per epoch: `epoch` from 1, `train_nll` and `val_nll` in nats per
            image, `train_bpd` and `val_bpd` in bits per sub-pixel, `learning_rate`, `seconds`.
        best_epoch: The epoch that `model` is from.
        seconds: Time that the epochs took.
        data: The images, for an evaluation on the test split.
        config: The configuration as it ran.
    """

    model: AutoregressiveModel
    run_dir: Path
    history: list[dict[str, Any]]
    best_epoch: int
    seconds: float
    data: DataSplits
    config: Config


def train_pixelcnn(
    model_config: ModelConfig | Mapping[str, Any] | None = None,
    training_config: TrainingConfig | Mapping[str, Any] | None = None,
    data_config: DataConfig | Mapping[str, Any] | None = None,
    *,
    logger_config: LoggerConfig | Mapping[str, Any] | None = None,
    sampling_config: SamplingConfig | Mapping[str, Any] | None = None,
    evaluation_config: EvaluationConfig | Mapping[str, Any] | None = None,
    out: str | Path = "runs/latest",
    seed: int = 0,
    device: str = "auto",
    resume: str | Path | None = None,
) -> TrainingResult:
    """Trains a model and keeps the best one by validation NLL.

    Each section may be its dataclass, a dict of its fields, or None for the defaults.
    Ctrl-C writes `checkpoints/last.ckpt` and then raises `KeyboardInterrupt`.

    Args:
        model_config: Which network.
        training_config: How it learns.
        data_config: From which images.
        logger_config: What is logged, and how often samples are drawn.
        sampling_config: How those samples are drawn.
        evaluation_config: Only written down, for whoever evaluates the run.
        out: Folder of the run, made if missing. An earlier run in it stays whole until this one
            has its first state, and is replaced then.
        seed: Decides the weights at the start, the order of images and all noise.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        resume: State to go on from: `checkpoints/last.ckpt` of a run.

    Returns:
        The best model, and what is known about the run.

    Raises:
        ConfigError: If a setting is wrong, or does not fit the others or the data.
        DataError: If the images cannot be read.
        CheckpointError: If `resume` cannot be read or is of another model.
        OutputError: If `out` cannot be written.
        PixelCNNError: If the loss stops being a number.
    """
    config = as_config(
        model=model_config,
        training=training_config,
        data=data_config,
        logger=logger_config,
        sampling=sampling_config,
        evaluation=evaluation_config,
        seed=seed,
        out=str(out),
        device=device,
        resume=None if resume is None else str(resume),
    )
    config = replace(config, training=resolve_precision(config.training, config.device))
    with provisional_folder(out, keep="checkpoints") as run_dir:
        state = read_state(resume) if resume is not None else None
        data = load_images(config)
        torch.manual_seed(config.seed)
        model = build_model(config.model, data)
        if state is not None and resume is not None:
            check_same_model(state, model, resume)
            check_unfinished(state, config.training)
        if not (run_dir / "config.yaml").exists():
            write_text(run_dir / "config.yaml", to_yaml(config))
        return run(config, model, data, run_dir)


def run(
    config: Config, model: AutoregressiveModel, data: DataSplits, run_dir: Path
) -> TrainingResult:
    """Trains a model that is built, on data that is read."""
    module = PixelCNNTrainer(model, config.training, seed=config.seed)
    history = History()
    card = {"dataset": config.data.dataset_name, "protocol": data.protocol, "seed": config.seed}
    keep = KeepCheckpoints(run_dir, history, card=card)
    stop = StopOnCtrlC(keep.last)
    io = AtomicCheckpointIO(before_first=lambda: begin_folder(config, run_dir))
    with quiet_libraries():
        # Lightning calls the last two last, in this order: the state is saved before we stop.
        callbacks = [history, *observers(config, data, run_dir, history), keep, stop]
        trainer = make_trainer(config, run_dir, callbacks, io)
        fit(trainer, module, loaders(config, data), stop, config.resume)
    assert keep.kept is not None
    if module.settings != config.training:
        config = replace(config, training=module.settings)
        write_text(run_dir / "config.yaml", to_yaml(config))
    best = checkpoint.load(keep.weights)
    # Again, now that it is known how long all of it took.
    keep.save_weights(best, keep.kept)
    return TrainingResult(
        model=best,
        run_dir=run_dir,
        history=history.entries,
        best_epoch=keep.kept["epoch"],
        seconds=history.seconds,
        data=data,
        config=config,
    )


def load_images(config: Config) -> DataSplits:
    """The data set as configured."""
    options = asdict(config.data)
    for name in ("batch_size", "num_workers", "use_augmentation", "mutation_rate"):
        del options[name]
    name = options.pop("dataset_name")
    # Only the files of a folder can be read in grey or in colour, as the model wants.
    channels = config.model.in_channels if name.startswith("folder") else None
    data = load_data(name, **options, channels=channels, seed=config.seed)
    rate = config.data.mutation_rate
    if rate:
        noise = f"{rate:g} of the sub-pixels of training images replaced"
        data = replace(data, protocol=f"{data.protocol}; {noise}")
    return data


def loaders(config: Config, data: DataSplits) -> tuple[EpochLoader, Batches]:
    """Batches to train on and to validate on, already on the device if they are in memory."""
    device = resolve_device(config.device)
    train = EpochLoader(
        data.train.to(device),
        config.data.batch_size,
        seed=config.seed,
        augment=config.data.use_augmentation,
        mutation_rate=config.data.mutation_rate,
        num_workers=config.data.num_workers,
        device=device,
    )
    val = batches(
        data.val.to(device),
        max(config.data.batch_size, config.evaluation.batch_size),
        num_workers=config.data.num_workers,
    )
    return train, val


def observers(config: Config, data: DataSplits, run_dir: Path, history: History) -> list[Callback]:
    """Callbacks that watch, draw and show."""
    callbacks: list[Callback] = []
    if config.logger.sample_every_n_epochs:
        callbacks.append(
            SampleGrids(
                run_dir / "samples",
                every=config.logger.sample_every_n_epochs,
                sampling=config.sampling,
                seed=config.seed,
                conditions=data.val.conditions,
            )
        )
    if config.training.early_stopping_patience is not None:
        patience = config.training.early_stopping_patience
        callbacks.append(EarlyStopping("val_nll", patience=patience, mode="min"))
    if config.logger.tensorboard or config.logger.csv:
        callbacks.append(LearningRateMonitor(logging_interval="step"))
    if sys.stderr.isatty():
        callbacks.append(EpochBar())
    else:
        callbacks.append(EpochLines(history))
    return callbacks


def make_trainer(
    config: Config, run_dir: Path, callbacks: list[Callback], io: AtomicCheckpointIO
) -> Trainer:
    """Lightning's trainer with our settings."""
    kind, _, index = resolve_device(config.device).partition(":")
    return Trainer(
        accelerator=kind,
        devices=[int(index)] if index else 1,
        precision=config.training.precision,
        max_epochs=config.training.max_epochs,
        gradient_clip_val=config.training.gradient_clip_val,
        accumulate_grad_batches=config.training.accumulate_grad_batches,
        log_every_n_steps=config.logger.log_every_n_steps,
        logger=make_loggers(config.logger, run_dir) or False,
        callbacks=callbacks,
        plugins=[io],
        enable_checkpointing=True,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=run_dir,
    )


def make_loggers(config: LoggerConfig, run_dir: Path) -> list[Logger]:
    """Loggers that write into `logs/version_N`, a new N for every start or resumption."""
    version = 0
    while (run_dir / "logs" / f"version_{version}").exists():
        version += 1
    loggers: list[Logger] = []
    if config.tensorboard:
        loggers.append(TensorBoardLogger(run_dir, name="logs", version=version))
    if config.csv:
        loggers.append(
            CSVLogger(
                run_dir,
                name="logs",
                version=version,
                flush_logs_every_n_steps=config.log_every_n_steps,
            )
        )
    return loggers


def check_unfinished(state: Mapping[str, Any], training: TrainingConfig) -> None:
    """Raises `ConfigError` if a state to resume has no epoch left."""
    done = state["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    if done >= training.max_epochs:
        raise ConfigError(
            f"The run to resume has already trained {done} epochs, and `training.max_epochs` is "
            f"{training.max_epochs}. Raise it to train on."
        )


def fit(
    trainer: Trainer,
    module: PixelCNNTrainer,
    loaders: tuple[EpochLoader, Batches],
    stop: StopOnCtrlC,
    resume: str | None,
) -> None:
    """Runs Lightning's loop; Ctrl-C comes out as `KeyboardInterrupt`."""
    with stop.listening():
        try:
            trainer.fit(module, *loaders, ckpt_path=resume)
        except SystemExit:
            if not trainer.interrupted:
                raise
            # Lightning turns Ctrl-C into exit code 1, and ignores it from then on.
            raise KeyboardInterrupt from None
