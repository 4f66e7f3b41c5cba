"""Whether the future is felt: by a pass over whole images, and by the walk."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Cursor, PixelInput
from pixelcnn.order import Front, RasterOrder, Site
from pixelcnn.verification.checks import Line
from pixelcnn.verification.inputs import VerificationInputs, said
from pixelcnn.walk import CachedStepper, walk

NUM_POISONED = 2  # images walked with NaN ahead
UNKNOWN = -1  # the level of what is not known yet


@torch.no_grad()
def changes(subject: VerificationInputs) -> Iterator[Line]:
    """Passes over images all of whose future is changed, from some sub-pixel on.

    By levels and not by derivatives: it goes through the lookup of embeddings, and through
    whatever else a network may make of levels.
    """
    model, (height, width) = subject.model, subject.size
    order = RasterOrder(model.in_channels, height, width)
    sites = subject.sites(order, passes=1)
    generator, worst = subject.generator(), torch.zeros((), dtype=torch.float64)
    for part, x, cond in subject.batches(sites):
        shift = torch.randint(1, model.num_classes, x.shape, generator=generator).to(x.device)
        changed = torch.where(ahead_of(part, order).to(x.device), x + shift, x) % model.num_classes
        clean = level_probs(model, model(x, cond), x, part)
        distance = (level_probs(model, model(changed, cond), x, part) - clean).abs().sum(1) / 2
        worst = torch.maximum(worst, distance.amax().cpu())
    yield Line(
        "changes",
        "A pass over the whole image does not feel what stands in the future.",
        float(worst),
        subject.tolerance,
        "largest total variation by which changing it moves a prediction",
        f"{said(sites, order, 'sub-pixels')}, all from there on changed in one of "
        f"{len(subject.x)} images",
        len(sites) < len(order),
    )


def ahead_of(sites: list[Site], order: RasterOrder) -> Tensor:
    """Where each site and its future are. (B, C, H, W), bool."""
    places = torch.arange(len(order)).view(order.height, order.width, order.channels)
    own = torch.tensor([order.index(site) for site in sites])
    return places.permute(2, 0, 1) >= own[:, None, None, None]


def level_probs(model: AutoregressiveModel, params: Tensor, x: Tensor, sites: list[Site]) -> Tensor:
    """Probabilities of the levels at one site of each image.

    Args:
        model: Whose head reads the parameters.
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


def poison(subject: VerificationInputs) -> Iterator[Line]:
    """Walks that read NaN wherever an image is not known yet, at every site.

    A pass over whole images cannot be tried so: there a mask multiplies the future by zero, and
    zero times NaN is NaN. A walk never touches it.
    """
    model, x = subject.model, subject.x[:NUM_POISONED]
    cond = None if subject.cond is None else subject.cond[:NUM_POISONED]
    reached = torch.zeros((), dtype=torch.int64, device=x.device)

    def choose(logits: Tensor, front: Front) -> Tensor:
        reached.add_((~logits.isfinite()).any(1).sum())
        return front.of(x).flatten()

    with poisoned(model):
        for wavefront in ways_to_walk(model):
            unknown = torch.full_like(x, UNKNOWN)
            walk(CachedStepper(model, wavefront=wavefront), unknown, choose, cond=cond)
    yield Line(
        "poison",
        "NaN in all that is not known yet never reaches the walk.",
        float(reached),
        0.0,
        "predictions that are no finite numbers",
        f"all {x[0].numel():,} sub-pixels of {len(x)} images, {in_words(ways_to_walk(model))}",
        is_sample=False,
    )


def ways_to_walk(model: AutoregressiveModel) -> list[bool]:
    """For each way to walk the model with caches, whether it takes several rows at once."""
    return [False] if model.lag is None else [False, True]


def in_words(ways: list[bool]) -> str:
    """Ways to walk, in words."""
    return " and ".join("several rows at once" if way else "row by row" for way in ways)


class PoisonedInput(nn.Module):
    """Reads as a model's own input does, but gives NaN for levels that are `UNKNOWN`.

    Args:
        embed: The model's own.
    """

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
        return None if features is None else self._poison(features, self.marks(x < 0, cursor))

    def row_above(self, x: Tensor, cursor: Cursor) -> Tensor:
        """As `PixelInput.row_above`."""
        features = self.embed.row_above(x.clamp(min=0), cursor)
        return self._poison(features, self.marks.row_above(x < 0, cursor))

    def _poison(self, features: Tensor, marks: Tensor) -> Tensor:
        # A mark is 1 for the one level and -1 for the other, and zero outside of the image.
        width = self.embed.num_features // self.embed.channels
        return features.masked_fill(marks.repeat_interleave(width, -1) > 0, float("nan"))


@contextmanager
def poisoned(model: AutoregressiveModel) -> Iterator[None]:
    """Within it the model reads through a `PoisonedInput`."""
    own = model.embed
    model.add_module("embed", PoisonedInput(own))
    try:
        yield
    finally:
        model.add_module("embed", own)
