"""`pixelcnn score --shards`: a whole data set, a part at a time, into one table."""

import argparse
import csv
from pathlib import Path

import torch

from pixelcnn.cli.evaluate import settings_of
from pixelcnn.cli.runs import open_run
from pixelcnn.cli.sharded import SHARD_SIZE, device_of, fill, shared
from pixelcnn.cli.words import counted
from pixelcnn.data import ImageSet
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import check_condition, check_spec, density_given, labels_by_name
from pixelcnn.files import atomic_write
from pixelcnn.metrics import bits_per_dim
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards import ShardedScoring
from pixelcnn.training.images import load_images

SCORES_FILE = "scores.csv"


def run(args: argparse.Namespace) -> int:
    """Scores what is missing, and joins all of it when nothing is."""
    for name in ("files", "label", "attributes", "maps", "film", "against", "background"):
        if vars(args)[name]:
            raise ConfigError(
                f"`--shards` scores a split of a data set, with what is known of its images: leave "
                f"out {'files' if name == 'files' else f'--{name}'}, and name the set by "
                f"--data.dataset_name (folder:DIR, npz:FILE) and --split."
            )
    return shared(args, lambda: score_shards(args))


def score_shards(args: argparse.Namespace) -> int:
    """The part of one process."""
    model = open_run(args.run, device=device_of(args)).model
    image_set, split, about = image_set_of(args, model)
    scoring = ShardedScoring(
        model,
        image_set,
        Path(args.shards),
        images=about,
        shard_size=args.shard_size or SHARD_SIZE,
        batch_size=args.batch_size,
    )
    if fill(scoring, args, "scoring"):
        table = Path(args.shards, SCORES_FILE)
        mean = write_table(table, scoring, split)
        num_dims = image_set.spec.num_dims
        print(f"{density_given(scoring.condition)} of {counted(len(image_set), 'image')}: {about}")
        print(f"{mean:.2f} nats per image, {bits_per_dim(mean, num_dims):.4f} bits/dim")
        print(table)
    return 0


def image_set_of(args: argparse.Namespace, model: AutoregressiveModel) -> tuple[ImageSet, str, str]:
    """The images, which stay where they are; the name of their split, and what they are."""
    config = settings_of(args)
    data, foreign = labels_by_name(model.condition, load_images(config))
    split = config.evaluation.split
    images: ImageSet = getattr(data, split)
    check_spec(model, images.spec)
    if foreign is None:
        check_condition(model.condition, images.conditions)
    if args.max_images is not None and args.max_images < len(images):
        images = images.take(torch.arange(args.max_images))
    return images, split, f"{split}, {data.protocol}"


def write_table(path: Path, scoring: ShardedScoring, split: str) -> float:
    """Writes one line for each image, in order and in all digits; the mean NLL in nats."""
    num_dims, total = scoring.image_set.spec.num_dims, 0.0
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "nats", "bits_per_dim"])
        for numbers, nats in scoring.results():
            for number, value in zip(numbers.tolist(), nats.tolist(), strict=True):
                table.writerow([f"{split}-{number}", value, bits_per_dim(value, num_dims)])
            total += float(nats.sum())
    return total / scoring.plan.num_images
