"""One training, from settings to a run folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pixelcnn import checkpoint
from pixelcnn.arguments import named_arguments
from pixelcnn.config import (
    AUTO,
    Config,
    DataConfig,
    EvaluationConfig,
    LoggerConfig,
    ModelConfig,
    SamplingConfig,
    TrainingConfig,
    as_config,
)
from pixelcnn.config.images import load_images, named_memory
from pixelcnn.data import DataSplits, RankSlice
from pixelcnn.device import deterministic_algorithms
from pixelcnn.errors import ConfigError, NotFiniteError
from pixelcnn.files import provisional_folder
from pixelcnn.locks import locked_folder
from pixelcnn.logger import lines_on_stderr, logger, quiet_libraries
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import CONFIG_FILE, STATES, held_training, is_state_of, load_trained, read_state
from pixelcnn.training.build import build_model
from pixelcnn.training.callbacks.checkpoints import RunCheckpoints, begin_folder, write_settings
from pixelcnn.training.callbacks.history import History
from pixelcnn.training.callbacks.signals import StopOnSignal
from pixelcnn.training.checkpoint_io import AtomicCheckpointIO
from pixelcnn.training.distributed.devices import with_started_processes
from pixelcnn.training.distributed.process_group import ProcessGroup, process_group
from pixelcnn.training.environment import list_starts
from pixelcnn.training.loaders import make_loaders
from pixelcnn.training.loggers import check_loggers, open_loggers
from pixelcnn.training.module import PixelCNNTrainer
from pixelcnn.training.optimisation.optimizers import fit_warm_up, whole_steps
from pixelcnn.training.resume import check_fits, find_state, keep_chosen, naming_state
from pixelcnn.training.trainer import make_callbacks, make_trainer, run_fit_loop
from pixelcnn.training.tuning.auto import resolve_auto
from pixelcnn.training.tuning.finders import search_settings


@dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        model: The best weights by validation NLL, in eval mode, on the CPU.
        run_dir: Folder with `model.safetensors`, `checkpoints/`, `config.yaml`, `logs/` and
            `samples/`.
        history: One entry per epoch: `epoch` from 1, `train_nll` and `val_nll` in nats per
            image, `train_bpd` and `val_bpd` in bits per sub-pixel, `learning_rate`, `seconds`.
        best_epoch: The epoch that `model` is from.
        seconds: Wall time of the epochs.
        data: The images, for an evaluation on the test split.
        config: The settings as it ran.
    """

    model: AutoregressiveModel
    run_dir: Path
    history: list[dict[str, Any]]
    best_epoch: int
    seconds: float
    data: DataSplits
    config: Config


@named_arguments
def train_pixelcnn(
    model_config: ModelConfig | Mapping[str, Any] | None = None,
    training_config: TrainingConfig | Mapping[str, Any] | None = None,
    data_config: DataConfig | Mapping[str, Any] | None = None,
    *,
    data: Mapping[str, Any] | None = None,
    logger_config: LoggerConfig | Mapping[str, Any] | None = None,
    sampling_config: SamplingConfig | Mapping[str, Any] | None = None,
    evaluation_config: EvaluationConfig | Mapping[str, Any] | None = None,
    out: str | Path = "runs/latest",
    seed: int = 0,
    device: str = "auto",
    resume: str | Path | None = None,
    overwrite: bool = False,
    command: str | None = None,
    shorten_warmup: bool = False,
) -> TrainingResult:
    """Trains a model and keeps the best one by validation NLL.

    Each section may be its dataclass, a dict of its fields, or None for the defaults.

    Progress is shown as a bar in a terminal, and elsewhere as lines of the logger "pixelcnn", which
    go to standard error unless a handler is set up. Ctrl-C writes `checkpoints/last.ckpt` and then
    raises `KeyboardInterrupt`. A resumed run ends with the same weights, bit by bit, as one that
    was never interrupted, on the same machine.

    Where torchrun or SLURM started several processes, each calls this and trains on a part of
    every batch; the first one writes, and all get the result.

    Args:
        model_config: Which network.
        training_config: How it learns.
        data_config: Which images.
        data: Arrays or tensors in memory instead of a data set, such as `{"x": images, "y":
            labels}`, see `load_data`; the other fields of `data_config` hold for them too.
        logger_config: What is logged, and how often sample grids are made.
        sampling_config: Options of those samples.
        evaluation_config: Only written into config.yaml, for `pixelcnn evaluate`.
        out: Folder of the run, made if missing.
        seed: Decides the weights at the start, the order of images and all noise.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        resume: State to resume from: `checkpoints/last.ckpt` of a run. "auto": the newest undamaged
            state in `out`; a new start if there is none; if all epochs are trained, their result.
        overwrite: Whether an earlier run in `out` is replaced, once this one has its first state.
        command: The command that started this, for `environment.json`.
        shorten_warmup: Whether a warm-up that is not shorter than the run becomes a tenth of it,
            instead of being an error.

    Returns:
        The best model, and what is known about the run.

    Raises:
        ConfigError: If a setting is wrong, or does not fit the others or the data; or if `out`
            holds a training that is neither resumed nor to be overwritten.
        DataError: If the images cannot be read.
        CheckpointError: If `resume` cannot be read or is of another model.
        OutputError: If `out` cannot be written, or another training uses it.
        NotFiniteError: If the loss or the gradient stops being a number.
        EndedElsewhereError: In processes that train together, if another one raised the error.
        SystemExit: After SIGTERM, with code 143, when the last state is written.
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
    if data is not None:
        config = named_memory(config)
    shown = nullcontext() if logger.hasHandlers() else lines_on_stderr()
    with shown, process_group(config.device) as group:
        check_loggers(config.logger)
        config = with_started_processes(config, group.process)
        if not overwrite:
            group.run_on_first(lambda: check_unused(Path(out), config.resume))
        with lock_run_folder(out) if group.is_first else nullcontext(Path(out)) as run_dir:
            return train_in(
                run_dir, config, group, command, shorten_warmup=shorten_warmup, arrays=data
            )


def check_unused(run_dir: Path, resume: str | None) -> None:
    """Raises `ConfigError` if a folder holds a training that this one does not resume."""
    held = held_training(run_dir)
    if held and resume != AUTO and not is_state_of(run_dir, resume):
        raise ConfigError(
            f"`out` must be a folder without a training, got `{run_dir}`, which holds {held}. "
            f'Choose another one, resume it by `resume="auto"`, or pass `overwrite=True`.'
        )


def train_in(
    run_dir: Path,
    config: Config,
    group: ProcessGroup,
    command: str | None,
    *,
    shorten_warmup: bool,
    arrays: Mapping[str, Any] | None = None,
) -> TrainingResult:
    """Reads the images, builds the model, searches the settings to be found, and trains."""
    is_auto = config.resume == AUTO
    state = group.run_on_first(lambda: find_state(config.resume, run_dir))
    config = replace(config, resume=None if state is None else str(state))
    config, model, data = group.local_first(
        lambda: prepare_training(config, arrays, may_be_finished=is_auto)
    )
    with deterministic_algorithms(config.training.deterministic or None):
        config, chosen = resolve_auto(config, model, data, group)
        config, found = group.local_first(
            lambda: search_settings(config, model, data, run_dir, is_auto=is_auto)
        )
        num_steps = whole_steps(len(data.train), config)
        warm = fit_warm_up(config.training, num_steps, shorten=shorten_warmup)
        config = replace(config, training=warm)
        starts = list_starts(config, run_dir, command=command, found=chosen | found)
        return fit_model(config, model, data, run_dir, group, starts)


@contextmanager
def lock_run_folder(out: str | Path) -> Iterator[Path]:
    """Makes the folder of a run if it is missing, and locks it."""
    with provisional_folder(out, keep=STATES.name) as run_dir, locked_folder(run_dir):
        yield run_dir


def prepare_training(
    config: Config, arrays: Mapping[str, Any] | None = None, *, may_be_finished: bool
) -> tuple[Config, AutoregressiveModel, DataSplits]:
    """Reads the images, and builds a model that fits the state to resume from, if there is one."""
    state = None if config.resume is None else read_state(config.resume)
    data = load_images(config, arrays)
    torch.manual_seed(config.seed)
    model = build_model(config.model, data)
    if state is not None:
        path, count = Path(str(config.resume)), len(data.train)
        with naming_state(path, lambda: False):
            config = replace(config, training=keep_chosen(config.training, state))
            check_fits(
                path, state, model, config, num_images=count, may_be_finished=may_be_finished
            )
    return config, model, data


def fit_model(
    config: Config,
    model: AutoregressiveModel,
    data: DataSplits,
    run_dir: Path,
    group: ProcessGroup,
    starts: Sequence[Mapping[str, Any]],
) -> TrainingResult:
    """Trains a model on images that are read."""
    part = RankSlice(group.process.rank, group.process.world_size)
    module = PixelCNNTrainer(model, config.training, seed=config.seed, part=part)
    history = History()
    card = {"dataset": config.data.dataset_name, "protocol": data.protocol, "seed": config.seed}
    checkpoints = RunCheckpoints(run_dir, history, config.training, card=card)
    stop = StopOnSignal(checkpoints, group)
    io = AtomicCheckpointIO(
        before_first=lambda: begin_folder(config, run_dir, starts, step=checkpoints.began_at)
    )
    with quiet_libraries(), open_loggers(config, run_dir) as loggers:
        logger.info(
            f"Training {model.name} ({model.num_parameters:,} parameters) on {len(data.train):,} "
            f"images, up to epoch {config.training.max_epochs}, in {run_dir}."
        )
        # Lightning calls the last two last, in this order: the state is saved before it stops.
        callbacks = [history, *make_callbacks(config, data, run_dir, history), checkpoints, stop]
        trainer = make_trainer(config, run_dir, callbacks=callbacks, loggers=loggers, io=io)
        batches = make_loaders(config, data, part)
        if module.is_sharded and config.resume is None:  # while each process has the full model
            model.initialise(*module.split(batches[0].first_whole().to("cpu")))
        if group.is_first and not (run_dir / CONFIG_FILE).exists():
            write_settings(config, run_dir)  # for a run that is killed before its first state
        try:
            run_fit_loop(trainer, module, batches, stop, config.resume)
        except NotFiniteError as error:
            raise NotFiniteError(f"{error} {checkpoints.resume_advice()}") from error
    if module.settings != config.training:
        config = replace(config, training=module.settings)
        if group.is_first:
            write_settings(config, run_dir)
    return collect_result(checkpoints, config, data, run_dir, group)


def collect_result(
    checkpoints: RunCheckpoints,
    config: Config,
    data: DataSplits,
    run_dir: Path,
    group: ProcessGroup,
) -> TrainingResult:
    """The result of a training that has ended, with its best weights."""
    history = checkpoints.history
    if not group.broadcast(group.is_first and checkpoints.has_weights()):
        # All epochs were trained before, and best weights and best state were removed.
        checkpoints.best_entry = history.entries[-1]
        if group.is_first:
            checkpoints.save_weights(load_trained(str(config.resume)), checkpoints.best_entry)
    assert checkpoints.best_entry is not None
    if group.is_first:
        best = checkpoint.read_model(checkpoints.weights)
        # Again, now that the time of the whole training is known.
        checkpoints.save_weights(best, checkpoints.best_entry)
    else:
        best = build_model(config.model, data).eval()
    # The other processes may not see the folder of the first.
    best.load_state_dict(group.broadcast(best.state_dict()))
    return TrainingResult(
        model=best,
        run_dir=run_dir,
        history=history.entries,
        best_epoch=checkpoints.best_entry["epoch"],
        seconds=history.seconds,
        data=data,
        config=config,
    )
