"""How probable a model finds images that it has not seen."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pixelcnn.data import Conditions, ImageSet, batches
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference.query import check_nats
from pixelcnn.metrics import bits_per_dim, bootstrap_interval, perplexity
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.spec import ImageSpec


@torch.no_grad()
def evaluate(
    model: AutoregressiveModel,
    image_set: ImageSet,
    *,
    batch_size: int = 64,
    max_samples: int | None = None,
) -> dict[str, Any]:
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
        `bits_per_dim`, `perplexity` (both per sub-pixel), each with the 95 % bootstrap interval
        over images `nll_nats_ci95` and so on, all of which are None for one image alone;
        `num_images`, `num_dims`. They are those of
        p(x | label) where the model takes labels and the images have them (likewise for
        attributes and maps), see `density_of`. A model that also serves without labels is then
        measured without them, too: `nll_nats_without_label` and so on are those of p(x).

    Raises:
        ConfigError: If the model needs a condition that the images do not have, or gives NaN, as
            one that has diverged does.
        ShapeError: If channels or levels do not fit the model.
    """
    check_fit(model, image_set)
    if max_samples is not None and max_samples < len(image_set):
        image_set = image_set.take(torch.arange(max_samples))
    num_dims = image_set.spec.num_dims
    figures = figures_of(-log_probs(model, image_set, batch_size=batch_size), num_dims)
    if is_told(model, image_set) and model.condition.is_optional:
        nll = -log_probs(model, image_set, batch_size=batch_size, with_condition=False)
        without = figures_of(nll, num_dims)
        figures |= {f"{name}_without_label": figure for name, figure in without.items()}
    return {**figures, "num_images": len(image_set), "num_dims": num_dims}


def is_told(model: AutoregressiveModel, image_set: ImageSet) -> bool:
    """Whether the model is told the labels, attributes or maps of these images."""
    return image_set.conditions.of(model.condition.kind) is not None


def density_of(model: AutoregressiveModel, image_set: ImageSet) -> str:
    """Which probability `evaluate` measures: "p(x)", "p(x | label)", "p(x | attributes)" …"""
    return density_given(model.condition.kind if is_told(model, image_set) else None)


def density_given(kind: str | None) -> str:
    """The probability of an image that comes with its labels, attributes or maps, or with nothing.

    Example:
        >>> density_given("labels"), density_given(None)
        ('p(x | label)', 'p(x)')
    """
    told = {"labels": "label", "attributes": "attributes", "maps": "map"}
    return "p(x)" if kind is None else f"p(x | {told[kind]})"


def figures_of(nll: Tensor, num_dims: int) -> dict[str, Any]:
    """Mean and standard error over images of their NLL in nats (N,), and what follows from it."""
    nll_nats = nll.mean().item()
    # One image alone does not say how much others differ.
    interval = list(bootstrap_interval(nll)) if len(nll) > 1 else None

    def ends(unit: Callable[[float, int], float]) -> list[float] | None:
        return interval and [unit(end, num_dims) for end in interval]

    return {
        "nll_nats": nll_nats,
        "nll_nats_stderr": nll.std().item() / math.sqrt(len(nll)) if interval else None,
        "nll_nats_ci95": interval,
        "bits_per_dim": bits_per_dim(nll_nats, num_dims),
        "bits_per_dim_ci95": ends(bits_per_dim),
        "perplexity": perplexity(nll_nats, num_dims),
        "perplexity_ci95": ends(perplexity),
    }


def log_probs(
    model: AutoregressiveModel, image_set: ImageSet, *, batch_size: int, with_condition: bool = True
) -> Tensor:
    """Log-probability of every image in nats, in eval mode.

    Args:
        model: Any architecture.
        image_set: A split of `load_data`.
        batch_size: Images per forward pass.
        with_condition: Whether a conditional model is told what is known of the images.

    Returns:
        Shape: (N,), float64, on the CPU.

    Raises:
        ConfigError: If any of them is NaN.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        parts = []
        for x, conditions in batches(image_set, batch_size):
            cond = conditions.of(model.condition.kind) if with_condition else None
            parts.append(model.log_prob(x.to(device), cond))
    finally:
        model.train(was_training)
    # In double precision: a float32 sum over many images would lose digits that we report.
    nats = torch.cat(parts).cpu().double()
    check_nats(nats)
    return nats


def check_fit(model: AutoregressiveModel, image_set: ImageSet) -> None:
    """Raises unless the model can score these images, with what is known of them."""
    check_spec(model, image_set.spec)
    check_condition(model.condition, image_set.conditions)


def check_spec(model: AutoregressiveModel, spec: ImageSpec) -> None:
    """Raises `ShapeError` unless the model is of as many levels and channels."""
    if (spec.channels, spec.levels) != (model.in_channels, model.num_classes):
        raise ShapeError(
            f"The model scores images of {model.num_classes} levels in {model.in_channels} "
            f"channel{'' if model.in_channels == 1 else 's'}, got {spec.levels} levels in "
            f"{spec.channels}. "
            f"Load the data as the model was trained: `data.levels`, `data.binarization`."
        )


def check_condition(condition: Condition, conditions: Conditions) -> None:
    """Raises `ConfigError` unless images come with what the model is conditioned on."""
    kind, values = condition.kind, conditions.of(condition.kind)
    if kind is None or (values is None and condition.is_optional):
        return
    if values is None:
        others = f" (but {' and '.join(conditions.kinds)})" if conditions.kinds else ""
        raise ConfigError(
            f"The model is conditioned on {condition.count} {kind}, but the images have none"
            f"{others}."
        )
    if kind == "labels" and int(values.max()) >= condition.count:
        raise ConfigError(
            f"Labels must be below the model's {condition.count}, got {int(values.max())}."
        )
    if kind != "labels" and values.shape[1] != condition.count:
        raise ConfigError(
            f"The model is conditioned on {condition.count} {kind}, but the images have "
            f"{values.shape[1]}."
        )
