"""`torch.compile` where a compiler is at hand."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch._functorch.config as functorch_config
from einops import rearrange
from torch import Tensor, nn

from pixelcnn.training.quiet import quiet_loggers

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
        with _settings(x.device), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice for authors of compilers
            torch.autograd.grad(compiled(x, cond).sum(), list(parameters), allow_unused=True)
    except Exception as error:  # a missing or failing compiler raises a different class each time
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        return function, reason
    return compiled, None


@contextmanager
def _settings(device: torch.device) -> Iterator[None]:
    """What the compiler is told while it compiles for a device."""
    # On a processor it would save the masks of all ReLUs, transposed byte by byte, which takes
    # three times as long as everything else; with a budget it computes them again.
    budget = 0.7 if device.type == "cpu" else 1.0
    patched = functorch_config.patch(activation_memory_budget=budget)
    # It looks for CUDA also where none is wanted, and says so.
    with quiet_loggers("torch.utils.cpp_extension"), patched:
        yield
