"""What the state of a training says of itself, besides what Lightning keeps in it."""

from typing import Any

from pixelcnn.config import TrainingConfig
from pixelcnn.models import AutoregressiveModel
from pixelcnn.training.epoch_loader import EpochLoader

STATE_FORMAT = "pixelcnn-training/1"
REMEMBERED = ("optimizer", "schedule", "learning_rate")


def state_card(
    model: AutoregressiveModel,
    settings: TrainingConfig,
    loader: Any,
    *,
    seed: int,
    stopped_at: tuple[int, int],
) -> dict[str, Any]:
    """The card of a state.

    Args:
        model: What is trained.
        settings: How.
        loader: Its batches; only those of `EpochLoader` are described by more than their number.
        seed: Of the run.
        stopped_at: Epoch, from 0, and batches of it that are done.

    Returns:
        Plain types: what `pixelcnn.training.resume.check_fits` compares with what is asked for.
    """
    card = {
        "format": STATE_FORMAT,
        "model": model.name,
        "config": model.config,
        "names": model.condition.names,
        "seed": seed,
        "training": {name: getattr(settings, name) for name in REMEMBERED},
        "stopped_at": list(stopped_at),
        "batches_per_epoch": len(loader),
    }
    if isinstance(loader, EpochLoader):
        card |= {"images_per_epoch": loader.num_images_in_all, "batch_size": loader.batch_size}
    return card
