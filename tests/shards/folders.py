"""Sizes of the sets in tests, and the files in their folders."""

from pathlib import Path

COUNT = 22
SIZES = {"num_samples": COUNT, "shard_size": 6, "batch_size": 3}  # shards of 6, 6, 6 and 4


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
