"""`torch.compile` where a compiler is at hand."""

import warnings
from collections.abc import Callable, Iterable

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

Nll = Callable[[Tensor, Tensor | None], Tensor]


def compile_or_explain(
    function: Nll, x: Tensor, cond: Tensor | None, parameters: Iterable[nn.Parameter]
) -> tuple[Nll, str | None]:
    """Compiles a loss and tries it, backward pass included.

    Args:
        function: Maps images and labels to a loss per image (B,).
        x: A batch as it will come in training.
        cond: Its labels, or None.
        parameters: What the loss is differentiated by.

    Returns:
        The compiled function and None; or `function` itself and, in a line, why.
    """
    # einops keeps a table of the array types it has met, and a graph is compiled again when the
    # table has grown: so it meets NumPy now, not with the first picture.
    rearrange(np.zeros(1), "a -> a")
    try:
        compiled = torch.compile(function)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice for authors of compilers
            torch.autograd.grad(compiled(x, cond).sum(), list(parameters), allow_unused=True)
    except Exception as error:  # a missing or failing compiler raises a different class each time
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        return function, reason
    return compiled, None
