"""Whether a prediction changes when later sub-pixels do: full passes, and walks over NaN."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Cursor, PixelInput
from pixelcnn.order import Front, RasterOrder, Site
from pixelcnn.verification.inputs import VerificationInputs, describe_sites
from pixelcnn.verification.report import Check
from pixelcnn.walk import CachedStepper, walk

NUM_NAN_IMAGES = 2  # images walked with NaN at unknown pixels
UNKNOWN = -1  # the level that marks an unknown sub-pixel


@torch.no_grad()
def check_changed_inputs(inputs: VerificationInputs) -> Iterator[Check]:
    """Changes a sub-pixel and all later ones, and compares the full pass's predictions.

    By levels and not by gradients, so that the lookup of level embeddings, and anything else that
    a network computes from levels, is covered too.
    """
    model, (height, width) = inputs.model, inputs.size
    order = RasterOrder(model.in_channels, height, width)
    sites = inputs.sites(order, passes=1)
    generator, worst = inputs.generator(), torch.zeros((), dtype=torch.float64)
    for part, x, cond in inputs.batches(sites):
        shift = torch.randint(1, model.num_classes, x.shape, generator=generator).to(x.device)
        changed = torch.where(ahead_of(part, order).to(x.device), x + shift, x) % model.num_classes
        clean = level_probs(model, model(x, cond), x, part)
        distance = (level_probs(model, model(changed, cond), x, part) - clean).abs().sum(1) / 2
        worst = torch.maximum(worst, distance.amax().cpu())
    yield Check(
        "causality_inputs",
        "A full pass predicts the same when a sub-pixel and all later ones change.",
        float(worst),
        inputs.tolerance,
        "largest total variation between the predictions",
        f"{describe_sites(sites, order, 'sub-pixels')}, each in one of {len(inputs.x)} images",
        len(sites) < len(order),
    )


def ahead_of(sites: list[Site], order: RasterOrder) -> Tensor:
    """Marks each site and all later ones. (B, C, H, W), bool."""
    places = torch.arange(len(order)).view(order.height, order.width, order.channels)
    own = torch.tensor([order.index(site) for site in sites])
    return places.permute(2, 0, 1) >= own[:, None, None, None]


def level_probs(model: AutoregressiveModel, params: Tensor, x: Tensor, sites: list[Site]) -> Tensor:
    """Probabilities of the levels at one site of each image.

    Args:
        model: Its head reads the parameters.
        params: Of whole images. (B, P, H, W).
        x: The images. (B, C, H, W).
        sites: B of them.

    Returns:
        (B, K), float64.
    """
    logits = [
        model.likelihood.level_logits(
            params[n : n + 1, :, site.row, site.column],
            x[n : n + 1, : site.channel, site.row, site.column],
            site.channel,
        )
        for n, site in enumerate(sites)
    ]
    return torch.cat(logits).double().softmax(1)


def check_unknown_pixels(inputs: VerificationInputs) -> Iterator[Check]:
    """Walks over images whose unknown pixels are NaN to the network, at every site.

    A full pass cannot be checked like this: there a mask multiplies later sub-pixels by zero, and
    zero times NaN is NaN. A walk never reads them.
    """
    model, x = inputs.model, inputs.x[:NUM_NAN_IMAGES]
    cond = None if inputs.cond is None else inputs.cond[:NUM_NAN_IMAGES]
    num_nan = torch.zeros((), dtype=torch.int64, device=x.device)

    def choose(logits: Tensor, front: Front) -> Tensor:
        num_nan.add_((~logits.isfinite()).any(1).sum())
        return front.of(x).flatten()

    with nan_where_unknown(model):
        for wavefront in walk_modes(model):
            unknown = torch.full_like(x, UNKNOWN)
            walk(CachedStepper(model, wavefront=wavefront), unknown, choose, cond=cond)
    yield Check(
        "unknown_pixels",
        "A walk never reads a pixel that is not known yet.",
        float(num_nan),
        0.0,
        "predictions that are not finite when unknown pixels are NaN",
        f"all {x[0].numel():,} sub-pixels of {len(x)} images, {describe_modes(walk_modes(model))}",
        is_sample=False,
    )


def walk_modes(model: AutoregressiveModel) -> list[bool]:
    """The ways to walk the model with caches: whether each takes several rows at once."""
    return [False] if model.lag is None else [False, True]


def describe_modes(modes: list[bool]) -> str:
    """Ways to walk, as text.

    Example:
        >>> describe_modes([False, True])
        'row by row and by wavefronts'
    """
    return " and ".join("by wavefronts" if mode else "row by row" for mode in modes)


class NaNInput(nn.Module):
    """Reads as a model's own input does, but returns NaN for levels that are `UNKNOWN`."""

    def __init__(self, embed: PixelInput) -> None:
        super().__init__()
        self.embed = embed
        self.marks = PixelInput(embed.channels, 2, groups=embed.groups).to(embed.like)

    @property
    def like(self) -> Tensor:
        """As that of the model's own input."""
        return self.embed.like

    def forward(self, x: Tensor, cursor: Cursor | None = None) -> Tensor | None:
        """As `PixelInput.forward`."""
        features = self.embed(x.clamp(min=0), cursor)
        return None if features is None else self._fill(features, self.marks(x < 0, cursor))

    def row_above(self, x: Tensor, cursor: Cursor) -> Tensor:
        """As `PixelInput.row_above`."""
        features = self.embed.row_above(x.clamp(min=0), cursor)
        return self._fill(features, self.marks.row_above(x < 0, cursor))

    def _fill(self, features: Tensor, marks: Tensor) -> Tensor:
        # A mark is 1 for the one level and -1 for the other, and zero outside of the image.
        width = self.embed.num_features // self.embed.channels
        return features.masked_fill(marks.repeat_interleave(width, -1) > 0, float("nan"))


@contextmanager
def nan_where_unknown(model: AutoregressiveModel) -> Iterator[None]:
    """Lets the model read through `NaNInput` within the block."""
    own = model.embed
    model.add_module("embed", NaNInput(own))
    try:
        yield
    finally:
        model.add_module("embed", own)
