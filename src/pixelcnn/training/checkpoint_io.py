"""How Lightning writes and reads the state of a training, and what the state says of itself."""

import io
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from pixelcnn.config import TrainingConfig
from pixelcnn.files import atomic_write
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs.state import STATE_FORMAT, add_checksum, read_state
from pixelcnn.training.loaders import EpochLoader


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes to a temporary file and renames it; reads tensors and plain types only.

    Args:
        before_first: Called once, before the first state is written.
    """

    def __init__(self, before_first: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.before_first = before_first

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        # Through memory: PyTorch reports a full disk as a RuntimeError without a reason.
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        if self.before_first is not None:
            self.before_first()
            self.before_first = None
        with atomic_write(path) as temporary:
            temporary.write_bytes(add_checksum(buffer.getvalue()))

    def load_checkpoint(
        self, path: Any, map_location: Any = "cpu", weights_only: bool | None = None
    ) -> dict[str, Any]:
        return read_state(path)


def state_card(
    model: AutoregressiveModel,
    settings: TrainingConfig,
    loader: Any,
    *,
    seed: int,
    stopped_at: tuple[int, int],
) -> dict[str, Any]:
    """What a state says of itself; `stopped_at` is an epoch, from 0, and its batches that are done.

    Returns:
        Plain types: what `pixelcnn.training.resume.check_fits` compares with the settings.
    """
    card = {
        "format": STATE_FORMAT,
        "model": model.name,
        "config": model.config,
        "names": model.condition.names,
        "seed": seed,
        "training": asdict(settings),
        "stopped_at": list(stopped_at),
    }
    if isinstance(loader, EpochLoader):
        card["batches_per_epoch"] = len(loader)
        card["images_per_epoch"] = loader.total_images
        card["batch_size"] = loader.batch_size
    return card
