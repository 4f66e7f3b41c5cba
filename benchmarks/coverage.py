"""Coverage of the intervals of `conditional`, and variance of the two estimates of `marginal`.

python -m benchmarks.coverage            (about fifteen minutes on one core)
python -m benchmarks.coverage --quick    (100 repeated runs instead of 400)
"""

import argparse
import time
import warnings

import torch

from benchmarks.measure import machine, table
from pixelcnn.inference import UnreliableEstimateWarning, conditional, marginal
from pixelcnn.models import AutoregressiveModel, PixelCNN
from pixelcnn.runs import load
from tests.inference.tiny import TINY, exact_levels, random_query, tiny_model

SIZES = {
    "importance": {"num_draws": 400},
    "smc": {"num_populations": 20, "num_particles": 20},
    "gibbs": {"num_chains": 16, "num_sweeps": 60},
}
CHAINED = ("binary", "levels", "rgb")  # chains take a second for each of the 400 runs


def coverage(name: str, method: str, runs: int) -> list[str]:
    """Share of 95 % intervals that contain the exact probability: worst and best level."""
    model = tiny_model(name)
    x, known = random_query(model, 1)
    unknown = (~known).nonzero().tolist()
    site = tuple(unknown[1])
    exact = exact_levels(model, site, x, known)
    covered, errors = torch.zeros(len(exact)), []
    for seed in range(runs):
        options = {"method": method, "seed": seed, "batch_size": 4000, **SIZES[method]}
        found = conditional(model, site, given=x, known=known, **options)
        low, high = found.interval()
        covered += (low <= exact) & (exact <= high)
        errors.append((found.probabilities - exact)[0])
    shares = covered / runs
    return [
        f"{name}, {len(unknown)} of {x.numel()} unknown",
        method,
        f"{100 * shares.min():.1f} … {100 * shares.max():.1f} %",
        f"{torch.stack(errors).std():.4f}",
        f"{found.stderr[0]:.4f}",
    ]


def variance(name: str, site: tuple[int, int]) -> list[str]:
    """Averaged conditionals against counted samples of one trained model."""
    model = load(name)
    found = marginal(model, site, num_draws=1000, cond=3 if model.num_labels else None)
    averaged, counted = (
        float(each.stderr.square().sum().sqrt()) for each in (found.averaged, found.counted)
    )
    ratio = f"{found.variance_ratio:.2f}"
    return [f"`{name}` at {site}", f"{averaged:.4f}", f"{counted:.4f}", ratio]


def seconds(model: AutoregressiveModel, num_draws: int) -> str:
    """Wall and CPU time of the marginal of the middle pixel of 28×28."""
    start, spent = time.perf_counter(), time.process_time()
    marginal(model, (14, 14), num_draws=num_draws, cond=3 if model.num_labels else None)
    wall, processor = time.perf_counter() - start, time.process_time() - spent
    return f"{wall:.1f} s wall time, {processor:.1f} s CPU time"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeated runs")
    warnings.simplefilter("ignore", UnreliableEstimateWarning)  # coverage is what is measured
    runs = 100 if parser.parse_args().quick else 400
    print(f"{machine()}.\n\n95 % intervals of {runs} repeated runs, against enumeration:\n")
    rows = [
        coverage(name, method, runs)
        for name in TINY
        for method in SIZES
        if method != "gibbs" or name in CHAINED
    ]
    head = ["model", "method", "coverage", "standard deviation of runs", "standard error stated"]
    print(table(head, rows))
    rows = [variance("digits", (4, 4)), variance("mnist-binary", (14, 14))]
    print("\nMarginals by 1,000 samples, conditioned on the label 3:\n")
    print(table(["model and site", "SE, averaged", "SE, counted", "variance ratio"], rows))
    torch.manual_seed(0)
    rivals = {
        "configs/mnist-binary.yaml": PixelCNN(num_residual_blocks=4, image_size=28, num_classes=2),
        "the bundled `mnist-binary`": load("mnist-binary"),
    }
    for name, model in rivals.items():
        print(f"\nThe marginal of (14, 14) by 10,000 samples of {name}: {seconds(model, 10_000)}.")


if __name__ == "__main__":
    main()
