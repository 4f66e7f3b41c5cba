"""Samples a public checkpoint by the loop of its program and by the cached walk, in alternation.

python -m benchmarks.foreign CHECKPOINT [IMAGES]

CHECKPOINT is that of the UvA deep learning course, tutorial 12.
"""

import statistics
import sys
import time

import torch

from pixelcnn.importing import import_model
from pixelcnn.importing.foreign import read_state_dict
from tests.importing.published import UvaTutorial

ROUNDS = 3
SIDE = 28


@torch.no_grad()
def loop(network: UvaTutorial, count: int) -> None:
    """One pass for each pixel over the rows so far, as the tutorial does."""
    images = torch.full((count, 1, SIDE, SIDE), -1)
    for row in range(SIDE):
        for column in range(SIDE):
            logits = network(images[:, :, : row + 1])[:, :, row, column]
            images[:, 0, row, column] = logits.softmax(-1).multinomial(1)[:, 0]


def seconds(run, *args, **options) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    run(*args, **options)
    return time.perf_counter() - start


def main() -> None:
    path, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 16
    torch.set_num_threads(1)
    model = import_model("uva-tutorial", path)
    weights = read_state_dict(path)
    network = UvaTutorial(hidden=len(weights["conv_vstack.conv.weight"]))
    network.load_state_dict(weights)
    model.generate(num_samples=1, seed=0)
    ratios = []
    for _ in range(ROUNDS):
        cached = seconds(model.generate, num_samples=count, seed=0)
        ratios.append(seconds(loop, network, count) / cached)
        print(f"cached {cached:.2f} s, loop {ratios[-1]:.0f} times as long", flush=True)
    print(f"{count} images: median {statistics.median(ratios):.0f}")


if __name__ == "__main__":
    main()
