"""Counts what becomes of damaged files, for each reader of files.

`python -m tests.fuzz 20000` reads so many, `python -m tests.fuzz 200 --commands` through the
command line. Exit code 1 if one is neither refused in words nor rightly accepted.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.commands import problem_of, run_here, words_for
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.verdicts import ACCEPTED, REFUSED, SILENT, WRONG, mutated, tally

HEADS = (REFUSED, ACCEPTED, WRONG, SILENT)


def count(target: Target, path: Path, numbers: range) -> tuple[str, list[str]]:
    """A row of the table of readers, and what was found."""
    found = tally(target, path, numbers)
    counts = " | ".join(str(found.counts[head]) for head in HEADS)
    return f"{counts} | {found.seconds:.2f} | {found.more_bytes / 2**20:.0f}", found.found


def count_commands(target: Target, path: Path, numbers: range) -> tuple[str, list[str]]:
    """A row of the table of commands, and what was found."""
    content, codes, found = path.read_bytes(), Counter[int | str](), []
    with tempfile.TemporaryDirectory() as out:
        for number in numbers:
            path.write_bytes(mutated(target, content, number)[0])
            code, said = run_here(words_for(target, path, Path(out)))
            codes[code] += 1
            problem = problem_of(code, said)
            found += [] if problem is None else [f"input {number}: {problem}"]
    return f"{codes[0]} | {codes[2]} | {codes.total() - codes[0] - codes[2]}", found


def main() -> int:
    """Prints one row for each reader, and below what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("inputs", type=int, help="damaged files over all readers")
    parser.add_argument("--commands", action="store_true", help="by commands, not by readers")
    parser.add_argument("--only", help="the reader of this name")
    args = parser.parse_args()
    chosen = [each for each in TARGETS if args.only in (None, each.name)]
    if args.commands:
        chosen = [each for each in chosen if each.words is not None]
    numbers = range(-(-args.inputs // len(chosen)))
    heads = ("exit 0", "exit 2", "other") if args.commands else (*HEADS, "slowest (s)", "MiB")
    print(f"{len(numbers)} inputs for each of {len(chosen)} readers\n")
    print(f"| file | {' | '.join(heads)} |\n|{' --- |' * (len(heads) + 1)}")
    every = []
    for target in chosen:
        with tempfile.TemporaryDirectory() as folder:
            path = target.make(Path(folder))
            row, found = (count_commands if args.commands else count)(target, path, numbers)
        print(f"| {target.name} | {row} |", flush=True)
        every += [f"{target.name}, {each}" for each in found]
    print("\n".join(["", *every]))
    return 1 if every else 0


if __name__ == "__main__":
    raise SystemExit(main())
