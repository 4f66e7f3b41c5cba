"""The parser of `pixelcnn sample`. Nothing heavy is imported here."""

import argparse

from pixelcnn.cli.parsers.options import (
    Subparsers,
    add_command,
    add_device,
    add_run,
    add_seed,
    add_sharing,
    add_size,
)
from pixelcnn.cli.parsers.types import any_whole, destination, number, positive


def add_sample(commands: Subparsers) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "sample",
        "sample images from a trained model",
        less_memory="Sample fewer images at once (--batch-size), smaller ones (--size, --scale), "
        "or many to disk (--shards).",
    )
    add_run(parser)
    _add_condition(parser)
    _add_sampling(parser)
    _add_destination(parser)
    add_sharing(
        parser,
        less_memory="Sample smaller shards (--shard-size), fewer images at once (--batch-size) or "
        "smaller ones (--size).",
    )
    add_device(parser)


def _add_condition(parser: argparse.ArgumentParser) -> None:
    count = parser.add_mutually_exclusive_group()
    count.add_argument(
        "--num-samples", type=positive, metavar="N",
        help="Images to sample (N ≥ 1; default: 16, or one for each map of --maps).",
    )  # fmt: skip
    count.add_argument(
        "--per-label", type=positive, metavar="N",
        help="Images of each label, instead of --num-samples (N ≥ 1).",
    )  # fmt: skip
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME",
        help="Label to condition on, by name or number; repeat it, or separate several by commas "
        "(default: all labels in turn).",
    )  # fmt: skip
    parser.add_argument(
        "--attributes", action="append", default=[], metavar="LIST",
        help="Attributes to condition on: names of those that are on (Smiling,Male), or one "
        "number for each (0.5,1,0); repeat it for several vectors.",
    )  # fmt: skip
    parser.add_argument(
        "--maps", metavar="FILE",
        help="Maps to condition on: an .npy or .npz file of one map, or of one for each image.",
    )  # fmt: skip


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temperature", type=number, metavar="T",
        help="Divide the logits by T: below 1 favours probable levels (T ≥ 1e-6; default: 1).",
    )  # fmt: skip
    parser.add_argument(
        "--top-k", type=any_whole, metavar="K",
        help="Keep the K most probable levels of each sub-pixel (K ≥ 1; default: all).",
    )  # fmt: skip
    parser.add_argument(
        "--top-p", type=number, metavar="P",
        help="Keep the smallest set of levels whose probability reaches P (0 < P ≤ 1; "
        "default 1: all).",
    )  # fmt: skip
    parser.add_argument(
        "--guidance", type=number, metavar="G",
        help="Scale of classifier-free guidance: 0 ignores the condition, 1 follows it, above 1 "
        "strengthens it (0 ≤ G ≤ 1e6; default: 1).",
    )  # fmt: skip
    add_seed(parser, "the samples; the same seed gives the same images")
    add_size(parser)
    parser.add_argument(
        "--precision", choices=["float32", "bf16", "16"],
        help="Floating-point format of the network (default: float32).",
    )  # fmt: skip
    parser.add_argument(
        "--batch-size", type=positive, metavar="N",
        help="Images sampled together (N ≥ 1; default: 256).",
    )  # fmt: skip
    parser.add_argument(
        "--config", metavar="FILE",
        help="Settings in YAML: `sampling` and `seed` hold where no option is typed.",
    )  # fmt: skip


def _add_destination(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--out", type=destination, metavar="FILE",
        help=".png: a grid; .gif: an animation of the grid; .npz: the levels "
        "(default: samples.png).",
    )  # fmt: skip
    place.add_argument(
        "--shards", type=destination, metavar="DIR",
        help="Write any number of images as .npz shards, which can be trained on. Interrupting is "
        "safe: rerun the command to generate the rest.",
    )  # fmt: skip
    parser.add_argument(
        "--separate", action="store_true",
        help="Write one PNG per image into the folder --out (default: samples).",
    )  # fmt: skip
    parser.add_argument(
        "--columns", type=positive, metavar="N",
        help="Images in each row of the grid (N ≥ 1; default: --per-label, or a square grid).",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=positive, metavar="N",
        help="Screen pixels per image pixel (N ≥ 1; default: chosen from the size of the grid).",
    )  # fmt: skip
