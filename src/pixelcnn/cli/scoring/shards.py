"""`pixelcnn score --shards`: a data set of any size, scored in shards, in one table."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pixelcnn.cli.inputs.query_images import split_of
from pixelcnn.cli.outputs.console import counted, print_lines, write_table
from pixelcnn.cli.sharding import device_of, fill, shared
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import density_name
from pixelcnn.metrics import bits_per_dim
from pixelcnn.runs import open_model
from pixelcnn.shards import ShardedScoring
from pixelcnn.shards.plan import SHARD_SIZE

SCORES_FILE = "scores.csv"


def score_shards(args: argparse.Namespace) -> int:
    """Scores the missing shards, and joins all of them once they are complete."""
    for name in ("files", "label", "attributes", "maps", "animation", "against", "background"):
        if vars(args)[name]:
            raise ConfigError(
                f"`--shards` scores a split of a data set, with its own conditions. Leave out "
                f"{'files' if name == 'files' else f'--{name}'}, and choose the data set by "
                f"--data.dataset_name (folder:DIR, npz:FILE) and --split."
            )
    return shared(args, lambda: score_process_shards(args))


def score_process_shards(args: argparse.Namespace) -> int:
    """Scores the shards of one process."""
    model = open_model(args.run, device=device_of(args)).model
    images, split, protocol, _ = split_of(args, model)
    about = f"{split}, {protocol}"
    scoring = ShardedScoring(
        model,
        images,
        Path(args.shards),
        images=about,
        shard_size=args.shard_size or SHARD_SIZE,
        batch_size=args.batch_size,
    )
    if fill(scoring, args, "scoring"):
        table = Path(args.shards, SCORES_FILE)
        mean = write_shard_scores(table, scoring, split)
        num_dims = images.spec.num_dims
        way = "" if scoring.density in (None, "unconditional") else f", {scoring.density}"
        of = f"{density_name(scoring.condition)} of {counted(len(images), 'image')}"
        bits = bits_per_dim(mean, num_dims)
        result = f"{mean:.2f} nats per image, {bits:.4f} bits/dim"
        print_lines(f"{of}{way}: {about}", result, table)
    return 0


def write_shard_scores(path: Path, scoring: ShardedScoring, split: str) -> float:
    """Writes one row per image, in order and in all digits; returns the mean NLL in nats."""
    num_dims, sums = scoring.image_set.spec.num_dims, []

    def rows() -> Iterator[tuple[object, ...]]:
        for numbers, nats in scoring.results():
            for number, value in zip(numbers.tolist(), nats.tolist(), strict=True):
                yield f"{split}-{number}", value, bits_per_dim(value, num_dims)
            sums.append(float(nats.sum()))

    write_table(path, ("image", "nats", "bits_per_dim"), rows())
    return sum(sums) / scoring.plan.num_images
