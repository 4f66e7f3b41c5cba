"""Muon: momentum whose steps are orthogonal matrices."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.adamw import adamw

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration: steep at zero, singular values end in about [0.7, 1.2]."""
BETAS, EPS = (0.9, 0.95), 1e-10
ADAM_SHARE = 0.25
"""Learning rate of AdamW for all that is no kernel, as a share of that of the kernels."""


class Muon(Optimizer):
    """Steps along the nearest orthogonal matrix to the momentum, for kernels; AdamW for the rest.

    A kernel of shape (O, I, h, w) is taken as the matrix (O, I × h × w). Weights that a mask hides
    have no gradient, and are not moved.

    Args:
        kernels: Parameters of two or more axes, the first of them the outputs.
        others: Embeddings, biases, gains and the output layer.
        lr: Learning rate of the kernels; `others` have a quarter of it.
        weight_decay: Decoupled, of all.
        momentum: Share of the momentum that stays at each step; the step looks ahead by Nesterov.

    References:
        Muon: An optimizer for hidden layers in neural networks (Jordan et al., 2024).
        https://kellerjordan.github.io/posts/muon/

    Example:
        >>> kernel = nn.Parameter(torch.eye(2))
        >>> kernel.grad = torch.tensor([[4.0, 0.0], [0.0, 0.1]])
        >>> Muon([kernel], [], lr=0.1).step()
        >>> bool((kernel.diag() < 0.95).all())  # both directions move alike
        True
    """

    def __init__(
        self,
        kernels: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
    ) -> None:
        groups = [
            {"params": list(kernels), "lr": lr, "muon": True},
            {"params": list(others), "lr": lr * ADAM_SHARE, "muon": False},
        ]
        defaults = {"momentum": momentum, "weight_decay": weight_decay}
        super().__init__([group for group in groups if group["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [each for each in group["params"] if each.grad is not None]
            (self._step_kernels if group["muon"] else self._step_others)(parameters, group)
        return loss

    def _step_kernels(self, kernels: list[nn.Parameter], group: dict[str, Any]) -> None:
        alike: defaultdict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
        for kernel in kernels:
            alike[len(kernel), kernel[0].numel()].append(kernel)
        for (rows, columns), same in alike.items():
            momenta = torch.stack([self._momentum(each, group["momentum"]) for each in same])
            # A mask's zeros are zeros of every gradient; the iteration would fill them.
            steps = orthogonalise(momenta) * (momenta != 0)
            rate = group["lr"] * max(1.0, rows / columns) ** 0.5
            for kernel, step in zip(same, steps, strict=True):
                kernel.mul_(1 - group["lr"] * group["weight_decay"])
                kernel.add_(step.view_as(kernel), alpha=-rate)

    def _momentum(self, kernel: nn.Parameter, momentum: float) -> Tensor:
        """The momentum after this gradient, one step ahead. (O, I × h × w)."""
        state = self.state[kernel]
        assert kernel.grad is not None
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        state["momentum"].lerp_(kernel.grad, 1 - momentum)
        return kernel.grad.lerp(state["momentum"], momentum).flatten(1)

    def _step_others(self, others: list[nn.Parameter], group: dict[str, Any]) -> None:
        for each in others:
            if not self.state[each]:
                self.state[each]["step"] = torch.tensor(0.0, device=each.device)
                self.state[each]["exp_avg"] = torch.zeros_like(each)
                self.state[each]["exp_avg_sq"] = torch.zeros_like(each)
        states = [self.state[each] for each in others]
        on_known_device = all(each.device.type in ("cpu", "cuda") for each in others)
        adamw(
            list(others),
            [each.grad for each in others if each.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=on_known_device,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=EPS,
            maximize=False,
        )


def orthogonalise(matrices: Tensor, *, steps: int = 5) -> Tensor:
    """Brings all singular values near 1 by Newton-Schulz iterations.

    Args:
        matrices: (N, rows, columns).
        steps: Iterations.

    Returns:
        Of the same shape; singular values of at least a thousandth of the largest end in about
        [0.7, 1.2].

    Example:
        >>> found = orthogonalise(torch.tensor([[[3.0, 0.0, 0.0], [0.0, 0.2, 0.0]]]))
        >>> bool((torch.linalg.svdvals(found) - 1).abs().max() < 0.35)
        True
    """
    a, b, c = NEWTON_SCHULZ
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if is_tall else matrices
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, b * gram + c * gram @ gram, x, beta=a)
    return x.mT if is_tall else x
