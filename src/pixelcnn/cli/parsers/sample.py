"""What can be typed after `pixelcnn sample`. Nothing heavy is imported here."""

import argparse

from pixelcnn.cli.parsers.options import (
    RUN_HELP,
    Subparsers,
    add_command,
    add_device,
    add_sharing,
    destination,
    non_negative,
    positive,
    size,
)


def add_sample(commands: Subparsers) -> None:
    """Adds the command that draws."""
    parser = add_command(commands, "sample", "draw images from a trained model")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    _add_what(parser)
    _add_how(parser)
    _add_where(parser)
    add_sharing(parser)
    add_device(parser)


def _add_what(parser: argparse.ArgumentParser) -> None:
    count = parser.add_mutually_exclusive_group()
    count.add_argument("--num-samples", type=positive, metavar="N", help="images (default: 16)")
    count.add_argument("--per-label", type=positive, metavar="N", help="images of each label")
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME",
        help="label to draw, by name or number; repeat it, or separate several by commas",
    )
    parser.add_argument(
        "--attributes",
        action="append",
        default=[],
        metavar="LIST",
        help="attributes that are on, by name: Smiling,Male; or numbers for all of them: 0.5,1,0; "
        "repeat it for several vectors",
    )
    parser.add_argument(
        "--maps", metavar="FILE", help=".npy or .npz of maps: one, or one for each image"
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temperature", type=float, metavar="T", help="1 follows the likelihood (default: 1)"
    )
    parser.add_argument("--top-k", type=int, metavar="K", help="keep the k most probable levels")
    parser.add_argument("--top-p", type=float, metavar="P", help="keep that much probability")
    parser.add_argument(
        "--guidance",
        type=float,
        metavar="G",
        help="0 ignores the labels, 1 follows them, more exaggerates them (default: 1)",
    )
    parser.add_argument("--seed", type=non_negative, help="same seed, same images (default: 0)")
    parser.add_argument("--size", type=size, metavar="HxW", help="size of the images")
    parser.add_argument(
        "--precision",
        choices=["float32", "bf16", "16"],
        help="of the network while it draws (default: float32)",
    )
    parser.add_argument(
        "--batch-size", type=positive, metavar="N", help="images drawn at once (default: 256)"
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings in YAML, whose `sampling` and `seed` hold for what is not typed",
    )


def _add_where(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--out",
        type=destination,
        metavar="FILE",
        help=".png: a grid, .gif: the grid as it grows, .npz: the levels (default: samples.png)",
    )
    place.add_argument(
        "--shards",
        type=destination,
        metavar="DIR",
        help="any number of images, as .npz files to train on; run again, it goes on",
    )
    parser.add_argument(
        "--separate",
        action="store_true",
        help="one PNG per image into the folder --out (default: samples)",
    )
    parser.add_argument("--columns", type=positive, metavar="N", help="images in a row of the grid")
    parser.add_argument("--scale", type=positive, metavar="N", help="screen pixels per pixel")
