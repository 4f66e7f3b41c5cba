"""Sampling in 16 bits: speed, and the difference of distribution.

python -m benchmarks.precision                          (the bundled binary MNIST model)
python -m benchmarks.precision mnist-256 RUN --batch 64
"""

import argparse
import time

import torch
from torch import Tensor

from benchmarks.measure import Spread, alternate, machine, ratio, seconds_spent, table
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import open_model
from pixelcnn.walk.precision import DTYPES, RoundedModel

HEAD = ["model, batch", "precision", "seconds", "speed-up", "equal sub-pixels", "KL, nats"]


def rows_of(title: str, model: AutoregressiveModel, batch: int, rounds: int) -> list[list[str]]:
    """A row for each precision, of one batch with labels in turn."""
    labels = None if model.num_labels is None else torch.arange(batch) % model.num_labels
    sampler, images = PixelCNNSampler(model), {}

    def run(precision: str) -> None:
        images[precision] = sampler.generate_samples(
            batch, cond=labels, precision=precision, batch_size=batch
        )

    seconds = alternate(
        {
            precision: lambda precision=precision: run(precision)
            for precision in ("float32", *DTYPES)
        },
        rounds,
        clock=seconds_spent if model.device.type == "cpu" else time.perf_counter,
    )
    return [
        [
            f"{title}, {batch}",
            precision,
            Spread.of(seconds[precision]).text(),
            ratio(seconds, "float32", precision).text(),
            f"{(images[precision] == images['float32']).float().mean():.2%}",
            ""
            if precision == "float32"
            else divergence(model, images["float32"], labels, precision),
        ]
        for precision in seconds
    ]


@torch.inference_mode()
def divergence(model: AutoregressiveModel, x: Tensor, labels: Tensor | None, precision: str) -> str:
    """KL divergence of the 16-bit model from the model, nats per image, by samples of the model."""
    rounded, found = RoundedModel(model, DTYPES[precision]), []
    for first in range(0, len(x), 32):
        part = x[first : first + 32].to(model.device)
        cond = model.prepare_cond(None if labels is None else labels[first : first + 32], len(part))
        there = model.likelihood.log_prob(rounded(part, cond), part).flatten(1).sum(1)
        found.append(model.log_prob(part, cond) - there)
    nats = torch.cat(found).double()
    return f"{nats.mean():.4f} ± {nats.std() / len(nats) ** 0.5:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", default=["mnist-binary"], metavar="RUN")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    rows = []
    for name in args.runs:
        model = open_model(name, device=args.device).model
        rows += rows_of(name, model, args.batch, args.rounds)
    print(f"{machine()}.\n")
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
