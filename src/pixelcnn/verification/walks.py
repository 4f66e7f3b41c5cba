"""Whether the walk says what whole passes say, and what training computes."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front
from pixelcnn.verification.causality import in_words, ways_to_walk
from pixelcnn.verification.checks import Line
from pixelcnn.verification.inputs import VerificationInputs
from pixelcnn.walk import CachedStepper, walk


@torch.no_grad()
def walks(subject: VerificationInputs) -> Iterator[Line]:
    """Cached walks over given images, beside passes over the whole of them.

    What stands in the future does not matter to such a pass (the lines about the future), so
    what it predicts is what a naive walk would, with a pass for every sub-pixel.
    """
    model, x = subject.model, subject.x
    apart = misfit = torch.zeros((), dtype=torch.float64, device=x.device)
    for cond in subject.conditions:
        loss = model.site_log_prob(x, cond).double()
        for wavefront in ways_to_walk(model):
            distance, nats = read(model, x, cond, wavefront=wavefront)
            apart = torch.maximum(apart, distance)
            misfit = torch.maximum(misfit, relative(loss, nats))
    twice = ", with and without a condition" if len(subject.conditions) > 1 else ""
    looked_at = (
        f"all {x[0].numel():,} sub-pixels of {len(x)} images, "
        f"{in_words(ways_to_walk(model))}{twice}"
    )
    yield Line(
        "cached",
        "The cached walk predicts what passes over whole images predict.",
        float(apart),
        subject.tolerance,
        "largest total variation between the two",
        looked_at,
        is_sample=False,
    )
    yield Line(
        "loss",
        "The log-probability that training computes is the score of the walk.",
        float(misfit),
        subject.tolerance,
        "largest difference at a sub-pixel, in nats, per nat where there are more",
        looked_at,
        is_sample=False,
    )


def read(
    model: AutoregressiveModel, x: Tensor, cond: Tensor | None, *, wavefront: bool
) -> tuple[Tensor, Tensor]:
    """One cached walk over images.

    Args:
        model: In evaluation mode.
        x: Images. (B, C, H, W).
        cond: Their conditions.
        wavefront: Whether to take several rows at once.

    Returns:
        The largest total variation between its predictions and those of a whole pass, a scalar;
        and the nats of each level of `x` along the walk. (B, C, H, W), float64.
    """
    params = model(x, cond)
    nats = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
    worst = torch.zeros((), dtype=torch.float64, device=x.device)

    def choose(logits: Tensor, front: Front) -> Tensor:
        earlier = front.pixels_of(x)[:, :, : front.channel].flatten(0, 1)
        pixels = front.pixels_of(params).flatten(0, 1)
        whole = model.likelihood.level_logits(pixels, earlier, front.channel)
        walked = logits.double().log_softmax(1)
        distance = (walked.exp() - whole.double().softmax(1)).abs().sum(1) / 2
        worst.copy_(torch.maximum(worst, distance.amax()))
        levels = front.of(x).flatten()
        target = front.of(nats)
        target.copy_(walked.gather(1, levels[:, None]).view(target.shape))
        return levels

    walk(CachedStepper(model, wavefront=wavefront), torch.zeros_like(x), choose, cond=cond)
    return worst, nats


def relative(nats: Tensor, others: Tensor) -> Tensor:
    """Largest difference of log-probabilities, relative where they are below -1; a scalar.

    Far from zero a float resolves less, and what is so improbable hardly counts.

    Example:
        >>> relative(torch.tensor([-0.5, -100.0]), torch.tensor([-0.25, -101.0]))
        tensor(0.2500)
    """
    return ((nats - others).abs() / nats.abs().clamp(min=1)).amax()


@torch.no_grad()
def neighbours(subject: VerificationInputs) -> Iterator[Line]:
    """Scores of images in a batch, beside those of each alone."""
    model, x, cond = subject.model, subject.x, subject.cond
    together = model.site_log_prob(x, cond).double()
    alone = [
        model.site_log_prob(x[n : n + 1], None if cond is None else cond[n : n + 1]).double()
        for n in range(len(x))
    ]
    yield Line(
        "neighbours",
        "An image does not depend on the others of its batch.",
        float(relative(together, torch.cat(alone))),
        subject.tolerance,
        "largest difference at a sub-pixel, in nats, per nat where there are more",
        f"all {x[0].numel():,} sub-pixels of {len(x)} images, together and one by one",
        is_sample=False,
    )
