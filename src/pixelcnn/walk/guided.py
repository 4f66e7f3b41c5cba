"""Guidance: sampling further towards a condition than the model alone would go."""

from collections.abc import Callable

from torch import Tensor

from pixelcnn.order import Front, Order
from pixelcnn.walk.stepper import CachedStepper, Stepper, Walkable


class GuidedStepper(Stepper):
    """Walks with and without the condition side by side, and combines their logits.

    The log-probabilities of the levels are u + g (c - u), normalised again, where c are those
    given the condition and u those without: p(level) is proportional to p_u^(1 - g) p_c^g. At
    g = 0 this is the unconditional model and at g = 1 the conditional one.

    Args:
        model: In evaluation mode; it must also serve without a condition.
        guidance: g.
        kind: Makes the stepper of each walk.

    References:
        Classifier-Free Diffusion Guidance (Ho & Salimans, 2022), equation 6, there with
        w = g - 1. https://arxiv.org/abs/2207.12598
    """

    def __init__(
        self,
        model: Walkable,
        guidance: float,
        *,
        kind: Callable[[Walkable], Stepper] = CachedStepper,
    ) -> None:
        super().__init__(model)
        self.guidance = guidance
        self.conditional = kind(model)
        self.unconditional = kind(model)

    def start(self, x: Tensor, cond: Tensor | None = None) -> Order:
        self.cond = cond
        # Two steppers of one kind and model visit images of one shape in the same order.
        self.conditional.start(x, cond)
        return self.unconditional.start(x, None)

    def logits(self, x: Tensor, front: Front) -> Tensor:
        without = self.unconditional.logits(x, front)
        if self.guidance == 0 or self.cond is None:
            return without  # the other walk is not needed and costs nothing
        without = without.log_softmax(1)
        given = self.conditional.logits(x, front).log_softmax(1)
        return without.lerp(given, self.guidance).log_softmax(1)

    def reorder(self, index: Tensor) -> None:
        self.cond = None if self.cond is None else self.cond[index]
        self.conditional.reorder(index)
        self.unconditional.reorder(index)


def stepper_for(model: Walkable, guidance: float = 1.0) -> Stepper:
    """The stepper of sampling: two walks only where `guidance` needs them."""
    return CachedStepper(model) if guidance == 1 else GuidedStepper(model, guidance)
