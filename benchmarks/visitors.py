"""How long a visitor of the page waits for images while another runs a long completion.

python -m benchmarks.visitors [--rounds 5]

Sixteen images of `mnist-256` with their bits: alone, and a second after another visitor has begun
64 completions of an image of `mnist-binary` whose top half is unknown. Wall time, in turn.
"""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from benchmarks.measure import Spread, machine, table
from pixelcnn.app.background import run_in_background, run_steps
from pixelcnn.app.models import Choice
from pixelcnn.app.sampling import SamplingRequest, sampling_steps
from pixelcnn.app.scheduler import SCHEDULER
from pixelcnn.inference import complete, known_mask
from pixelcnn.runs import find_model, open_model
from pixelcnn.walk import SamplingOptions

HEAD_START = 1.0
METHODS = ["smc", "gibbs"]


class _LeftError(Exception):
    """The other visitor has left."""


@contextmanager
def other_visitor(choice: Choice, method: str) -> Iterator[None]:
    """Someone completes an image meanwhile."""
    model, known = choice.model, known_mask("top", choice.spec.shape)
    image, has_left = model.generate(num_samples=1, seed=1), threading.Event()

    def look(_: object) -> None:
        if has_left.is_set():
            raise _LeftError

    def visit() -> None:
        with suppress(_LeftError):
            run_in_background(
                lambda report: complete(
                    model, image, known, method=method, num_completions=64,
                    progress=lambda done, total: report((done, total)),
                ),
                look,
                visitor="other",
            )  # fmt: skip

    visitor = threading.Thread(target=visit)
    visitor.start()
    time.sleep(HEAD_START)
    try:
        yield
        assert visitor.is_alive(), "the completion is too short for this"
    finally:
        has_left.set()
        visitor.join()
        with SCHEDULER.slot("nobody"):  # once its step has ended
            pass


def sample(choice: Choice) -> float:
    """Wall time of sixteen images with their bits, in seconds."""
    began = time.perf_counter()
    cond = torch.arange(16) % 10
    request = SamplingRequest(16, SamplingOptions(cond=cond, shape=choice.spec.shape))
    run_steps(sampling_steps(choice, request), lambda newest: None, visitor="one")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    names = ["mnist-256", "mnist-binary"]
    ours, other = (Choice(**vars(open_model(find_model(name))), name=name) for name in names)
    sample(ours)
    alone: list[float] = []
    beside: dict[str, list[float]] = {method: [] for method in METHODS}
    for _ in range(args.rounds):
        alone.append(sample(ours))
        for method, seconds in beside.items():
            with other_visitor(other, method):
                seconds.append(sample(ours))
    print(machine())
    rows = [["nobody", Spread.of(alone), "1"]] + [
        [method, Spread.of(seconds), f"{Spread.of(seconds).median / Spread.of(alone).median:.2f}"]
        for method, seconds in beside.items()
    ]
    print(table(["the other visitor runs", "seconds", "times as long"], rows))


if __name__ == "__main__":
    main()
