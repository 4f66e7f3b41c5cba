"""No sub-pixel sees itself or its future, and every one sees the past that it claims to."""

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import ReceptiveField
from pixelcnn.order import RasterOrder, Site
from pixelcnn.walk import CachedStepper, walk
from tests.laws.zoo import condition_for, images_for

SIZE = (5, 13)  # wider than the receptive field, so that a blind spot has room


def features_to_params(model: AutoregressiveModel, features: Tensor, cond: Tensor | None) -> Tensor:
    """The forward as a function of what the network reads instead of levels. (B, P, H, W)."""
    hook = model.embed.register_forward_hook(lambda *_: features)
    try:
        blank = torch.zeros(len(features), model.in_channels, *SIZE, dtype=torch.int64)
        return model(blank, cond)
    finally:
        hook.remove()


def features_of(model: AutoregressiveModel, count: int) -> Tensor:
    features = model.embed(images_for(model, count, SIZE))
    return features.detach()


def predictions(model: AutoregressiveModel, params: Tensor) -> Tensor:
    """Parameters by the sub-pixel they predict. (B, H, W, groups, P / groups)."""
    batch, _, height, width = params.shape
    runs = params.permute(0, 2, 3, 1)
    return runs.reshape(batch, height, width, model.groups, -1)


def order_of(model: AutoregressiveModel) -> RasterOrder:
    """Raster order of what the network predicts: sub-pixels, or pixels if its head couples them."""
    return RasterOrder(model.groups, *SIZE)


def dependence(model: AutoregressiveModel) -> Tensor:
    """Largest derivative of each prediction by each thing read, both in raster order."""
    size = len(order_of(model))
    jacobian = torch.zeros(size, size, dtype=torch.float64)
    features = features_of(model, 16).requires_grad_()
    cond = condition_for(model, 16, SIZE)
    outputs = predictions(model, features_to_params(model, features, cond))
    weights = torch.randn(outputs.shape[-1], dtype=torch.float64)
    for row, output in enumerate((outputs @ weights).flatten(1).sum(0)):
        (gradient,) = torch.autograd.grad(output, features, retain_graph=True)
        runs = gradient.reshape(len(gradient), size, -1)  # (B, H × W × groups, features of each)
        jacobian[row] = runs.abs().amax((0, 2))
    return jacobian


def test_predictions_depend_on_the_stated_past_and_on_nothing_else(model):
    sees = dependence(model) > 0
    order, field = order_of(model), model.receptive_field()
    rows, columns = (torch.tensor([site[axis] for site in order]) for axis in (1, 2))
    for i, later in enumerate(order):
        stated = field.mask(later.row, later.column, *SIZE)[rows, columns]
        is_past = torch.tensor([order.precedes(earlier, later) for earlier in order])
        wrong = (sees[i] != (stated & is_past)).nonzero().flatten()
        assert len(wrong) == 0, f"{later} and {list(order)[wrong[0]]}"


def test_changing_a_level_changes_no_present_or_earlier_prediction(model):
    # The same law of levels instead of derivatives: it goes through the lookup of embeddings too.
    changes, order = RasterOrder(model.in_channels, *SIZE), order_of(model)
    x = images_for(model, 1, SIZE).repeat(len(changes) + 1, 1, 1, 1)
    for image, site in zip(x, changes, strict=False):
        image[site] = (image[site] + 1) % model.num_classes
    cond = condition_for(model, 1, SIZE)
    cond = None if cond is None else cond.expand(len(x), *cond.shape[1:])
    outputs = predictions(model, model(x, cond)).flatten(1, 3)
    moved = (outputs - outputs[-1]).abs().amax(2) > 1e-12  # (changes and none, predictions)
    for change, seen in zip(changes, moved[:-1].tolist(), strict=True):
        unseeing = order.index(change if model.groups > 1 else change._replace(channel=0)) + 1
        assert not any(seen[:unseeing]), f"{change} is seen by itself or before"
        at_the_end = unseeing > len(order) - model.groups  # few see it, through few features
        assert any(seen[unseeing:]) or at_the_end, f"nothing sees {change}"


def test_the_stated_field_bounds_its_offsets(model):
    field = model.receptive_field()
    assert min(row for row, _ in field.offsets) >= -field.rows_above
    assert min(column for _, column in field.offsets) >= -field.columns_left
    assert max(column for _, column in field.offsets) <= field.columns_right
    if field.spread is None:
        assert field[:3] == ReceptiveField.covering(field.offsets)[:3]


def test_a_poisoned_future_changes_no_prediction(model):
    # Huge numbers of both signs: a zero weight hides them but for rounding (which may differ with
    # the alignment of memory), any other lets them through.
    features, cond = features_of(model, 2), condition_for(model, 2, SIZE)
    clean = predictions(model, features_to_params(model, features, cond))
    order = order_of(model)
    for site in list(order)[:: max(1, len(order) // 20)]:
        poisoned = features.flatten(1).clone()
        start = order.index(site) * (poisoned.shape[1] // len(order))
        poisoned[0, start:], poisoned[1, start:] = 1e100, -1e100
        outputs = features_to_params(model, poisoned.view_as(features), cond)
        at = (slice(None), site.row, site.column, site.channel)
        seen = (predictions(model, outputs)[at] - clean[at]).abs().max()
        assert seen < 1e-12, f"{site} sees its future"


def test_nan_in_all_that_is_unknown_never_reaches_the_walk(model):
    x, cond = images_for(model, 2, SIZE), condition_for(model, 2, SIZE)
    known = torch.zeros_like(x, dtype=torch.bool)

    def poison(_module: object, arguments: tuple, features: Tensor | None) -> Tensor | None:
        newest = arguments[1].newest
        if newest is None:
            return features
        seen = newest.pixels_of(known)
        if model.groups > 1:
            seen = seen[:, :, newest.channel : newest.channel + 1]
        seen = seen.flatten(0, 1).repeat_interleave(features.shape[1] // seen.shape[2], 1)
        return features.masked_fill(~seen, float("nan"))

    def choose(logits: Tensor, front) -> Tensor:
        assert logits.isfinite().all(), f"an unknown sub-pixel reaches {front}"
        front.of(known).fill_(True)
        return front.of(x).flatten()

    hook = model.embed.register_forward_hook(poison)
    for wavefront in (False, True):
        known.zero_()
        walk(CachedStepper(model, wavefront=wavefront), x, choose, cond=cond)
    hook.remove()
    assert known.all()


def test_what_stands_in_unknown_places_does_not_matter(model):
    cond = condition_for(model, 2, SIZE)
    x = images_for(model, 2, SIZE)
    clean = model.site_log_prob(x, cond)
    for site in (Site(0, 0, 0), Site(model.in_channels - 1, 2, 5), Site(0, 4, 12)):
        changed = x.clone()
        order = RasterOrder(model.in_channels, *SIZE)
        for other in order:
            if order.precedes(site, other):
                at = (slice(None), *other)
                changed[at] = (changed[at] + 1) % model.num_classes
        at = (slice(None), *site)
        change = (model.site_log_prob(changed, cond)[at] - clean[at]).abs().max()
        assert change < 1e-12, f"{site} sees its future"
