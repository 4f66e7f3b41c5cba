"""The memory of a walk: of sampling, completing and coding."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pixelcnn.models import AutoregressiveModel
from pixelcnn.models.generation import sample_shape
from pixelcnn.nn import Cursor
from pixelcnn.walk import (
    CachedStepper,
    Precision,
    RoundedModel,
    SamplingOptions,
    in_precision,
    sampling_chooser,
    walk_rows,
)


@dataclass(frozen=True)
class WalkMemory:
    """Bytes that a walk keeps from one step to the next.

    Attributes:
        per_image: Features of each image of the batch.
        shared: Weights as the walk multiplies them, once, whatever the batch.
    """

    per_image: int
    shared: int

    def of(self, batch_size: int) -> int:
        """Bytes for a batch."""
        return self.shared + batch_size * self.per_image


def walk_memory(
    model: AutoregressiveModel,
    shape: tuple[int, ...] | None = None,
    *,
    precision: Precision = "float32",
) -> WalkMemory:
    """What a cached walk keeps, found by walking the first row of one image and of two.

    For images of H × W and layers of D features, float32 takes 4 bytes for each of

    * `PixelCNN`: (1 + r lag + r) (H + r) numbers for each feature read by a window that reaches r
      pixels, since several rows are under way at once. Nothing grows with H × W.
    * `GatedPixelCNN`, `PixelCNNPlusPlus`: the rows of each window, and what the rows above give to
      each layer, a few times W D. Nothing grows with H; a coarser level has fewer columns.
    * Attention: keys and values of all tokens, 2 H W D for each `CausalAttention`, and
      H W × heads × (key width + value width) for each of `PixelSNAIL`.
    * Conditions that are maps: H W D for each layer that reads them.

    Besides, a batch has its levels and its noise, 16 bytes for each sub-pixel, and what one step
    computes. Guided sampling walks twice.

    Args:
        model: Any architecture.
        shape: As `SamplingOptions`.
        precision: As `SamplingOptions`.

    Raises:
        ConfigError: If there is no such precision.
        ShapeError: If `shape` does not fit the model.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(num_classes=2, image_size=28)
        >>> walk_memory(model).of(256) < 64 * 2**20  # bytes
        True
        >>> walk_memory(model, precision="bf16").per_image * 2 == walk_memory(model).per_image
        True
    """
    options = SamplingOptions(shape=shape, precision=precision)
    walked = in_precision(model, options.precision)
    network = walked.network if isinstance(walked, RoundedModel) else model
    kept = []
    shape = sample_shape(model, options.shape)
    for batch_size in (1, 2):
        x, stepper = model.blank(batch_size, shape), CachedStepper(walked)
        rows = walk_rows(stepper, x, sampling_chooser(x, seed=0), cond=_any_condition(model, x))
        next(rows)  # after a row a walk has made all that it will ever keep
        kept.append(kept_bytes(stepper.cursor, network))
        rows.close()
    one, two = kept
    return WalkMemory(per_image=two - one, shared=2 * one - two)


def kept_bytes(cursor: Cursor, model: nn.Module) -> int:
    """Bytes of all tensors that the layers of a walk keep, but for the model's own weights.

    Tensors that share their memory count once.
    """
    own = {_address(tensor) for tensor in (*model.parameters(), *model.buffers())}
    sizes = {_address(tensor): tensor.untyped_storage().nbytes() for tensor in _tensors(cursor)}
    return sum(size for address, size in sizes.items() if address not in own)


def _any_condition(model: AutoregressiveModel, x: Tensor) -> Tensor | None:
    if model.condition.is_none:
        return None
    dtype = torch.int64 if model.condition.kind == "labels" else torch.float32
    return torch.zeros(model.condition.shape(x), dtype=dtype, device=x.device)


def _tensors(kept: Any) -> Iterator[Tensor]:
    """All tensors within what a layer keeps: containers, and objects of this package."""
    if isinstance(kept, Tensor):
        yield kept
    elif isinstance(kept, nn.Module):
        return  # the layer itself
    elif isinstance(kept, Mapping):
        for value in kept.values():
            yield from _tensors(value)
    elif isinstance(kept, list | tuple):
        for value in kept:
            yield from _tensors(value)
    elif hasattr(kept, "__dict__"):
        yield from _tensors(vars(kept))


def _address(tensor: Tensor) -> tuple[torch.device, int]:
    return tensor.device, tensor.untyped_storage().data_ptr()
