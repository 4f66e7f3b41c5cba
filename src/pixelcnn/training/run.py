"""One training from settings to a folder of results."""

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
from pixelcnn.config.images import load_images
from pixelcnn.data import DataSplits, RankSlice
from pixelcnn.device import deterministic_algorithms, resolve_device
from pixelcnn.errors import NotFiniteError
from pixelcnn.files import provisional_folder
from pixelcnn.locks import locked_folder
from pixelcnn.logger import lines_on_stderr, logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import CONFIG_FILE, STATES, load_trained, read_state
from pixelcnn.training.build import build_model
from pixelcnn.training.callbacks.checkpoints import RunCheckpoints, begin_folder, write_settings
from pixelcnn.training.callbacks.history import History
from pixelcnn.training.callbacks.signals import StopOnSignal
from pixelcnn.training.checkpoint_io import AtomicCheckpointIO
from pixelcnn.training.dataloaders import loaders
from pixelcnn.training.distributed.devices import spread
from pixelcnn.training.distributed.process_group import ProcessGroup, Vote, joined
from pixelcnn.training.environment import list_starts
from pixelcnn.training.loggers import check_loggers, open_loggers
from pixelcnn.training.module import PixelCNNTrainer
from pixelcnn.training.optimisation import check_warm_up, whole_steps
from pixelcnn.training.quiet import quiet_libraries
from pixelcnn.training.resume import check_fits, find_state
from pixelcnn.training.trainer import fit, make_trainer, observers
from pixelcnn.training.tuning.finders import settle


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


@named_arguments
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
    command: str | None = None,
) -> TrainingResult:
    """Trains a model and keeps the best one by validation NLL.

    Each section may be its dataclass, a dict of its fields, or None for the defaults.

    Progress is shown as a bar in a terminal, and elsewhere as lines of the logger "pixelcnn", which
    go to standard error unless a handler is set up. Ctrl-C writes `checkpoints/last.ckpt` and then
    raises `KeyboardInterrupt`. A resumed run ends with the same weights, bit by bit, as one that
    was never interrupted, on the same machine.

    Started as several processes by torchrun or SLURM, each calls this and trains on a part of
    every batch; the first one writes, and all get the result.

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
        resume: State to go on from: `checkpoints/last.ckpt` of a run. "auto": the newest state in
            `out` that is whole; a new start if there is none; and if all epochs are trained, what
            they left.
        command: What was typed to start this, for `environment.json`.

    Returns:
        The best model, and what is known about the run.

    Raises:
        ConfigError: If a setting is wrong, or does not fit the others or the data.
        DataError: If the images cannot be read.
        CheckpointError: If `resume` cannot be read or is of another model.
        OutputError: If `out` cannot be written, or another training is at work there.
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
    shown = nullcontext() if logger.hasHandlers() else lines_on_stderr()
    with shown, joined(config.device) as team:
        config = replace(config, training=resolve_precision(config.training, config.device))
        check_loggers(config.logger)
        config = spread(config, team.process)
        with folder_of_run(out) if team.is_first else nullcontext(Path(out)) as run_dir:
            chosen = team.first(lambda: find_state(resume, run_dir))
            config = replace(config, resume=None if chosen is None else str(chosen))
            may_be_finished = resume == AUTO
            model, data = team.together(lambda: prepare(config, may_be_finished=may_be_finished))
            with deterministic_algorithms(config.training.deterministic or None):
                config, settled = team.together(
                    lambda: settle(config, model, data, run_dir, is_auto=may_be_finished)
                )
                check_warm_up(config.training, whole_steps(len(data.train), config))
                starts = list_starts(config, run_dir, command=command, found=settled)
                return run(config, model, data, run_dir, team, starts)


def resolve_precision(config: TrainingConfig, device: str) -> TrainingConfig:
    """Replaces float16, which has no CPU kernels, by bfloat16 on a CPU, and says so."""
    if config.precision != "16-mixed" or resolve_device(device) != "cpu":
        return config
    logger.warning(
        "`training.precision` 16-mixed needs a GPU; training in bf16-mixed on this CPU instead."
    )
    return replace(config, precision="bf16-mixed")


@contextmanager
def folder_of_run(out: str | Path) -> Iterator[Path]:
    """The folder of a run, made if missing, for this process alone."""
    with provisional_folder(out, keep=STATES.name) as run_dir, locked_folder(run_dir):
        yield run_dir


def prepare(config: Config, *, may_be_finished: bool) -> tuple[AutoregressiveModel, DataSplits]:
    """The model to train, which fits the state to go on from if there is one, and the images."""
    state = None if config.resume is None else read_state(config.resume)
    data = load_images(config)
    torch.manual_seed(config.seed)
    model = build_model(config.model, data)
    if state is not None:
        path, count = Path(str(config.resume)), len(data.train)
        check_fits(path, state, model, config, num_images=count, may_be_finished=may_be_finished)
    return model, data


def run(
    config: Config,
    model: AutoregressiveModel,
    data: DataSplits,
    run_dir: Path,
    team: ProcessGroup,
    starts: Sequence[Mapping[str, Any]],
) -> TrainingResult:
    """Trains a model that is built, on data that is read."""
    part = RankSlice(team.process.rank, team.process.world_size)
    module = PixelCNNTrainer(model, config.training, seed=config.seed, part=part)
    history = History()
    card = {"dataset": config.data.dataset_name, "protocol": data.protocol, "seed": config.seed}
    keep = RunCheckpoints(run_dir, history, config.training, card=card)
    stop = StopOnSignal(keep, Vote(team))
    io = AtomicCheckpointIO(
        before_first=lambda: begin_folder(config, run_dir, starts, step=keep.began_at)
    )
    with quiet_libraries(), open_loggers(config, run_dir) as loggers:
        # Lightning calls the last two last, in this order: the state is saved before we stop.
        callbacks = [history, *observers(config, data, run_dir, history), keep, stop]
        trainer = make_trainer(config, run_dir, callbacks=callbacks, loggers=loggers, io=io)
        batches = loaders(config, data, part)
        if module.is_spread and config.resume is None:  # while each process has the whole model
            model.initialise(*module.split(batches[0].first_whole().to("cpu")))
        if team.is_first and not (run_dir / CONFIG_FILE).exists():
            write_settings(config, run_dir)  # for a run that is killed before its first state
        try:
            fit(trainer, module, batches, stop, config.resume)
        except NotFiniteError as error:
            raise NotFiniteError(f"{error} {keep.left()}") from error
    if module.settings != config.training:
        config = replace(config, training=module.settings)
        if team.is_first:
            write_settings(config, run_dir)
    return result_of(keep, config, data, run_dir, team)


def result_of(
    keep: RunCheckpoints, config: Config, data: DataSplits, run_dir: Path, team: ProcessGroup
) -> TrainingResult:
    """What a training that has ended leaves, with its best weights."""
    if not team.share(team.is_first and keep.has_weights()):
        # All epochs were trained before, and best weights and best state were taken away.
        keep.kept = keep.history.entries[-1]
        if team.is_first:
            keep.save_weights(load_trained(str(config.resume)), keep.kept)
    assert keep.kept is not None
    if team.is_first:
        best = checkpoint.read_model(keep.weights)
        # Again, now that it is known how long all of it took.
        keep.save_weights(best, keep.kept)
    else:
        best = build_model(config.model, data).eval()
    # The other processes may not see the folder of the first.
    best.load_state_dict(team.share(best.state_dict()))
    return TrainingResult(
        model=best,
        run_dir=run_dir,
        history=keep.history.entries,
        best_epoch=keep.kept["epoch"],
        seconds=keep.history.seconds,
        data=data,
        config=config,
    )
