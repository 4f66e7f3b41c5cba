"""Sampling and training, into one file of tables and one of values.

python -m benchmarks [--quick]
"""

import argparse
from pathlib import Path

from benchmarks import sampling, training, waiting
from pixelcnn.files import write_json, write_text

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the slowest rows")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"), metavar="DIR")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sections = []
    for measured in (waiting, sampling, training):
        sections.append(measured.section(quick=args.quick))
        print(f"{sections[-1].text()}\n", flush=True)
    write_text(args.out / "bench.md", "\n\n".join(each.text() for each in sections) + "\n")
    write_json(args.out / "bench.json", [each.facts() for each in sections])
