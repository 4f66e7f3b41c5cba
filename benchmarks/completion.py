"""Completions of a digit by raster, smc and gibbs: time, log-probability and diagnostics.

python -m benchmarks.completion MODEL --out runs/completion     (a model of thresholded MNIST)

Sixty-four completions of a test digit with the bottom, then the top half unknown. For each method:
seconds, and the log-probability of the known part and of the whole completed image. Writes
completion.md and a picture.
"""

import argparse
import time
import warnings
from pathlib import Path

import torch

from benchmarks.measure import machine, table
from pixelcnn.charts.completions import completions_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.data import batches, load_data
from pixelcnn.files import write_text
from pixelcnn.inference import Completions, UnreliableEstimateWarning, complete, known_mask
from pixelcnn.runs import load

HEAD = [
    "unknown", "method", "seconds", "known part, nats: mean", "best", "whole image, nats: mean",
    "best", "diagnostics",
]  # fmt: skip


def completions_of(
    model_name: str, number: int, count: int, options: dict[str, dict[str, int]]
) -> tuple[list[list[str]], dict[str, Completions], torch.Tensor]:
    """Table rows and completions of one digit, by method and by unknown half."""
    model = load(model_name)
    test = load_data("mnist", image_size=28, binarization="threshold").test
    (batch,) = batches(test.take(torch.tensor([number])), 1)
    image = batch.x
    rows, found = [], {}
    for missing in ("bottom", "top"):
        known = known_mask(missing, (1, 28, 28))
        for method, chosen in options.items():
            start = time.perf_counter()
            done = complete(model, image, known, method=method, num_completions=count, **chosen)
            seconds = time.perf_counter() - start
            rows.append([missing, method, f"{seconds:.1f}", *metrics_of(done)])
            found[f"{missing}, {method}"] = done
            print(" | ".join(rows[-1]), flush=True)
    return rows, found, image


def metrics_of(found: Completions) -> list[str]:
    """Metrics of one digit, as text."""
    words = [f"{name} {float(values[0]):.3g}" for name, values in found.diagnostics.items()]
    if not found.is_reliable:
        words.append("**unreliable**")
    explained, whole = found.known_log_prob[0], found.log_prob[0]
    return [
        f"{explained.mean():.1f} ± {explained.std():.1f}",
        f"{explained.max():.1f}",
        f"{whole.mean():.1f} ± {whole.std():.1f}",
        f"{whole.max():.1f}",
        ", ".join(words),
    ]


def join(found: dict[str, Completions]) -> Completions:
    """The completions of all methods, as rows of one picture."""
    parts = list(found.values())
    return Completions(
        images=torch.cat([each.images for each in parts]),
        log_prob=torch.cat([each.log_prob for each in parts]),
        known_log_prob=torch.cat([each.known_log_prob for each in parts]),
        known=torch.cat([each.known for each in parts]),
        method="side by side",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a .safetensors file, or the name of a bundled model")
    parser.add_argument("--out", default="runs/completion", help="folder (default: %(default)s)")
    parser.add_argument("--image", type=int, default=3, help="number of the test digit")
    parser.add_argument("--completions", type=int, default=64)
    parser.add_argument("--particles", type=int, default=32)
    parser.add_argument("--sweeps", type=int, default=20)
    args = parser.parse_args()
    warnings.simplefilter("ignore", UnreliableEstimateWarning)  # the table shows it

    options = {
        "raster": {},
        "smc": {"num_particles": args.particles},
        "gibbs": {"num_sweeps": args.sweeps},
    }
    rows, found, image = completions_of(args.model, args.image, args.completions, options)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    head = f"{args.completions} completions of test digit {args.image}. {machine()}.\n\n"
    write_text(out / "completion.md", head + table(HEAD, rows) + "\n")
    figure = completions_figure(
        image.expand(len(found), -1, -1, -1), join(found), levels=2, names=list(found)
    )
    save_figure(figure, out / "completion.png")
    print(out / "completion.md")


if __name__ == "__main__":
    main()
