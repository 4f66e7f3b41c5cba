"""The negative log-likelihood of held-out images."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from pixelcnn.arguments import named_arguments
from pixelcnn.data import Conditions, ImageSet, batches
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.inference import densities, score_unconditionally
from pixelcnn.inference.query import Progress, check_nats, evaluating
from pixelcnn.inference.scoring import LABELS_SUMMED_OUT
from pixelcnn.metrics import bits_per_dim, bootstrap_interval, perplexity
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.spec import ImageSpec

Add: TypeAlias = Callable[[int], None]
"""Called with the number of images that one more pass has scored."""


@named_arguments
def evaluate(
    model: AutoregressiveModel,
    image_set: ImageSet,
    *,
    batch_size: int = 64,
    max_samples: int | None = None,
    sum_labels: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measures the negative log-likelihood of images, each counted once.

    Sums over images are divided by the number of images, so the result does not depend on
    `batch_size`.

    Args:
        model: Any architecture. Images are moved to its device; its mode is kept.
        image_set: A split of `load_data`.
        batch_size: Images per forward pass.
        max_samples: Use only the first so many images. None: all.
        sum_labels: Whether p(x) of a model of labels is also computed as a sum over its labels,
            which takes a pass over the images for each.
        progress: Called with the images scored so far, and all; each counts once for each pass.

    Returns:
        `nll_nats` per image with its standard error `nll_nats_stderr` over images,
        `bits_per_dim`, `perplexity` (both per sub-pixel), each with its 95 % bootstrap interval
        over images (`nll_nats_ci95` …); errors and intervals are None for one image.
        `num_images`, `num_dims`. These are metrics of p(x | label) where the model takes labels
        and the images have them (likewise attributes and maps), see `evaluated_density`.
        `nll_nats_without_label` … are those of p(x), for a model with `label_dropout` or with
        `sum_labels`: by the better of the ways that were computed, `density_without_label`.

    Raises:
        ConfigError: If the model needs a condition that the images do not have, or returns NaN,
            as after a training that diverged.
        ShapeError: If channels or levels do not fit the model.
    """
    check_fit(model, image_set)
    if max_samples is not None and max_samples < len(image_set):
        image_set = image_set.take(torch.arange(max_samples))
    ways: list[str] = []
    if has_condition(model, image_set) and (sum_labels or model.condition.is_optional):
        ways = [way for way in densities(model) if sum_labels or way != LABELS_SUMMED_OUT]
    done, total = 0, len(image_set) * (1 + sum(_passes(model, way) for way in ways))

    def add(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    num_dims = image_set.spec.num_dims
    metrics = nll_metrics(_nll(model, image_set, batch_size, add), num_dims)
    if ways:
        by_way = {way: _nll_without_label(model, image_set, way, batch_size, add) for way in ways}
        best = min(ways, key=lambda way: by_way[way].sum().item())
        values = nll_metrics(by_way[best], num_dims)
        metrics |= {f"{name}_without_label": value for name, value in values.items()}
        metrics["density_without_label"] = best
    return {**metrics, "num_images": len(image_set), "num_dims": num_dims}


def _passes(model: AutoregressiveModel, way: str) -> int:
    return model.num_labels or 1 if way == LABELS_SUMMED_OUT else 1


def _nll_without_label(
    model: AutoregressiveModel, image_set: ImageSet, way: str, batch_size: int, add: Add
) -> Tensor:
    """-log p(x) in nats, (N,), computed in one of the ways of `densities`."""
    parts = []
    for x, _ in batches(image_set, batch_size):
        parts.append(score_unconditionally(model, x, density=way, batch_size=batch_size).nats)
        add(len(x) * _passes(model, way))
    return torch.cat(parts)


def has_condition(model: AutoregressiveModel, image_set: ImageSet) -> bool:
    """Whether the images have what the model can be conditioned on."""
    return image_set.conditions.of(model.condition.kind) is not None


def evaluated_density(model: AutoregressiveModel, image_set: ImageSet) -> str:
    """Which probability `evaluate` measures: "p(x)", "p(x | label)", "p(x | attributes)" …"""
    return density_name(model.condition.kind if has_condition(model, image_set) else None)


def density_name(kind: str | None) -> str:
    """The name of the probability of an image given a kind of condition, or given nothing.

    Example:
        >>> density_name("labels"), density_name(None)
        ('p(x | label)', 'p(x)')
    """
    given = {"labels": "label", "attributes": "attributes", "maps": "map"}
    return "p(x)" if kind is None else f"p(x | {given[kind]})"


def nll_metrics(nll: Tensor, num_dims: int) -> dict[str, Any]:
    """NLL, bits/dim and perplexity, with their errors, of the NLL of each image in nats (N,)."""
    nll_nats = nll.mean().item()
    # One image does not show how much others differ.
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


def _nll(model: AutoregressiveModel, image_set: ImageSet, batch_size: int, add: Add) -> Tensor:
    """-log p of each image in nats, given its condition if it has one. (N,), float64, on the CPU.

    Raises:
        ConfigError: If any of them is NaN.
    """
    parts = []
    with evaluating(model):
        for x, conditions in batches(image_set, batch_size):
            cond = conditions.of(model.condition.kind)
            parts.append(-model.log_prob(x.to(model.device), cond))
            add(len(x))
    # In double precision: a float32 sum over many images would lose digits that are reported.
    nats = torch.cat(parts).cpu().double()
    check_nats(nats)
    return nats


def check_fit(model: AutoregressiveModel, image_set: ImageSet) -> None:
    """Raises unless the model can score these images with their conditions."""
    check_spec(model, image_set.spec)
    check_image_conditions(model.condition, image_set.conditions)


def check_spec(model: AutoregressiveModel, spec: ImageSpec) -> None:
    """Raises `ShapeError` unless the model is of as many levels and channels."""
    if (spec.channels, spec.levels) != (model.in_channels, model.num_classes):
        raise ShapeError(
            f"The model scores images of {model.num_classes} levels in {model.in_channels} "
            f"channel{'' if model.in_channels == 1 else 's'}, got {spec.levels} levels in "
            f"{spec.channels}. "
            f"Load the data as the model was trained: `data.levels`, `data.binarization`."
        )


def check_image_conditions(condition: Condition, conditions: Conditions) -> None:
    """Raises `ConfigError` unless images have what the model must be conditioned on."""
    kind, values = condition.kind, conditions.of(condition.kind)
    if kind is None or (values is None and condition.is_optional):
        return
    if values is None:
        others = f" (but {' and '.join(conditions.kinds)})" if conditions.kinds else ""
        advice = " `pixelcnn score` sums over its labels." if kind == "labels" else ""
        raise ConfigError(
            f"The model is conditioned on {condition.count} {kind}, but the images have none"
            f"{others}.{advice}"
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
