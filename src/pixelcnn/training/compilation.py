"""`torch.compile`, where there is a working compiler."""

import warnings
from collections.abc import Callable, Iterable

import numpy as np
import torch
import torch._functorch.config as functorch_config
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.logger import quiet_loggers

Nll = Callable[[Tensor, Tensor | None], Tensor]


def compile_or_explain(
    function: Nll, x: Tensor, cond: Tensor | None, parameters: Iterable[nn.Parameter]
) -> tuple[Nll, str | None]:
    """Compiles a loss and tries it, backward pass included.

    Args:
        function: Maps images and labels to a loss per image (B,).
        x: A batch of the training.
        cond: Its labels, or None.
        parameters: Parameters to differentiate by.

    Returns:
        The compiled function and None; or `function` itself and the reason in one line.
    """
    # einops keeps a table of array types, and a graph is compiled again when the table grows: so
    # NumPy enters it now, not with the first image that is plotted.
    rearrange(np.zeros(1), "a -> a")
    # On a CPU it would save the masks of all ReLUs, transposed byte by byte, which takes three
    # times as long as everything else; with a budget it recomputes them.
    budget = 0.7 if x.device.type == "cpu" else 1.0
    try:
        compiled = torch.compile(function)
        # It looks for CUDA where none is used, and warns about it.
        quiet = quiet_loggers("torch.utils.cpp_extension")
        patched = functorch_config.patch(activation_memory_budget=budget)
        with quiet, patched, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints for authors of compilers
            torch.autograd.grad(compiled(x, cond).sum(), list(parameters), allow_unused=True)
    except Exception as error:  # a missing or failing compiler raises a different class each time
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        return function, reason
    return compiled, None
