"""A copy of a model whose outputs are the same numbers on every machine."""

import copy
from functools import partial

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from pixelcnn.codec.portable import tables
from pixelcnn.codec.portable.arithmetic import (
    LARGEST,
    SUM_BITS,
    PortableArithmetic,
    settle,
    settle_,
)
from pixelcnn.codec.portable.mixture import MixtureTables
from pixelcnn.likelihoods import Bernoulli, Categorical, Likelihood, LogisticMixture
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import (
    BackgroundAttention,
    CausalAttention,
    ConditionBias,
    Cursor,
    DownConv,
    DownRightConv,
    DownRightTransposed,
    DownTransposed,
    HorizontalConv,
    MaskedConv2d,
    Norm,
    PixelInput,
    VerticalConv,
    WeightNormed,
)
from pixelcnn.spec import to_signed

DIRECTION_BITS = 20
"""The directions of weight-normalised layers are rounded to multiples of 2**-20."""

PRODUCTS = (MaskedConv2d, VerticalConv, WeightNormed, nn.Linear)
LAYERS = (
    *(MaskedConv2d, VerticalConv, DownConv, DownRightConv, DownTransposed, DownRightTransposed),
    *(nn.Linear, nn.Embedding, Norm, ConditionBias),
)
"""Layers with weights of their own that `PortableNetwork` can run."""

HEADS = (Bernoulli, Categorical, LogisticMixture)


class PortableNetwork:
    """What a walk needs of a model, in `PortableArithmetic`.

    A copy in float64 with rounded weights; the model itself does not change. Its images are those
    of a slightly different model, whose every output is a multiple of 2**-14.

    Args:
        model: One that `refusal` accepts.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> network = PortableNetwork(PixelCNN(num_classes=2, num_residual_blocks=1))
        >>> params = network(torch.zeros(1, 1, 8, 8, dtype=torch.int64))
        >>> params.dtype, bool((params * 2**14 == (params * 2**14).round()).all())
        (torch.float64, True)
    """

    training = False

    def __init__(self, model: AutoregressiveModel) -> None:
        self.network = copy.deepcopy(model).double().eval()
        self.likelihood: Likelihood = model.likelihood
        if isinstance(model.likelihood, LogisticMixture):
            self.likelihood = MixtureTables(model.likelihood)
        self.groups, self.lag = model.groups, model.lag
        self.arithmetic = PortableArithmetic()
        # At its first use einops imports what calls other functions: not within the arithmetic.
        rearrange(torch.empty(1), "a -> a")
        with torch.no_grad():
            for module in self.network.modules():
                _round_weights(module)
        _round_sums(self.network)

    def __call__(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        """The parameters of the network, float64."""
        if cond is not None and cond.is_floating_point():
            cond = settle(cond.double())
        with self.arithmetic:
            return self.network(x, cond, cursor, check=False)

    def eval(self) -> "PortableNetwork":
        """Stays in evaluation mode: a copy to code with does not train."""
        return self

    def train(self, mode: bool = True) -> "PortableNetwork":
        """Likewise."""
        return self


def refusal(model: AutoregressiveModel) -> str | None:
    """Why a model has no `PortableNetwork`, as a clause; None if it has one."""
    if model.device.type == "mps":
        return "its device has no float64"
    if type(model.likelihood) not in HEADS:
        return f"its head is a {type(model.likelihood).__name__}"
    for module in model.modules():
        if type(module) not in LAYERS and any(True for _ in module.parameters(recurse=False)):
            return f"it has a layer {type(module).__name__}"
    for name, module in model.named_modules():
        if not all(bool((weight.abs() <= LARGEST).all()) for weight in _weights_of(module)):
            return f"`{name}` has weights beyond ±{LARGEST:g}"
    return _too_large(PortableNetwork(model).network)


def _too_large(network: nn.Module) -> str | None:
    """The layer whose sums could have more bits than float64; None if there is none.

    What a layer reads is a sum of what earlier layers gave, each at most once.
    """
    most_read = LARGEST * sum(1 for _ in network.modules())
    for name, module in network.named_modules():
        if 3 * LARGEST**2 * _key_width(module) > 2**SUM_BITS:
            return f"the heads of `{name}` are too wide for exact sums"
        if isinstance(module, (*PRODUCTS, ConditionBias)):
            weight = _product_weight(module)
            largest = weight.abs().flatten(1).sum(1).max().item() * most_read
            if not largest + LARGEST < 2**SUM_BITS:
                return f"the weights of `{name}` are too large for exact sums"
    return None


def _key_width(module: nn.Module) -> int:
    """Products that fit a query to a key, which is a sum of up to three; 0 for other layers."""
    if isinstance(module, BackgroundAttention):
        return module.key_width
    return module.head_width if isinstance(module, CausalAttention) else 0


def _weights_of(module: nn.Module) -> list[Tensor]:
    """The weights that a layer itself holds, as it uses them."""
    with torch.no_grad():
        return (
            [module.weight(), module.bias]
            if isinstance(module, WeightNormed)
            else list(module.parameters(recurse=False))
        )


def _product_weight(module: nn.Module) -> Tensor:
    """The weight that a layer multiplies by. (O, …)."""
    if isinstance(module, MaskedConv2d):
        return module.masked_weight()
    if isinstance(module, ConditionBias):
        return module.weight.T
    weight = module.weight
    return weight if isinstance(weight, Tensor) else weight()


def _round_weights(module: nn.Module) -> None:
    """Puts rounded weights into a layer, and what is computed from weights alone."""
    if isinstance(module, WeightNormed):
        weight = _normed_weight(module)
        module.weight = lambda: weight  # type: ignore[method-assign]
        settle_(module.bias)
        return
    for weight in module.parameters(recurse=False):
        settle_(weight)
    if isinstance(module, MaskedConv2d):
        masked = module.masked_weight()
        module.masked_weight = lambda: masked  # type: ignore[method-assign]
    elif isinstance(module, CausalAttention):
        waves = settle(tables.sines()).to(module.place.weight.device)
        module.places = partial(_places, module, waves)  # type: ignore[method-assign]
    elif isinstance(module, PixelInput) and module.vectors is None:
        levels = torch.arange(module.levels, device=module.like.device)
        module.vectors = nn.Embedding(module.levels, 1, dtype=torch.float64, device=levels.device)
        module.vectors.weight[:, 0] = settle_(to_signed(levels, module.levels, dtype=torch.float64))


def _normed_weight(layer: WeightNormed) -> Tensor:
    """gain × direction / norm, the norm by a sum of integers."""
    direction = layer.direction if layer.mask is None else layer.direction * layer.mask
    units = direction.mul(2.0**DIRECTION_BITS).round_().clamp_(-(2.0**26), 2.0**26)
    squares = units.long().square_().sum((1, 2, 3), keepdim=True).double()
    norm = squares.mul_(2.0 ** (-2 * DIRECTION_BITS)).add_(1e-12).sqrt_()
    units = units.mul_(2.0**-DIRECTION_BITS)
    return settle_(units * (layer.gain[:, None, None, None] / norm))


def _places(attention: CausalAttention, waves: Tensor, height: int, width: int) -> Tensor:
    """`CausalAttention.places`, its waves by a table."""
    num_octaves = attention.place.in_features // 4
    of_rows, of_columns = (
        waves[torch.tensor(_turns(num_octaves, size), device=waves.device)]
        for size in (height, width)
    )
    rows = repeat(of_rows, "h p -> h w p", w=width)
    columns = repeat(of_columns, "w p -> h w p", h=height)
    placed = attention.place(torch.cat([rows, columns], 2))
    return rearrange(placed, "h w (two n d) -> two n (h w) d", two=2, n=attention.num_heads)


def _turns(num_octaves: int, size: int) -> list[list[int]]:
    """Where sines, then cosines, of wavelengths 4, 8, … pixels stand in their table.

    Returns:
        For each of `size` pixels, 2 × `num_octaves` numbers of entries.
    """
    quarter = tables.WAVE // 4
    waves = [(start, quarter >> n) for start in (0, quarter) for n in range(num_octaves)]
    return [[(start + n * step) % tables.WAVE for start, step in waves] for n in range(size)]


def _round_sums(network: nn.Module) -> None:
    """Lets every convolution round what it gives, once all of its terms are added."""
    inner = {module.conv for module in network.modules() if isinstance(module, HorizontalConv)}
    for module in network.modules():
        if isinstance(module, (HorizontalConv, *PRODUCTS)) and module not in inner:
            module.register_forward_hook(_rounded)


def _rounded(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return torch.round(output)  # `PortableArithmetic` settles it
