"""Weight normalisation, with scales and biases that are set by a first batch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

CONSTANT = 1e-5  # standard deviation below which a feature counts as one that does not vary


class WeightNormed(nn.Module):
    """A layer whose weights are a length times a direction, for each feature that it writes.

    The weight of output feature o is gain[o] × v[o] / ‖v[o]‖. What the mask hides is hidden before
    the norm is taken: it adds nothing to it, gets no gradient, and cannot drift.

    A layer of this kind writes its `forward`, which gives features (..., O) by `weight()` and
    `bias`, and adds nothing else to them.

    The layer starts as if what it reads had unit variance and were independent; a first batch can
    set it by what the features really are, see `standardise`.

    Args:
        shape: (O, I, height, width) of the weights.
        mask: Zeros and ones of that shape; None hides nothing.
        init_scale: Standard deviation of the output that the layer starts with.

    Attributes:
        direction: v. (O, I, height, width).
        gain: Length of each output feature's weights. (O,).
        bias: (O,).

    References:
        Weight Normalization (Salimans & Kingma, 2016), equations 2, 5 and 6.
        https://arxiv.org/abs/1602.07868
    """

    mask: Tensor | None

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        *,
        mask: Tensor | None = None,
        init_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.init_scale = init_scale
        self.register_buffer("mask", mask, persistent=False)
        self.direction = nn.Parameter(0.05 * torch.randn(shape))
        self.gain = nn.Parameter(torch.full((shape[0],), init_scale))
        self.bias = nn.Parameter(torch.zeros(shape[0]))
        if mask is not None:
            with torch.no_grad():
                self.direction.mul_(mask)

    def weight(self) -> Tensor:
        """The weights as used. (O, I, height, width)."""
        seen = self.direction if self.mask is None else self.direction * self.mask
        # A feature that reads nothing has a norm of zero, of which there is no derivative; and
        # what keeps it from zero would itself be zero in 16 bits.
        wide = seen.to(torch.promote_types(seen.dtype, torch.float32))
        squared = wide.square().sum((1, 2, 3), keepdim=True)
        length = self.gain[:, None, None, None] * torch.rsqrt(squared + 1e-12)
        return (wide * length).to(seen.dtype)

    @property
    def is_new(self) -> bool:
        """Whether neither a first batch nor training has moved the biases from zero."""
        return not bool(self.bias.any())

    @torch.no_grad()
    def set_by(self, output: Tensor) -> Tensor:
        """Sets gains and biases so that `output` (..., O) would have had mean 0 and unit scale.

        A feature that does not vary keeps its gain.

        Returns:
            What the layer gives now.
        """
        flat = output.flatten(0, -2)
        mean, deviation = flat.mean(0), flat.std(0, correction=0)
        varies = deviation > CONSTANT
        factor = torch.where(varies, self.init_scale / deviation.clamp(min=CONSTANT), 1.0)
        self.gain.mul_(factor)
        self.bias.sub_(mean).mul_(factor)
        return (output - mean) * factor


@torch.no_grad()
def standardise(network: nn.Module, run: Callable[[], object]) -> None:
    """Sets every new weight-normalised layer so that its output has mean 0 and unit variance.

    (Variance `init_scale` squared, to be exact.) Layers are set in the order in which they run,
    each by what those before it give once they are set, in one pass. Layers that were set or
    trained before are left as they are; without new ones nothing runs.

    Args:
        network: Whatever holds the layers.
        run: Sends a batch through it.

    References:
        Weight Normalization (Salimans & Kingma, 2016), section 3.
    """
    new = [m for m in network.modules() if isinstance(m, WeightNormed) and m.is_new]
    if not new:
        return
    hooks = [layer.register_forward_hook(_set_layer) for layer in new]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()


def _set_layer(layer: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
    assert isinstance(layer, WeightNormed)
    return layer.set_by(output)
