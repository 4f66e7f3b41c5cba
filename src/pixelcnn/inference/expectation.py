"""The expected image as its pixels become known one after another."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pixelcnn.arguments import check_tensor, named_arguments, whole_number
from pixelcnn.inference.completions import raster_completions
from pixelcnn.inference.masks import fit_mask
from pixelcnn.inference.query import Progress, Query, check_model, make_query
from pixelcnn.models import AutoregressiveModel, Cond


@dataclass(frozen=True)
class Expectation:
    """The expected image at T times, from nothing known to all known.

    Attributes:
        mean: Expected levels; where they are known, the levels themselves. (T, B, C, H, W),
            float64, on the CPU.
        known: The known sub-pixels at each time: a part of the raster order from its beginning.
            (T, C, H, W), bool.
    """

    mean: Tensor
    known: Tensor


@named_arguments
def expectation(
    model: AutoregressiveModel,
    images: Tensor,
    cond: Cond = None,
    *,
    num_times: int = 15,
    num_draws: int = 32,
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Expectation:
    """How the expected image changes as its pixels become known in raster order.

    At each time the unknown sub-pixels are sampled given the known ones, and the samples are
    averaged. The noise of each sample stays the same, so only the known pixels change the mean.

    Args:
        model: Any architecture.
        images: Levels. (C, H, W) or (B, C, H, W).
        cond: As the model takes it, one for all images or one for each.
        num_times: T, at least 2, evenly spread over the sub-pixels.
        num_draws: Completions of each image at each time.
        seed: From 0 to 2**64 - 1; with the arguments it decides the samples.
        batch_size: Images walked together.
        progress: Called with the parts of the work that are done, and all.

    Raises:
        ShapeError: If `images` or `cond` does not fit the model.
        ConfigError: If a number is out of range.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> x = torch.ones(1, 4, 4).long()
        >>> found = expectation(PixelCNN(), x, num_times=3)
        >>> found.mean.shape, found.known.sum((1, 2, 3)).tolist()
        (torch.Size([3, 1, 1, 4, 4]), [0, 8, 16])
    """
    num_times = whole_number("num_times", num_times, at_least=2)
    num_draws = whole_number("num_draws", num_draws)
    check_model(model)
    check_tensor("images", images, "integer levels")
    everything = torch.ones(images.shape[-2:], dtype=torch.bool)
    whole = make_query(
        model, images, everything, name="images", cond=cond, seed=seed, batch_size=batch_size
    )
    known = prefixes(whole, num_times)
    means = []
    for time, mask in enumerate(known):
        mask = fit_mask(mask, whole.given)
        query = replace(whole, given=whole.given.where(mask, 0), known=mask)
        means.append(raster_completions(query, num_draws).mean)
        if progress is not None:
            progress(time + 1, num_times)
    return Expectation(torch.stack(means), known)


def prefixes(query: Query, num_times: int) -> Tensor:
    """Masks of growing parts of the order, the first empty and the last whole. (T, C, H, W)."""
    order = list(query.order())
    rank = torch.empty(query.given.shape[1:], dtype=torch.int64)
    for number, site in enumerate(order):
        rank[tuple(site)] = number
    counts = torch.linspace(0, len(order), num_times).round().long()
    return rank < counts[:, None, None, None]
