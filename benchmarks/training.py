"""Training: images per second of every model, in float32 and bf16, compiled or not.

python -m benchmarks.training            (some minutes on one thread)
python -m benchmarks.training --quick    (without compiling)
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import Section, Spread, alternate, machine, ratio, seconds_spent
from benchmarks.textbook import textbook, textbook_nll
from pixelcnn.config import TrainingConfig
from pixelcnn.models import build
from pixelcnn.training.compilation import compile_or_explain
from pixelcnn.training.optimisation.optimizers import make_optimizer

STEPS, ROUNDS = 2, 9
HEAD = [
    "network, batch", "training", "images/s", "against float32",
    "share of products", "against the textbook",
]  # fmt: skip
TEXTBOOK = "textbook float32"


@dataclass(frozen=True)
class Network:
    """A network to train.

    Attributes:
        model: Key of `pixelcnn.models.MODELS`.
        options: Its settings.
        batch: Images of a step.
        compiles: Whether its recipe compiles it.
    """

    model: str
    options: dict[str, Any] = field(default_factory=dict)
    batch: int = 16
    compiles: bool = False


GATED = {"hidden_channels": 32, "num_layers": 8, "dilations": [1, 2, 1, 4, 1, 2, 1]}
CIFAR = {"in_channels": 3, "num_classes": 256, "likelihood": "logistic_mixture", "image_size": 32}
NETWORKS = {
    # configs/mnist-binary.yaml
    "PixelCNN 64 × 4": Network("pixelcnn", {"num_residual_blocks": 4}, batch=64, compiles=True),
    # configs/mnist-binary-gated.yaml, without its attention and with it
    "gated 32 × 8": Network("gated", GATED),
    "gated 32 × 8, attention": Network("gated", {**GATED, "attention_every": 4, "num_heads": 1}),
    # The small versions of configs/cifar10-pixelcnnpp.yaml and, with two blocks, -pixelsnail.yaml
    "PixelCNN++ 32 × 1": Network(
        "pixelcnnpp", {**CIFAR, "hidden_channels": 32, "num_resnets": 1, "num_mixtures": 5}
    ),
    "PixelSNAIL 32, 2 attentions": Network("pixelsnail", {**CIFAR, "hidden_channels": 32}),
    # As wide as in the paper, and half as wide, with fewer blocks
    "PixelCNN++ 160 × 1": Network(
        "pixelcnnpp", {**CIFAR, "hidden_channels": 160, "num_resnets": 1}, batch=8
    ),
    "PixelSNAIL 128, 2 attentions": Network(
        "pixelsnail", {**CIFAR, "hidden_channels": 128}, batch=8
    ),
}


def steps(
    loss: Callable[[Tensor, Tensor | None], Tensor], model: nn.Module, x: Tensor, *, bf16: bool
) -> Callable[[], None]:
    """Training steps, including the optimiser."""
    optimizer = make_optimizer(model, TrainingConfig())

    def run() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                mean = loss(x, None).mean() / x[0].numel()
            mean.backward()
            optimizer.step()

    return run


def ways(network: Network, *, quick: bool) -> tuple[Tensor, dict[str, Callable[[], None]]]:
    """A batch, and the variants of training on it."""
    torch.manual_seed(0)
    model = build(network.model, **{"num_classes": 2, "image_size": 28, **network.options})
    x = torch.randint(model.num_classes, (network.batch, *model.spec.shape))
    model.initialise(x)

    def nll(x: Tensor, cond: Tensor | None) -> Tensor:
        return -model.log_prob(x, cond, check=False)

    work = {
        "float32": steps(nll, model, x, bf16=False),
        "bf16": steps(nll, model, x, bf16=True),
    }
    if network.compiles and not quick:
        with torch.autocast("cpu", torch.bfloat16):
            compiled, reason = compile_or_explain(nll, x, None, model.parameters())
        if reason is None:
            work["bf16, compiled"] = steps(compiled, model, x, bf16=True)
        else:
            print(f"not compiled: {reason}")
    if network.model == "pixelcnn":
        reference = textbook()
        work[TEXTBOOK] = steps(lambda x, _: textbook_nll(reference, x), reference, x, bf16=False)
    return x, work


def product_seconds(run: Callable[[], None]) -> dict[str, float]:
    """Seconds that the products of some steps take at the rate of one large product."""

    with FlopCounterMode(display=False) as counter:
        run()
    found = {}
    for name, dtype in (("float32", torch.float32), ("bf16", torch.bfloat16)):
        h, weight = torch.randn(16, 28, 28, 64, dtype=dtype), torch.randn(128, 64, dtype=dtype)
        planes, kernel = rearrange(h, "b h w d -> b d h w"), weight[:, :, None, None]
        # Two libraries: one may know a processor better than the other.
        rivals = {
            "matrix": lambda h=h, weight=weight: F.linear(h, weight),
            "convolution": lambda planes=planes, kernel=kernel: F.conv2d(planes, kernel),
        }
        seconds = alternate(rivals, rounds=20, clock=seconds_spent)
        least = min(min(taken) for taken in seconds.values())
        found[name] = counter.get_total_flops() * least / (2 * h.numel() * len(weight))
    return found


def rows_of(name: str, network: Network, *, quick: bool) -> list[list[str | Spread]]:
    x, work = ways(network, quick=quick)
    # In bf16 attention is products too, so these are counted there.
    products = product_seconds(work["bf16"])
    seconds = alternate(work, ROUNDS, clock=seconds_spent)

    def share(way: str, taken: list[float]) -> str | Spread:
        if way == TEXTBOOK:
            return ""
        return Spread.of([products["bf16" if "bf16" in way else "float32"] / s for s in taken])

    return [
        [
            f"{name}, {len(x)}",
            way,
            Spread.of([STEPS * len(x) / s for s in taken]),
            ratio(seconds, "float32", way),
            share(way, taken),
            ratio(seconds, TEXTBOOK, way) if TEXTBOOK in seconds else "",
        ]
        for way, taken in seconds.items()
    ]


def section(*, quick: bool) -> Section:
    rows = [
        row for name, network in NETWORKS.items() for row in rows_of(name, network, quick=quick)
    ]
    setting = f"Loss, gradients and optimiser. {machine()}."
    return Section("Training", setting, HEAD, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="compile nothing")
    print(section(quick=parser.parse_args().quick).text())


if __name__ == "__main__":
    main()
