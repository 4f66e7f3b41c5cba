"""What a model is worth on images it has not seen."""

import math

import torch
from torch import Tensor

from pixelcnn.data import ImageSet, batches
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.metrics import bits_per_dim, perplexity
from pixelcnn.models import AutoregressiveModel


@torch.no_grad()
def evaluate(
    model: AutoregressiveModel,
    image_set: ImageSet,
    *,
    batch_size: int = 256,
    max_samples: int | None = None,
) -> dict[str, float | int]:
    """Measures the negative log-likelihood of images, each counted once.

    Sums over images are divided by the number of images, so that the result does not depend on
    `batch_size`, whatever is left for the last batch.

    Args:
        model: Moved nowhere: images come to its device. It is left in the mode it was in.
        image_set: A split of `load_data`.
        batch_size: Images per forward pass.
        max_samples: Use only the first so many images. None: all.

    Returns:
        `nll_nats` per image with its standard error `nll_nats_stderr` over images,
        `bits_per_dim`, `perplexity` (both per sub-pixel), `num_images`, `num_dims`.

    Raises:
        ConfigError: If the model needs labels that the images do not have.
        ShapeError: If channels or levels do not fit the model.
    """
    check_fit(model, image_set)
    if max_samples is not None and max_samples < len(image_set):
        image_set = image_set.take(torch.arange(max_samples))
    num_dims, num_images = image_set.spec.num_dims, len(image_set)
    nll = -log_probs(model, image_set, batch_size=batch_size)
    nll_nats = nll.mean().item()
    return {
        "nll_nats": nll_nats,
        "nll_nats_stderr": nll.std().item() / math.sqrt(num_images) if num_images > 1 else 0.0,
        "bits_per_dim": bits_per_dim(nll_nats, num_dims),
        "perplexity": perplexity(nll_nats, num_dims),
        "num_images": num_images,
        "num_dims": num_dims,
    }


def log_probs(model: AutoregressiveModel, image_set: ImageSet, *, batch_size: int) -> Tensor:
    """Log-probability of every image in nats, in eval mode. Shape: (N,), float64, on the CPU."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        parts = []
        for x, labels in batches(image_set, batch_size):
            cond = None
            if model.num_labels is not None and labels is not None:
                cond = labels.to(device)
            parts.append(model.log_prob(x.to(device), cond))
    finally:
        model.train(was_training)
    # In double precision: a float32 sum over many images would lose digits that we report.
    return torch.cat(parts).cpu().double()


def check_fit(model: AutoregressiveModel, image_set: ImageSet) -> None:
    """Raises unless the model can score these images."""
    spec = image_set.spec
    if (spec.channels, spec.levels) != (model.in_channels, model.num_classes):
        raise ShapeError(
            f"The model scores images of {model.in_channels} channels and {model.num_classes} "
            f"levels, got {spec.channels} channels and {spec.levels} levels. "
            f"Load the data as the model was trained: `data.levels`, `data.binarization`."
        )
    if model.num_labels is None:
        return
    if image_set.labels is None:
        if model.condition.is_optional:
            return
        raise ConfigError(
            f"The model is conditioned on {model.num_labels} labels, but the images have none."
        )
    if int(image_set.labels.max()) >= model.num_labels:
        raise ConfigError(
            f"Labels must be below the model's {model.num_labels}, "
            f"got {int(image_set.labels.max())}."
        )
