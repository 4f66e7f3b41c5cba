"""Run folders: where they are, their model, settings, metrics and history."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import read_card
from pixelcnn.config import Config, load_config
from pixelcnn.errors import CheckpointError, ConfigError, DataError, clipped
from pixelcnn.files import parse_object, read_json
from pixelcnn.weights import find_weights, known_weights, list_weights

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.yaml"
METRICS_FILE = "metrics.json"
ENVIRONMENT_FILE = "environment.json"
STATES = Path("checkpoints")
LAST_STATE, BEST_STATE = STATES / "last.ckpt", STATES / "best.ckpt"
LOGS = "logs/version_*/metrics.csv"


def find_model(run: str | Path) -> Path:
    """The file that holds the weights of a run.

    Args:
        run: A run folder or a model file; or, where neither exists, the name of a bundled model.

    Raises:
        CheckpointError: If there is none.

    Example:
        >>> find_model("digits").name
        'digits.safetensors'
    """
    if not isinstance(run, str | Path) or run == "":
        raise CheckpointError(
            f"A model is a run folder, a model file or the name of a bundled model, got "
            f"{clipped(run)}. {known_weights()}"
        )
    path = find_weights(run)
    if not path.exists():
        raise CheckpointError(
            f"There is no `{path}`. Name a run folder or a model file. {known_weights()}"
        )
    if not path.is_dir():
        return path
    if (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    if (path / LAST_STATE).is_file():
        raise CheckpointError(
            f"`{path}` holds no {MODEL_FILE}: its training has not ended. "
            f"Name `{path / LAST_STATE}` to use what is there."
        )
    hides = f" It hides the bundled model {str(run)!r}." if str(run) in list_weights() else ""
    raise CheckpointError(
        f"`{path}` holds no {MODEL_FILE}. Name a folder that a training wrote.{hides}"
    )


def run_folder(file: Path) -> Path | None:
    """The run folder of a model file or state, known by its settings; None for a lone file."""
    folder = file.parent.parent if file.suffix == ".ckpt" else file.parent
    return folder if (folder / CONFIG_FILE).is_file() else None


def is_state_of(folder: Path, state: str | None) -> bool:
    """Whether a file is one of the states of a run folder. None is not.

    Example:
        >>> is_state_of(Path("runs/a"), "runs/a/../a/checkpoints/step-40.ckpt")
        True
    """
    if state is None:
        return False
    return Path(state).resolve().parent == (folder / STATES).resolve()


def held_training(folder: Path) -> str | None:
    """The file that shows that a folder holds a training; None if it holds none."""
    files = (str(file) for file in (MODEL_FILE, LAST_STATE))
    return next((file for file in files if (folder / file).exists()), None)


def list_runs(folder: str | Path) -> list[Path]:
    """The run folders inside a folder that hold a model, the newest first.

    Args:
        folder: Such as "runs". One that does not exist holds none.

    Example:
        >>> list_runs("no-such-folder")
        []
    """
    files = Path(folder).glob(f"*/{MODEL_FILE}")
    # By name where two have the same time, as copies do.
    newest = sorted(files, key=lambda file: (-file.stat().st_mtime, str(file)))
    return [file.parent for file in newest]


def own_data(file: Path) -> list[str]:
    """The data set that the card of a lone model file names, as those of bundled models do.

    Returns:
        Settings for `pixelcnn.config.load_config`, such as `--data.dataset_name=mnist`.
    """
    if file.suffix == ".ckpt":
        return []
    return [f"--data.{name}={value}" for name, value in _of_card(file, "data").items()]


def config_of(file: Path) -> Config:
    """The settings of the run around a model file, or those that its card names.

    Raises:
        ConfigError: If neither names a data set.
        CheckpointError: If the file cannot be read.

    Example:
        >>> config_of(find_model("digits")).data.dataset_name
        'digits'
    """
    folder = run_folder(file)
    if folder is not None:
        return load_config(folder / CONFIG_FILE, [])
    own = own_data(file)
    if not own:
        raise ConfigError(
            f"There is no {CONFIG_FILE} beside `{file.name}`, and its card names no images: "
            f"nothing says which test images it is for."
        )
    return load_config(None, own)


def recorded_metrics(file: Path) -> dict[str, Any]:
    """The metrics of a model: those in metrics.json of its run, else those in its card.

    Returns:
        Metrics with their protocol; empty where there are none, and for a state within a training.

    Raises:
        DataError: If metrics.json is damaged.

    Example:
        >>> recorded_metrics(find_model("digits"))["split"]
        'test'
    """
    if file.suffix == ".ckpt":
        return {}
    folder = run_folder(file)
    if folder is not None and (folder / METRICS_FILE).is_file():
        try:
            return parse_object(read_json(folder / METRICS_FILE))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{folder / METRICS_FILE} cannot be read: {error}. `pixelcnn evaluate` measures "
                f"them again."
            ) from error
    return _of_card(file, "figures")


def read_starts(folder: Path) -> list[dict[str, Any]]:
    """When, where and with which command a run was started, the latest last.

    Returns:
        Entries as `pixelcnn.training.environment` writes them; none if there is no such file.

    Raises:
        DataError: If the file is damaged.
    """
    path = folder / ENVIRONMENT_FILE
    if not path.is_file():
        return []
    try:
        starts = read_json(path)["starts"]
        return [parse_object(start) for start in starts]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Remove it to continue.") from error


def history_of(file: Path) -> list[dict[str, float]]:
    """NLL and learning rate of every epoch, as the run's CSV log holds them.

    Returns:
        `epoch` from 1 with `train_nll`, `val_nll` and the last `learning_rate` that was logged, as
        `pixelcnn.charts.curves.curves_figure` takes it; empty where there is no log. A resumed run
        has several: the last says what counts.

    Raises:
        DataError: If a log is damaged.
    """
    folder = run_folder(file)
    if folder is None:
        return []
    entries: dict[int, dict[str, float]] = {}
    for log in sorted(folder.glob(LOGS), key=lambda p: p.stat().st_mtime):
        try:
            with log.open(newline="", encoding="utf-8") as lines:
                for epoch, metrics in _logged(lines):
                    entries.setdefault(epoch, {}).update(metrics)
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise DataError(
                f"{log} cannot be read: {error}. Remove it to continue without its curves."
            ) from error
    return [{"epoch": epoch, **entries[epoch]} for epoch in sorted(entries)]


def _of_card(file: Path, name: str) -> dict[str, Any]:
    """What the training wrote into the card of a model under a name; empty if nothing."""
    try:
        return parse_object(read_card(file)["training"].get(name) or {})
    except ValueError as error:
        raise CheckpointError(
            f"{file} has a damaged card (its `{name}`: {error}). Copy it again."
        ) from error


def _logged(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, float]]]:
    """Epochs from 1 and the metrics of each line of a log."""
    rate: dict[str, float] = {}
    for row in csv.DictReader(lines):
        rates = [row[key] for key in row if str(key).startswith("lr-") and row[key]]
        if rates:
            rate = {"learning_rate": float(rates[0])}
        metrics = {key: float(row[key]) for key in ("train_nll", "val_nll") if row.get(key)}
        if metrics:
            yield int(row["epoch"]) + 1, metrics | rate
