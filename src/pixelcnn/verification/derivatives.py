"""What predictions depend on, by derivatives with respect to what the network reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import ReceptiveField
from pixelcnn.order import RasterOrder, Site
from pixelcnn.verification.checks import Line
from pixelcnn.verification.inputs import VerificationInputs, said


@dataclass
class Sight:
    """What predictions were seen to depend on.

    Attributes:
        largest_ahead: Largest derivative of a prediction by its own sub-pixel or a later one.
        num_outside: Pairs of a prediction and an earlier thing read, seen though not stated.
        num_stated: Pairs of a prediction and a pixel that are stated.
        num_used: Of these, how many were seen.
        colours: For each pair of a colour and an earlier one, pixels where the first sees the
            second.
    """

    largest_ahead: float = 0.0
    num_outside: int = 0
    num_stated: int = 0
    num_used: int = 0
    colours: dict[tuple[int, int], int] = field(default_factory=dict)


def derivatives(subject: VerificationInputs) -> Iterator[Line]:
    """The lines that derivatives tell, each site's on an image of its own.

    Levels are integers, so derivatives are taken by what the network reads instead of them: by
    `model.embed`. A weight that a mask hides, and a token that attention may not see, give a
    derivative of exactly zero, so the limit is zero.
    """
    model = subject.model
    order = RasterOrder(model.groups, *subject.size)
    sites = subject.sites(order, passes=2)
    sight = look(subject, order, sites)
    # A head that couples the colours takes whole pixels from the network.
    what = "sub-pixels" if model.groups == model.in_channels else "pixels"
    looked_at = f"{said(sites, order, what)}, each in one of {len(subject.x)} images"
    is_sample = len(sites) < len(order)
    yield Line(
        "derivatives",
        f"No prediction depends on its own {what[:-1]} or on a later one.",
        sight.largest_ahead,
        0.0,
        "largest derivative by the own or a later one",
        looked_at,
        is_sample,
    )
    used = sight.num_used / max(1, sight.num_stated)
    reach = "the past" if model.receptive_field().sees_all_past else "what is stated"
    yield Line(
        "field",
        "Nothing outside of the stated receptive field is seen.",
        float(sight.num_outside),
        0.0,
        "pairs of a prediction and something outside that it sees",
        f"{looked_at}; {used:.1%} of {reach} is seen",
        is_sample,
    )
    if model.groups > 1:
        yield Line(
            "colours",
            "Every colour sees the earlier colours of its pixel.",
            float(min(sight.colours.values(), default=0)),
            1.0,
            "pixels where the colours that see least of each other do",
            looked_at,
            is_sample,
            is_least=True,
        )


def look(subject: VerificationInputs, order: RasterOrder, sites: list[Site]) -> Sight:
    """Takes the derivatives of the predictions at sites by all that is read."""
    model, stated = subject.model, subject.model.receptive_field()
    sight = Sight(colours={(g, e): 0 for g in range(model.groups) for e in range(g)})
    places = torch.arange(len(order), device=subject.x.device)
    for part, x, cond in subject.batches(sites):
        moved = dependence(model, x, cond, part, order)
        own = torch.tensor([order.index(site) for site in part], device=x.device)
        ahead = places >= own[:, None]
        # Times zero, and not replaced by it: NaN anywhere must not be taken for nothing.
        sight.largest_ahead = _larger(sight.largest_ahead, moved.where(ahead, moved * 0))
        seen = ((moved > 0) & ~ahead).view(len(part), order.height, order.width, -1).cpu()
        for site, one in zip(part, seen, strict=True):
            _note(sight, site, one, stated_at(stated, site, order))
    return sight


def dependence(
    model: AutoregressiveModel,
    x: Tensor,
    cond: Tensor | None,
    sites: list[Site],
    order: RasterOrder,
) -> Tensor:
    """Derivatives of the prediction at one site of each image by all that the network reads.

    Args:
        model: In evaluation mode.
        x: Images. (B, C, H, W).
        cond: Their conditions.
        sites: B of them.
        order: Raster order of what is predicted, G × H × W things.

    Returns:
        Magnitudes, the largest over the features of each thing read; NaN if the network does not
        read through `model.embed`. (B, G × H × W), in raster order.
    """
    features = model.embed(x).detach().requires_grad_()
    hook = model.embed.register_forward_hook(lambda *_: features)
    try:
        with torch.enable_grad():
            params = model(x, cond).permute(0, 2, 3, 1).flatten(1, 2)
            runs = params.unflatten(2, (order.channels, -1)).flatten(1, 2)
            predicted = runs[torch.arange(len(x)), [order.index(site) for site in sites]]
            # One random sum of them: no dependence cancels, but with probability zero.
            weights = torch.randn(predicted.shape[1], generator=torch.Generator().manual_seed(0))
            total = (predicted * weights.to(predicted)).sum()
            (gradient,) = torch.autograd.grad(total, features, allow_unused=True)
    finally:
        hook.remove()
    if gradient is None:
        return torch.full((len(x), len(order)), float("nan"), device=x.device)
    return gradient.abs().reshape(len(x), len(order), -1).amax(2)


def stated_at(field: ReceptiveField, site: Site, order: RasterOrder) -> Tensor:
    """Where a receptive field says that a site sees something: pixels of the image. (H, W)."""
    stated = torch.zeros(order.height, order.width, dtype=torch.bool)
    if field.sees_all_past:
        stated.view(-1)[: site.row * order.width + site.column] = True
        stated[site.row, site.column] = True  # its earlier colours, if it has any
        return stated
    offsets = torch.tensor(sorted(field.at(site.row, site.column))).view(-1, 2)
    rows, columns = (offsets + torch.tensor([site.row, site.column])).unbind(1)
    inside = (rows >= 0) & (rows < order.height) & (columns >= 0) & (columns < order.width)
    stated[rows[inside], columns[inside]] = True
    return stated


def _note(sight: Sight, site: Site, seen: Tensor, stated: Tensor) -> None:
    """Adds what one site was seen to see, (H, W, G), to what is known."""
    sight.num_outside += int((seen & ~stated[:, :, None]).sum())
    possible = stated.clone()
    possible[site.row, site.column] &= site.channel > 0
    sight.num_stated += int(possible.sum())
    sight.num_used += int((seen.any(2) & possible).sum())
    for earlier in range(site.channel):
        pair = site.channel, earlier
        sight.colours[pair] += int(seen[site.row, site.column, earlier])


def _larger(largest: float, values: Tensor) -> float:
    """The largest so far; NaN once there was one."""
    return float(torch.maximum(values.amax(), values.new_tensor(largest)))
