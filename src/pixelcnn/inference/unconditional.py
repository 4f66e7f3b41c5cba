"""Scoring without being told anything: p(x) of any model that has one."""

import math
from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor

from pixelcnn.errors import ConfigError
from pixelcnn.inference.classify import prior_of
from pixelcnn.inference.query import Progress, check_nats, evaluating
from pixelcnn.inference.scoring import Scores, checked, score
from pixelcnn.models import AutoregressiveModel


def score_unconditionally(
    model: AutoregressiveModel,
    images: Tensor,
    *,
    prior: Tensor | Sequence[float] | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Scores:
    """Measures p(x), the probability of images of which nothing is told.

    A model that serves without labels is asked without. One of p(x | label) alone is asked about
    each label, and the labels are summed out: p(x) = Σ p(label) p(x | label). The bits of a
    sub-pixel are then those of p(sub-pixel | all earlier ones), likewise summed: what was seen
    before also says which labels are likely.

    Args:
        model: Any architecture; it is left in the mode it was in.
        images: Levels. (N, C, H, W).
        prior: p(label), (L,); uniform by default. Only read where labels are summed out.
        batch_size: Images per forward pass.
        progress: Is told the passes over images that are done, and all.

    Raises:
        ConfigError: If the model needs attributes or maps, over which no sum can be taken; or if
            `prior` is no distribution over the labels.
        ShapeError: If the images do not fit the model, or there is none.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> model = PixelCNN(num_residual_blocks=1, num_labels=3)
        >>> scores = score_unconditionally(model, torch.zeros(2, 1, 4, 4).long())
        >>> round((scores.bits.sum() * math.log(2) - scores.nats.sum()).abs().item(), 3)
        0.0
    """
    condition = model.condition
    if condition.is_none or condition.is_optional:
        return score(model, images, batch_size=batch_size, progress=progress)
    if model.num_labels is None:
        raise ConfigError(
            f"p(x) of a model of {condition.kind} would be a sum over all of them: it has one only "
            f"if it was trained with `label_dropout`."
        )
    log_prior = prior_of(prior, model.num_labels)
    _, batch_size = checked(model, images, 0, batch_size)
    parts = []
    with evaluating(model):
        for first in range(0, len(images), batch_size):
            x = images[first : first + batch_size].to(model.device)
            parts.append(_summed(model, x, log_prior))
            if progress is not None:
                progress(first + len(x), len(images))
    bits = torch.cat(parts)
    return Scores(bits.float(), bits.flatten(1).sum(1) * math.log(2))


def _summed(model: AutoregressiveModel, x: Tensor, log_prior: Tensor) -> Tensor:
    """Bits of each sub-pixel given the earlier ones, labels summed out. (B, C, H, W), float64."""
    channels, height = x.shape[1:3]
    begun = []  # log p(label, the first t sub-pixels), for each label
    for label, log_share in enumerate(log_prior):
        sites = model.site_log_prob(x, label, check=False).cpu().double()
        check_nats(sites)
        # Raster order: the channels of a pixel come after one another.
        begun.append(rearrange(sites, "b c h w -> b (h w c)").cumsum(1) + log_share)
    so_far = torch.stack(begun).logsumexp(0)
    nats = -so_far.diff(dim=1, prepend=torch.zeros_like(so_far[:, :1]))
    return rearrange(nats / math.log(2), "b (h w c) -> b c h w", c=channels, h=height)
