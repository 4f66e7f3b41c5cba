"""Training: images per second, plain float32 against bf16, compiled, channels-last.

python -m benchmarks.training    (about three minutes on two cores)
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.measure import Spread, alternate, machine, ratio, table
from pixelcnn.config import TrainingConfig
from pixelcnn.models import PixelCNN
from pixelcnn.nn import raster_mask
from pixelcnn.training.compiled import compile_or_explain
from pixelcnn.training.optimisation import make_optimizer

BATCH, SIDE, STEPS = 64, 28, 10


class TextbookConv(nn.Conv2d):
    """A masked convolution as tutorials write it: all taps, channels first."""

    def __init__(self, kind: str, inputs: int, outputs: int, side: int) -> None:
        super().__init__(inputs, outputs, side, padding=side // 2)
        self.register_buffer("mask", raster_mask(kind, outputs, inputs, (side, side)))

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class TextbookBlock(nn.Sequential):
    """The residual block of the same sizes."""

    def __init__(self, hidden: int) -> None:
        half = hidden // 2
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(hidden, half, 1),
            nn.ReLU(),
            TextbookConv("B", half, half, 3),
            nn.ReLU(),
            nn.Conv2d(half, hidden, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def textbook(hidden: int = 64, blocks: int = 4) -> nn.Module:
    """The same network in plain PyTorch."""
    return nn.Sequential(
        TextbookConv("A", 1, hidden, 7),
        *(TextbookBlock(hidden) for _ in range(blocks)),
        nn.ReLU(),
        nn.Conv2d(hidden, hidden, 1),
        nn.ReLU(),
        nn.Conv2d(hidden, 1, 1),
    )


def steps(
    loss: Callable[[Tensor, Tensor | None], Tensor], model: nn.Module, x: Tensor, *, bf16: bool
) -> Callable[[], None]:
    """Some steps of training, optimiser included."""
    optimizer = make_optimizer(model.parameters(), TrainingConfig())

    def run() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                mean = loss(x, None).mean()
            mean.backward()
            optimizer.step()

    return run


def main() -> None:
    torch.manual_seed(0)
    x = torch.randint(2, (BATCH, 1, SIDE, SIDE))
    work = {}
    reference = textbook()

    def reference_nll(x: Tensor, cond: Tensor | None) -> Tensor:
        logits = reference(2.0 * x - 1)
        return F.binary_cross_entropy_with_logits(logits, x.float(), reduction="none").sum(
            (1, 2, 3)
        )

    work["textbook float32"] = steps(reference_nll, reference, x, bf16=False)
    for name, bf16, compiled in (
        ("float32", False, False),
        ("bf16", True, False),
        ("bf16, compiled", True, True),
    ):
        model = PixelCNN(hidden_channels=64, num_residual_blocks=4)

        def nll(x: Tensor, cond: Tensor | None, model: PixelCNN = model) -> Tensor:
            return -model.log_prob(x, cond, check=False)

        loss = nll
        if compiled:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss, reason = compile_or_explain(nll, x, None, model.parameters())
            if reason is not None:
                print(f"not compiled: {reason}")
        work[name] = steps(loss, model, x, bf16=bf16)

    seconds = alternate(work, rounds=9)
    rows = [
        [
            name,
            Spread.of([STEPS * BATCH / s for s in taken]).text(),
            ratio(seconds, "float32", name).text(),
            ratio(seconds, "textbook float32", name).text(),
        ]
        for name, taken in seconds.items()
    ]
    print(f"PixelCNN 64 × 4 blocks, {SIDE}×{SIDE}, batch {BATCH}. {machine()}.\n")
    print(table(["training", "images/s", "against float32", "against the textbook"], rows))


if __name__ == "__main__":
    main()
