"""`pixelcnn train`: trains a model, then evaluates it and samples from it."""

import argparse
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pixelcnn.cli.launch import launch
from pixelcnn.config import AUTO, FINDERS, Config, load_config, to_yaml
from pixelcnn.device import deterministic_algorithms, resolve_device
from pixelcnn.errors import ConfigError, EndedElsewhereError, PixelCNNError
from pixelcnn.files import provisional_folder
from pixelcnn.locks import locked_folder
from pixelcnn.logger import printable
from pixelcnn.processes import this_process
from pixelcnn.runs import (
    CONFIG_FILE,
    LAST_STATE,
    METRICS_FILE,
    STATES,
    held_training,
    is_state_of,
    run_folder,
)

if TYPE_CHECKING:
    from pixelcnn.training import TrainingResult


def run(args: argparse.Namespace) -> int:
    """Reads the settings, trains, and prints the metrics."""
    process = this_process()
    try:
        config = training_settings(args)
    except PixelCNNError:
        if process.local_rank:  # the first of this machine has read the same
            raise EndedElsewhereError from None
        raise
    if args.print_config:
        print(to_yaml(config) if process.is_first else "", end="")
        return 0
    if process.is_alone:
        return start(config, folder_of(config, args), args)
    # Here, because it brings PyTorch, and one process needs no others.
    from pixelcnn.training.distributed.process_group import process_group

    with process_group(config.device) as group:
        return start(config, group.run_on_first(lambda: folder_of(config, args)), args)


def folder_of(config: Config, args: argparse.Namespace) -> Path | None:
    """The run folder; None if it holds the finished training already."""
    name = Path(args.config).stem if args.config else args.preset or "run"
    folder = Path(config.out or f"runs/{name}-{datetime.now():%Y%m%d-%H%M%S}")
    if config.resume == AUTO and is_done(config, folder):
        print(printable(f"Nothing to do: {folder} holds the finished training."))
        return None
    goes_on = config.resume == AUTO or is_state_of(folder, config.resume)
    held = held_training(folder)
    if held and not (args.overwrite or goes_on):
        raise ConfigError(
            f"`{folder}` holds a training already ({held}). Choose another --out, continue it "
            f"with --resume, or replace it with --overwrite."
        )
    return folder


def start(config: Config, folder: Path | None, args: argparse.Namespace) -> int:
    """Trains here, or in several processes of this machine unless these run already."""
    if folder is None:
        return 0
    training = config.training
    if this_process().is_alone and training.num_nodes == 1 and training.num_devices > 1:
        # All of them read the same words, but must not each choose a folder.
        chosen = [] if config.out else ["--out", str(folder)]
        return launch([*args.words, *chosen], training.num_devices)
    train(config, folder, command=train_command(args.words))
    return 0


def training_settings(args: argparse.Namespace) -> Config:
    """The settings: a file, a preset or those of the run to continue; then what was typed."""
    if args.resume and args.overwrite:
        raise ConfigError(
            "`--resume` continues a training and `--overwrite` replaces it: leave out one."
        )
    given = {"seed": args.seed, "out": args.out, "device": args.device}
    words = [
        *args.settings,
        *(f"--{name}={value}" for name, value in given.items() if value is not None),
        *(f"--training.{name}=true" for name in FINDERS if getattr(args, name)),
    ]
    source, preset = args.config, args.preset
    if args.resume:
        source, more = resumed_settings(args, has_settings=bool(source or preset))
        words = [*words, *more]
    if source is None and preset is None and not args.settings:
        raise ConfigError(
            "A training needs settings, got none: name bundled ones by --preset, such as "
            "`pixelcnn train --preset digits`, or a file by --config."
        )
    config = load_config(source, words, preset=preset)
    if config.resume == AUTO and config.out is None:
        raise ConfigError("`--resume auto` needs `--out DIR`, the run folder to continue.")
    return config


def resumed_settings(
    args: argparse.Namespace, *, has_settings: bool
) -> tuple[str | Path | None, list[str]]:
    """The file with the settings of a run to continue, and further settings."""
    if args.resume == AUTO:
        own = Path(args.out or "", CONFIG_FILE)
        is_own = args.out is not None and not has_settings and own.is_file()
        return own if is_own else args.config, [f"--resume={AUTO}"]
    resume = Path(args.resume)
    resume = resume / LAST_STATE if resume.is_dir() else resume
    if has_settings:
        return args.config, [f"--resume={resume}"]
    folder = run_folder(resume)
    if folder is None and not resume.exists():
        raise ConfigError(
            f"There is no `{resume}` to continue from: name the checkpoints/last.ckpt of a "
            f"run, and its settings by --config if its config.yaml is elsewhere."
        )
    if folder is None:
        raise ConfigError(
            f"There is no {CONFIG_FILE} beside `{resume}`: name the settings that the "
            f"training began with by --config."
        )
    return folder / CONFIG_FILE, [f"--resume={resume}", f"--out={args.out or folder}"]


def is_done(config: Config, folder: Path) -> bool:
    """Whether a folder holds the finished training that these settings describe."""
    if not (folder / METRICS_FILE).is_file() or not (folder / CONFIG_FILE).is_file():
        return False
    ran, training = load_config(folder / CONFIG_FILE, []), config.training
    # Another network is another run, which resuming will refuse; and with more patience a training
    # that stopped early has epochs left.
    is_same = ran.model == config.model
    is_same &= ran.training.early_stopping_patience == training.early_stopping_patience
    return is_same and ran.training.max_epochs >= training.max_epochs


def train_command(words: Sequence[str]) -> str:
    """What was typed, as a shell takes it.

    Example:
        >>> train_command(["train", "--out", "two words"])
        "pixelcnn train --out 'two words'"
    """
    return shlex.join(["pixelcnn", *words])


def train(config: Config, folder: Path, *, command: str) -> None:
    """Trains, and prints the metrics; of many processes the first one prints.

    Args:
        config: The settings.
        folder: Folder of the run.
        command: What was typed.

    Raises:
        KeyboardInterrupt: After Ctrl-C, with how to continue as its message.
    """
    started = time.perf_counter()
    is_first = this_process().is_first
    with ExitStack() as stack:
        stack.enter_context(deterministic_algorithms(config.training.deterministic or None))
        with training_in(folder) if is_first else nullcontext(ExitStack()) as lock:
            result = fit_or_advise(config, folder, command)
            stack.push(lock.pop_all())  # until the evaluation ends
        if not is_first:
            return
        # Here, because charts and metrics take seconds to import.
        from pixelcnn.cli.outputs.console import print_lines
        from pixelcnn.cli.outputs.training_report import closing, finish

        result.model.to(resolve_device(config.device))
        try:
            metrics = finish(result, config, started=started)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped after the training, during the evaluation. Continue with: "
                f"pixelcnn train --resume auto --out {shlex.quote(str(folder))}"
            ) from None
    print_lines(*closing(folder, metrics, result.model.condition))


@contextmanager
def training_in(folder: Path) -> Iterator[ExitStack]:
    """Makes the folder of a run and locks it until the yielded stack is closed."""
    with provisional_folder(folder, keep=STATES.name), ExitStack() as lock:
        lock.enter_context(locked_folder(folder))
        yield lock


def fit_or_advise(config: Config, folder: Path, command: str) -> "TrainingResult":
    """Trains; after Ctrl-C or SIGTERM the message says how to continue."""
    # Here, so that wrong settings and folders are refused before Lightning is imported.
    from pixelcnn.training import train_pixelcnn

    try:
        return train_pixelcnn(
            config.model,
            config.training,
            config.data,
            logger_config=config.logger,
            sampling_config=config.sampling,
            evaluation_config=config.evaluation,
            out=folder,
            seed=config.seed,
            device=config.device,
            resume=config.resume,
            overwrite=True,  # `folder_of` has checked the folder
            command=command,
            shorten_warmup="--training.warmup_steps" not in command,  # then a file says it
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(continuing(folder)) from None
    except SystemExit:
        if this_process().is_first:
            print(printable(f"pixelcnn: {continuing(folder)}"), file=sys.stderr)
        raise


def continuing(folder: Path) -> str:
    """What to do after a training was stopped."""
    state = folder / LAST_STATE
    if not state.is_file():
        return "Stopped before the first epoch ended; there is nothing to continue."
    return f"Stopped. Continue with: pixelcnn train --resume {shlex.quote(str(state))}"
