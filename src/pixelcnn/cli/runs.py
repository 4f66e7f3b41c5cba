"""Finding a trained model: a run folder, a model file, or the state of a training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import load, read_card
from pixelcnn.errors import CheckpointError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.weights import find_weights, known_weights, list_weights

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.yaml"
LAST_STATE = Path("checkpoints", "last.ckpt")


@dataclass(frozen=True)
class Run:
    """A trained model and what is known about it.

    Attributes:
        model: In evaluation mode.
        file: Where its weights came from.
        folder: The run folder around it, or None for a lone file.
        training: What its training wrote about itself; empty if nothing.
    """

    model: AutoregressiveModel
    file: Path
    folder: Path | None
    training: dict[str, Any]


def open_run(path: str, *, device: str = "cpu") -> Run:
    """Loads the model of a run folder, of a `.safetensors` or `.ckpt` file, or of the package.

    Args:
        path: As `find_model`.
        device: Where the weights go.

    Raises:
        CheckpointError: If there is none, or it cannot be read.
        ConfigError: If the device is not there.
    """
    file = find_model(path)
    folder = run_folder(file)
    if file.suffix == ".ckpt":
        # Here, because it brings Lightning, which the other two do without.
        from pixelcnn.training import load_trained

        return Run(load_trained(file).to(device), file, folder, {})
    return Run(load(file, device=device), file, folder, read_card(file)["training"])


def find_model(run: str) -> Path:
    """The file that holds the weights of a run.

    Args:
        run: A run folder or a model file; or, where neither exists, the name of a model that comes
            with the package.

    Raises:
        CheckpointError: If there is none.
    """
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
    hides = f" It hides the model {run!r} of the package." if run in list_weights() else ""
    raise CheckpointError(
        f"`{path}` holds no {MODEL_FILE}. Name a folder that a training wrote.{hides}"
    )


def run_folder(file: Path) -> Path | None:
    """The run folder that a model or checkpoint file stands in, known by its settings."""
    folder = file.parent.parent if file.suffix == ".ckpt" else file.parent
    return folder if (folder / CONFIG_FILE).is_file() else None
