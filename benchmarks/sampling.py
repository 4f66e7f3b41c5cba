"""Sampling: cached against naive, against one forward pass, and against the size of the image.

python -m benchmarks.sampling            (about 13 minutes on one idle core)
python -m benchmarks.sampling --quick    (about a minute: batches of 1 and 16, one round)

Prints one table, and writes sampling.md and sampling.json into --out. A naive walk takes one full
forward pass for each sub-pixel, all of the same cost: a few of them, spread over the image, are
timed and extrapolated. `--network` takes a part of a name and measures the networks that match.
"""

import argparse
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import torch

from benchmarks.measure import Section, Spread, alternate, machine, ratio, seconds_spent
from benchmarks.networks import NETWORKS, Network
from benchmarks.operations import multiply_adds, product_rate
from pixelcnn.files import write_json, write_text
from pixelcnn.inference.memory import walk_memory
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import RasterOrder
from pixelcnn.walk import CachedStepper, NaiveStepper, sampling_chooser, walk

Row: TypeAlias = list[str | Spread]
HEAD = ["what", "first, s", "second, s", "ratio", "limit", "note"]
PASSES = 3  # timed of a naive walk; one of each colour
ROUNDS = {1: 5, 16: 3, 64: 3, 256: 1}  # by batch
SIDES = (28, 56, 112)
TIME_LIMIT = 0.1  # seconds of one image of 28×28, the first network


def cached(model: AutoregressiveModel, batch: int, shape: tuple[int, int, int]) -> torch.Tensor:
    """Samples images with one fixed noise."""
    x = model.blank(batch, shape)
    return walk(CachedStepper(model), x, sampling_chooser(x, seed=0))


@torch.inference_mode()
def some_steps(model: AutoregressiveModel, batch: int, shape: tuple[int, int, int]) -> None:
    """`PASSES` steps of a naive walk, spread over the image."""
    x, stepper = model.blank(batch, shape), NaiveStepper(model)
    stepper.start(x)
    choose = sampling_chooser(x, seed=0)
    sites = list(RasterOrder(*shape).fronts())
    for number in range(PASSES):
        at = (2 * number + 1) * len(sites) // (2 * PASSES)
        front = sites[at - at % shape[0] + number % shape[0]]
        front.of(x).copy_(choose(stepper.logits(x, front), front).view(1, batch))


def row(
    what: str, seconds: dict[str, list[float]], slow: str, fast: str, limit: str, note: str
) -> Row:
    """One line of the table."""
    both = Spread.of(seconds[slow]), Spread.of(seconds[fast])
    return [f"{what}: {slow} ÷ {fast}", *both, ratio(seconds, slow, fast), limit, note]


def rivals(network: Network, model: AutoregressiveModel, batch: int, rounds: int) -> list[Row]:
    """Naive, cached and one forward pass, in turn."""
    shape, steps = network.shape, len(RasterOrder(*network.shape))
    x = torch.randint(model.num_classes, (batch, *shape))
    times = PASSES if batch < 64 else 1
    forward = torch.inference_mode()(lambda: [model(x) for _ in range(times)])
    work: dict[str, Callable[[], object]] = {
        "naive": lambda: some_steps(model, batch, shape),
        "cached": lambda: cached(model, batch, shape),
        "forward": forward,
    }
    seconds = alternate(work, rounds, warm_up=batch == 1, clock=seconds_spent)
    seconds["naive"] = [taken * steps / PASSES for taken in seconds["naive"]]
    seconds["forward"] = [taken / times for taken in seconds["forward"]]
    is_limited = batch == 64
    least = f"≥ {network.at_least:g}" if is_limited and network.at_least else ""
    most = f"≤ {network.at_most:g}" if is_limited and network.at_most else ""
    if batch == 1 and network is NETWORKS[0]:
        least = f"≥ 15, ≤ {TIME_LIMIT} s"
    name, size = network.name, "×".join(map(str, shape))
    rate = product_rate(batch, network.width)
    bound = multiply_adds(model, shape) * batch / rate
    share = bound / Spread.of(seconds["cached"]).median
    note = f"products alone: {bound:.3g} s at {rate / 1e9:.3g} G/s, {share:.0%} of the walk"
    extrapolated = f"{PASSES} of {steps} passes timed"
    return [
        row(f"{name}, {batch} of {size}", seconds, "naive", "cached", least, extrapolated),
        row(f"{name}, {batch} of {size}", seconds, "cached", "forward", most, note),
    ]


def in_full(network: Network, model: AutoregressiveModel, batch: int) -> Row:
    """A complete naive walk against the extrapolation from a few of its passes."""
    shape = network.shape
    images = {}

    def whole() -> None:
        x = model.blank(batch, shape)
        images["naive"] = walk(NaiveStepper(model), x, sampling_chooser(x, seed=0))

    work = {"naive": whole, "extrapolated": lambda: some_steps(model, batch, shape)}
    seconds = alternate(work, 1, warm_up=False, clock=seconds_spent)
    steps = len(RasterOrder(*shape))
    seconds["extrapolated"] = [taken * steps / PASSES for taken in seconds["extrapolated"]]
    same = torch.equal(images["naive"], cached(model, batch, shape))
    note = "same images as cached" if same else "images differ from cached"
    what = f"{network.name}, {batch}, all {steps} passes"
    return row(what, seconds, "naive", "extrapolated", "about 1", note)


def growth(network: Network, model: AutoregressiveModel, rounds: int) -> list[Row]:
    """Seconds per pixel of larger images against those of 28×28, one image at a time."""
    channels = network.shape[0]
    work = {
        f"{side}×{side}": lambda side=side: cached(model, 1, (channels, side, side))
        for side in SIDES
    }
    seconds = alternate(work, rounds, warm_up=False, clock=seconds_spent)
    for side in SIDES:
        seconds[f"{side}×{side}"] = [taken / side**2 for taken in seconds[f"{side}×{side}"]]
    limit = "grows: attention" if network.attends else "≤ 1.25"
    first = f"{SIDES[0]}×{SIDES[0]}"
    return [
        row(f"{network.name}, a pixel of", seconds, f"{side}×{side}", first, limit, "1 image")
        for side in SIDES[1:]
    ]


def peak(number: int, batch: int) -> int:
    """Peak bytes of this process after sampling."""
    network = NETWORKS[number]
    cached(network.make().eval(), batch, network.shape)
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` says begins with the parent's figure
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def memory(number: int, model: AutoregressiveModel, batch: int) -> Row:
    """Memory of the caches of a walk, and the peak of a process that samples."""
    network = NETWORKS[number]
    kept = walk_memory(model, network.shape)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        most = pool.apply(peak, (number, batch))
    per_image, weights, held = (n / 2**20 for n in (kept.per_image, kept.shared, most))
    text = f"caches: {per_image:.3g} MiB per image and {weights:.3g} MiB of weights; "
    text += f"peak of a process that samples {batch}: {held:.3g} MiB"
    return [f"{network.name}: memory", "", "", "", "", text]


def start_up(rounds: int = 5) -> Row:
    """Wall time of the command line."""
    command = [sys.executable, "-m", "pixelcnn", "--help"]
    work = {"help": lambda: subprocess.run(command, check=True, capture_output=True)}
    seconds = alternate(work, rounds)["help"]
    return ["`pixelcnn --help`", Spread.of(seconds), "", "", "≤ 0.5 s", "wall time"]


def measured(number: int, *, quick: bool) -> list[Row]:
    """All rows of one network."""
    torch.manual_seed(0)
    network = NETWORKS[number]
    model = network.make().eval()
    rounds = {1: 1, 16: 1} if quick else ROUNDS
    rows = [line for batch, n in rounds.items() for line in rivals(network, model, batch, n)]
    if not quick:
        rows += growth(network, model, rounds=2)
        if number == 0:
            rows.append(in_full(network, model, 16))
    return [*rows, memory(number, model, 16 if quick else 64)]


def section(*, quick: bool, network: str = "") -> Section:
    """All networks, or those whose name contains `network`."""
    chosen = [number for number, each in enumerate(NETWORKS) if network in each.name]
    rows = [line for number in chosen for line in measured(number, quick=quick)]
    setting = f"float32, noise of one seed. {machine()}."
    return Section("Sampling", setting, HEAD, [*rows, start_up()])


def main() -> None:
    names = "; ".join(network.name for network in NETWORKS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small batches, once")
    parser.add_argument(
        "--network", default="", help=f"measure those whose name contains this: {names}"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/bench"), metavar="DIR")
    options = parser.parse_args()
    if not any(options.network in network.name for network in NETWORKS):
        parser.error(f"--network must be part of one of {names}, got {options.network!r}")
    found = section(quick=options.quick, network=options.network)
    print(found.text())
    write_text(options.out / "sampling.md", found.text() + "\n")
    write_json(options.out / "sampling.json", found.facts())


if __name__ == "__main__":
    main()
