"""Start-up on a folder of a million images: the first time, and again.

python -m benchmarks.folders                    (a million files, 4 GB of disk, some minutes)
python -m benchmarks.folders --count 20000      (in seconds)
python -m benchmarks.folders --images photos    (on existing files)

Each piece of work runs in a process of its own: CPU time, wall time and the rise of peak memory
above the libraries. The index is deleted before every first start; the files stay in the page
cache of the operating system, as far as they fit.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import Spread, machine, ratio, table
from pixelcnn.data.files.decoding import SUFFIXES
from pixelcnn.data.files.listing import list_images
from pixelcnn.data.sources.folders.folder import read_folder

PER_FOLDER = 1_000


def generate(place: Path, count: int) -> None:
    """Writes small grey images, a thousand in each class."""
    rng, contents = np.random.default_rng(0), []
    for _ in range(256):
        file = io.BytesIO()
        Image.fromarray(rng.integers(256, size=(8, 8), dtype=np.uint8)).save(file, "PNG")
        contents.append(file.getvalue())
    for number in range(count):
        folder = place / f"{number // PER_FOLDER:04}"
        if number % PER_FOLDER == 0:
            folder.mkdir()
        with open(f"{folder}/{number:07}.png", "wb") as image:  # noqa: PTH123
            image.write(contents[number % len(contents)])


def objects(place: Path) -> object:
    """A path object for each file, as is usual."""
    return tuple(
        sorted(
            path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
        )
    )


WORK = {
    "paths by `Path.rglob`": objects,
    "our listing": list_images,
    "first start": lambda place: read_folder(place, stream_above_bytes=0),
    "second start": lambda place: read_folder(place, stream_above_bytes=0),
}


def measure(name: str, place: Path) -> dict[str, float]:
    """Seconds and MiB of one piece of work in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, spent = time.perf_counter(), time.process_time()
    kept = WORK[name](place)
    spent, wall = time.process_time() - spent, time.perf_counter() - wall
    rise = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    del kept
    return {"spent": spent, "wall": wall, "mib": rise / 1024}


def in_turn(place: Path, cache: Path, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Cost of each piece of work in each round, in processes of their own."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WORK}
    for _ in range(rounds):
        for kept in cache.rglob("*.npz"):
            kept.unlink()
        for name in WORK:
            words = [sys.executable, "-m", "benchmarks.folders", "--measure", name, str(place)]
            environment = {**os.environ, "PIXELCNN_CACHE": str(cache)}
            done = subprocess.run(words, env=environment, check=True, capture_output=True)
            found[name].append(json.loads(done.stdout))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--images", type=Path, metavar="DIR", help="measure on these files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, metavar=("WORK", "DIR"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(args.measure[0], Path(args.measure[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        place, cache = args.images or Path(folder, "images"), Path(folder, "cache")
        if not args.images:
            place.mkdir()
            generate(place, args.count)
        found = in_turn(place, cache, args.rounds)
        size = sum(kept.stat().st_size for kept in cache.rglob("*.npz"))
    rows = [
        [name, *(Spread.of([each[what] for each in takes]) for what in ("spent", "wall", "mib"))]
        for name, takes in found.items()
    ]
    what = args.images or f"{args.count:,} files of 8×8 pixels"
    print(f"{what}; {machine()}; index of {size / 2**20:.1f} MiB.\n")
    print(table(["work", "CPU time, s", "wall time, s", "memory, MiB"], rows))
    spent = {name: [each["spent"] for each in takes] for name, takes in found.items()}
    for slow, fast in (("first start", "second start"), ("paths by `Path.rglob`", "our listing")):
        print(f"\n{slow} ÷ {fast}, CPU time: {ratio(spent, slow, fast).text()}")


if __name__ == "__main__":
    main()
