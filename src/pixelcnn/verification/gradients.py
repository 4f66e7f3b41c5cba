"""What predictions depend on, by gradients with respect to the network's input."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import RasterOrder, Site
from pixelcnn.verification.inputs import VerificationInputs, describe_sites
from pixelcnn.verification.report import Check


@dataclass
class Dependencies:
    """What the checked predictions depend on.

    Attributes:
        largest_ahead: Largest gradient of a prediction by its own sub-pixel or a later one.
        num_outside: Pairs of a prediction and an earlier input outside of its receptive field
            that it depends on.
        num_inside: Pairs of a prediction and a pixel inside of its receptive field.
        num_used: Of these, those where the prediction depends on the pixel.
        colours: For each pair of a colour and an earlier one, the pixels where the first depends
            on the second.
    """

    largest_ahead: float = 0.0
    num_outside: int = 0
    num_inside: int = 0
    num_used: int = 0
    colours: dict[tuple[int, int], int] = field(default_factory=dict)


def check_gradients(inputs: VerificationInputs) -> Iterator[Check]:
    """The checks that gradients allow, each site on one image.

    Levels are integers, so gradients are taken by what the network computes from them first, the
    output of `model.embed`. A masked weight, and a token that attention may not see, give a
    gradient of exactly zero, so the limit is zero.
    """
    model = inputs.model
    order = RasterOrder(model.groups, *inputs.size)
    sites = inputs.sites(order, passes=2)
    found = find_dependencies(inputs, order, sites)
    # A head that couples the colours takes whole pixels from the network.
    what = "sub-pixels" if model.groups == model.in_channels else "pixels"
    scope = f"{describe_sites(sites, order, what)}, each in one of {len(inputs.x)} images"
    is_sample = len(sites) < len(order)
    yield Check(
        "causality_gradients",
        f"No prediction depends on its own {what[:-1]} or on a later one.",
        found.largest_ahead,
        0.0,
        f"largest gradient by the own {what[:-1]} or a later one",
        scope,
        is_sample,
    )
    used = found.num_used / max(1, found.num_inside)
    reach = "all earlier pixels" if model.receptive_field().sees_all_past else "the field"
    yield Check(
        "receptive_field",
        "No prediction depends on a pixel outside of the stated receptive field.",
        float(found.num_outside),
        0.0,
        "pairs of a prediction and an input outside of its field that it depends on",
        f"{scope}; predictions depend on {used:.1%} of {reach}",
        is_sample,
    )
    if model.groups > 1:
        yield Check(
            "colour_order",
            "Every colour depends on the earlier colours of its pixel.",
            float(min(found.colours.values(), default=0)),
            1.0,
            "pixels where a colour depends on an earlier one, for the pair with the fewest",
            scope,
            is_sample,
            is_minimum=True,
        )


def find_dependencies(
    inputs: VerificationInputs, order: RasterOrder, sites: list[Site]
) -> Dependencies:
    """Takes the gradients of the predictions at sites by all inputs."""
    model, field = inputs.model, inputs.model.receptive_field()
    found = Dependencies(colours={(g, e): 0 for g in range(model.groups) for e in range(g)})
    places = torch.arange(len(order), device=inputs.x.device)
    for part, x, cond in inputs.batches(sites):
        gradients = input_gradients(model, x, cond, part, order)
        own = torch.tensor([order.index(site) for site in part], device=x.device)
        ahead = places >= own[:, None]
        # Times zero, and not replaced by it: NaN anywhere must not count as zero.
        found.largest_ahead = _larger(found.largest_ahead, gradients.where(ahead, gradients * 0))
        seen = ((gradients > 0) & ~ahead).view(len(part), order.height, order.width, -1).cpu()
        for site, one in zip(part, seen, strict=True):
            inside = field.mask(site.row, site.column, order.height, order.width)
            _count(found, site, one, inside)
    return found


def input_gradients(
    model: AutoregressiveModel,
    x: Tensor,
    cond: Tensor | None,
    sites: list[Site],
    order: RasterOrder,
) -> Tensor:
    """Gradients of the prediction at one site of each image by all that the network reads.

    Args:
        model: In evaluation mode.
        x: Images. (B, C, H, W).
        cond: Their conditions.
        sites: B of them.
        order: Raster order of what is predicted: G × H × W groups.

    Returns:
        Magnitudes, the largest over the features of each input; NaN if the network does not read
        through `model.embed`. (B, G × H × W), in raster order.
    """
    features = model.embed(x).detach().requires_grad_()
    hook = model.embed.register_forward_hook(lambda *_: features)
    try:
        with torch.enable_grad():
            params = model(x, cond).permute(0, 2, 3, 1).flatten(1, 2)
            runs = params.unflatten(2, (order.channels, -1)).flatten(1, 2)
            predicted = runs[torch.arange(len(x)), [order.index(site) for site in sites]]
            # One random sum of them: dependences cancel with probability zero.
            weights = torch.randn(predicted.shape[1], generator=torch.Generator().manual_seed(0))
            total = (predicted * weights.to(predicted)).sum()
            (gradient,) = torch.autograd.grad(total, features, allow_unused=True)
    finally:
        hook.remove()
    if gradient is None:
        return torch.full((len(x), len(order)), float("nan"), device=x.device)
    return gradient.abs().reshape(len(x), len(order), -1).amax(2)


def _count(found: Dependencies, site: Site, seen: Tensor, inside: Tensor) -> None:
    """Adds what one site depends on, (H, W, G), to the counts."""
    found.num_outside += int((seen & ~inside[:, :, None]).sum())
    possible = inside.clone()
    possible[site.row, site.column] &= site.channel > 0
    found.num_inside += int(possible.sum())
    found.num_used += int((seen.any(2) & possible).sum())
    for earlier in range(site.channel):
        pair = site.channel, earlier
        found.colours[pair] += int(seen[site.row, site.column, earlier])


def _larger(largest: float, values: Tensor) -> float:
    """The largest so far; NaN once there was one."""
    return float(torch.maximum(values.amax(), values.new_tensor(largest)))
