"""Reads the batches of any loader: ours, and those of a plain `DataLoader`."""

from typing import Any

from pixelcnn.data import Batch
from pixelcnn.data.batches import as_batch
from pixelcnn.errors import DataError
from pixelcnn.logger import logger
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import FloatReader


class BatchReader:
    """Turns images, or pairs of images and labels, into levels that are checked.

    Args:
        model: Its levels and its kind of condition say how to read them.
    """

    def __init__(self, model: AutoregressiveModel) -> None:
        self.model = model
        self.read_floats = FloatReader(model.num_classes)
        self._logged: str | None = None

    def __call__(self, batch: Any) -> Batch:
        """Returns a batch of levels. Our own loaders, whose images are checked, pass through.

        Raises:
            DataError: If the batch is neither images nor a pair, or lacks the condition.
            ShapeError: If the images are not levels of the model, or the labels do not fit.
        """
        if isinstance(batch, Batch):
            return batch
        kind = self.model.condition.kind
        found = as_batch(batch, kind)
        found = found._replace(x=self.read_floats(found.x).long())
        cond = found.conditions.of(kind)
        if kind is not None and cond is None:
            raise DataError(
                f"The model is conditioned on {kind}, but the loader yields images alone. Yield "
                f"pairs of images and {kind}, or build the model without them."
            )
        self.model.check(found.x, cond, name="images")
        if self.read_floats.protocol != self._logged:
            self._logged = self.read_floats.protocol
            logger.info(f"Images: {self._logged}.")
        return found
