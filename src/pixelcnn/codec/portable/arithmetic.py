"""Arithmetic in which a network gives the same numbers everywhere."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from pixelcnn.codec.portable import tables
from pixelcnn.errors import ConfigError

FRACTION_BITS = 14
"""Features and weights are multiples of 2**-14."""

LARGEST = 128.0
"""What a layer gives is clipped to ±128."""

SUM_BITS = 52 - 2 * FRACTION_BITS
"""Sums of products must stay below 2**24: with their 28 bits of fraction float64 is then exact."""

WEIGHT_BITS = 20
"""Weights of an attention are multiples of 2**-20."""

MOST_DEVIATION = 2.0**24  # units of 2**-14 from the mean of a norm

# Functions that move numbers, or add, compare or count what needs no rounding. Products whose
# layer rounds what they give, when all of its terms are there, are among them.
EXACT_NAMES = """
__get__ __getitem__ __setitem__ __len__ __int__ __bool__ size dim stride storage_offset numel
reshape view permute transpose contiguous flatten unflatten chunk split select unbind narrow
unsqueeze squeeze expand expand_as repeat cat stack pad as_strided index_select index_copy_
copy_ clone detach tensor to int long double new_zeros new_empty zeros_like zero_ arange
meshgrid promote_types is_floating_point is_complex nonzero embedding
add __add__ __radd__ add_ sub __sub__ neg __neg__ relu addmm_
"""
EXACT = frozenset(EXACT_NAMES.split())


def settle(h: Tensor) -> Tensor:
    """Rounds to the nearest multiples of 2**-14, halves upwards, and clips to ±128."""
    return settle_(h.clone())


def settle_(h: Tensor) -> Tensor:
    """`settle` in place."""
    # Halves upwards: a sum is then rounded alike before and after a multiple of 2**-14 is added.
    units = h.mul_(2.0**FRACTION_BITS).add_(0.5).floor_()
    return units.mul_(2.0**-FRACTION_BITS).clamp_(-LARGEST, LARGEST)


class PortableArithmetic(TorchFunctionMode):
    """While it is active, functions of torch give the same numbers on every machine.

    Every feature is a multiple of 2**-14 in float64, and so is every weight. A sum of products is
    then exact, in whatever order its terms are added, if `SUM_BITS` are enough for it; what a
    layer gives is rounded and clipped once (`settle`). Functions are read from tables. Single
    operations (+, -, ×, /, square root, rounding) are exact or rounded as IEEE 754 says, which all
    processors do alike.

    A function that is not known to be so is refused. Convolutions are exact and not rounded: a
    walk adds up their parts. Whoever knows the sum to be complete calls `torch.round`.

    Raises:
        ConfigError: If another function is called.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = func.__name__
        if name in EXACT:
            return func(*args, **kwargs) if kwargs else func(*args)
        replaced = REPLACED.get(name)
        if replaced is None:
            raise ConfigError(
                f"`entropy_model` portable needs a network of known functions, got `{name}`. Use "
                f"`entropy_model` machine-bound."
            )
        return replaced(*args, **(kwargs or {}))


def _conv2d(*args: Any, **kwargs: Any) -> Tensor:
    # Not by cuDNN, whose fast algorithms transform their input, but as one product of matrices.
    with torch.backends.cudnn.flags(enabled=False):
        return F.conv2d(*args, **kwargs)


def _dropout(h: Tensor, p: float = 0.5, *, training: bool = True, inplace: bool = False) -> Tensor:
    assert not training
    return h


def _settled(func: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that makes a new tensor, and rounds it."""
    return lambda *args, **kwargs: settle_(func(*args, **kwargs))


@cache
def _logistic() -> Tensor:
    return settle(tables.logistic())


@cache
def _hyperbolic() -> Tensor:
    return settle(tables.hyperbolic())


@cache
def _exponential() -> Tensor:
    return settle(tables.exponential())


@cache
def _weights() -> Tensor:
    return tables.exponential().mul(2.0**26).round_().mul_(2.0**-26)


def sigmoid(h: Tensor) -> Tensor:
    """σ by its table."""
    first = -tables.REACH * tables.STEPS
    return tables.read_nearest(tables.on_device(_logistic, h.device), h, first=first)


def tanh(h: Tensor) -> Tensor:
    """The hyperbolic tangent by its table."""
    first = -tables.REACH * tables.STEPS // 2
    return tables.read_nearest(tables.on_device(_hyperbolic, h.device), h, first=first)


def elu(h: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """max(h, 0) + exp(min(h, 0)) - 1, the exponential by its table."""
    below = tables.read_nearest(tables.on_device(_exponential, h.device), -h)  # 1 where h > 0
    return below.sub_(1).add_(h.clamp(min=0))


def softmax(h: Tensor, dim: int = -1) -> Tensor:
    """exp(h - max) by its table in multiples of 2**-26, by its exact sum, to 2**-20."""
    below = h.amax(dim, keepdim=True) - h
    weights = tables.read_nearest(tables.on_device(_weights, h.device), below)
    shares = weights.div_(weights.sum(dim, keepdim=True))
    return shares.mul_(2.0**WEIGHT_BITS).round_().mul_(2.0**-WEIGHT_BITS)


def attention(
    query: Tensor, key: Tensor, value: Tensor, *, is_causal: bool, scale: float
) -> Tensor:
    """Scaled dot-product attention, step by step as along a walk."""
    assert is_causal
    fits = settle_(settle_(query * scale) @ key.mT)
    later = torch.ones(fits.shape[-2:], dtype=torch.bool, device=fits.device).triu_(1)
    return settle_(softmax(fits.masked_fill_(later, -torch.inf)) @ value)


def layer_norm(
    h: Tensor,
    shape: Sequence[int],
    weight: None = None,
    bias: None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalises the last axis; the mean is rounded, the squares are added as integers."""
    (size,) = shape
    units = h * 2.0**FRACTION_BITS
    mean = units.sum(-1, keepdim=True).div_(size).round_()
    units = units.sub_(mean).clamp_(-MOST_DEVIATION, MOST_DEVIATION)
    squares = units.long().square_().sum(-1, keepdim=True).double()
    variance = squares.div_(size).mul_(2.0 ** (-2 * FRACTION_BITS))
    deviation = variance.add_(eps).sqrt_().mul_(2.0**FRACTION_BITS)
    return settle_(units.div_(deviation))


def batch_norm(
    h: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """A scale and a shift, each rounded."""
    assert not training
    scale = weight / (variance + eps).sqrt_()
    shift = bias - mean * scale
    return settle_((h * settle_(scale)).add_(settle_(shift)))


def _addcmul(h: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return settle_((first * second).add_(h))


REPLACED: dict[str, Callable[..., Any]] = {
    "conv2d": _conv2d,
    "dropout": _dropout,
    "round": settle_,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "elu": elu,
    "softmax": softmax,
    "scaled_dot_product_attention": attention,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "addcmul": _addcmul,
    "mul": _settled(torch.mul),
    "__mul__": _settled(torch.mul),
    "__rmul__": _settled(torch.mul),
    "div": _settled(torch.div),
    "__truediv__": _settled(torch.div),
    "linear": _settled(F.linear),
    "addmm": _settled(torch.addmm),
    "bmm": _settled(torch.bmm),
    "matmul": _settled(torch.matmul),
    "__matmul__": _settled(torch.matmul),
    "avg_pool2d": _settled(F.avg_pool2d),
}
