"""What the portable entropy model costs, in bits and in time.

python -m benchmarks.portable [--model NAME] [--images N] [--batch-size B]

Walks over test images with one thread, by the model's own floats and in portable arithmetic, and
turns the logits into frequencies as `pixelcnn.codec` does. Needs MNIST, see docs/data.md.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import machine, table
from pixelcnn import list_weights, load, load_data
from pixelcnn.codec import PRECISION_BITS, EntropyModel, MachineBound, level_frequencies
from pixelcnn.codec.portable import Portable
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front
from pixelcnn.walk import walk

HEAD = [
    "model", "images", "model, bits/dim", "machine-bound", "portable", "more bits",
    "machine-bound, s", "portable, s", "times as long",
]  # fmt: skip
DATA: dict[str, dict[str, Any]] = {
    "digits": {"dataset_name": "digits"},
    "mnist-binary": {"dataset_name": "mnist", "binarization": "threshold"},
    "mnist-256": {"dataset_name": "mnist"},
}


@dataclass
class Cost:
    """Bits of images by the logits and by the frequencies, and the time of the walks."""

    exact_bits: float = 0.0
    coded_bits: float = 0.0
    seconds: float = 0.0


def cost(entropy_model: EntropyModel, x: Tensor, cond: Tensor | None, batch_size: int) -> Cost:
    """Walks over images, as an encoder does."""
    found = Cost()

    def choose(logits: Tensor, front: Front) -> Tensor:
        levels = front.of(batch).flatten()
        nats = logits.double().log_softmax(1).gather(1, levels[:, None])
        found.exact_bits -= (nats.sum() / torch.log(torch.tensor(2.0))).item()
        frequencies = level_frequencies(logits).gather(1, levels[:, None])
        found.coded_bits += (PRECISION_BITS - frequencies.double().log2()).sum().item()
        return levels

    for first in range(0, len(x), batch_size):
        part = slice(first, first + batch_size)
        batch, given = x[part], None if cond is None else cond[part]
        start = time.perf_counter()
        walk(entropy_model.stepper(), batch.clone(), choose, cond=given)
        found.seconds += time.perf_counter() - start
    return found


def row(name: str, model: AutoregressiveModel, num_images: int, batch_size: int) -> list[str]:
    """Both entropy models over the first test images."""
    images = load_data(**DATA[name]).test
    first = torch.arange(min(num_images, len(images)))
    (x,) = images.read([first])
    x = x.long()
    cond = None if model.condition.is_optional else images.take(first).labels
    own, portable = (cost(kind(model), x, cond, batch_size) for kind in (MachineBound, Portable))
    dims = x.numel()
    return [
        name,
        f"{len(x):,}",
        *(f"{bits / dims:.5f}" for bits in (own.exact_bits, own.coded_bits, portable.coded_bits)),
        f"{100 * (portable.coded_bits / own.coded_bits - 1):+.3f} %",
        f"{own.seconds:.1f}",
        f"{portable.seconds:.1f}",
        f"{portable.seconds / own.seconds:.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=list_weights(), help="one bundled model; default: all")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=125)
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = [args.model] if args.model else list_weights()
    rows = [row(name, load(name), args.images, args.batch_size) for name in names]
    print(f"{machine()}, batches of {args.batch_size}\n\n{table(HEAD, rows)}")


if __name__ == "__main__":
    main()
