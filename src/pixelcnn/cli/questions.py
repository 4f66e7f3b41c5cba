"""The parsers of the commands that ask a trained model. Nothing heavy is imported here."""

import argparse

from pixelcnn.cli.options import RUN_HELP, Subparsers, add_command, add_device, positive, whole

FILES_HELP = (
    "image files, folders of them, or one .npz of levels as `pixelcnn sample` writes it "
    "(default: the run's own data)"
)


def add_questions(commands: Subparsers) -> None:
    """Adds all of them."""
    _add_score(commands)
    _add_classify(commands)


def add_images(parser: argparse.ArgumentParser) -> None:
    """Adds what says which images are meant: `pixelcnn.cli.images.images_of` reads it."""
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("files", nargs="*", metavar="FILE", help=FILES_HELP)
    parser.add_argument("--config", metavar="FILE", help="settings (default: those of the run)")
    parser.add_argument(
        "--split", choices=["train", "val", "test"], help="which of its data (default: test)"
    )
    parser.add_argument("--max-images", type=positive, metavar="N", help="only the first so many")
    parser.add_argument("--batch-size", type=positive, metavar="N", default=256)
    parser.add_argument("--seed", type=whole, help="decides which images a smaller set holds")


def add_condition(parser: argparse.ArgumentParser) -> None:
    """Adds what the model is told of the images, for those that do not come with it."""
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME",
        help="label of the images, by name or number: one for all, or one for each by commas",
    )
    parser.add_argument(
        "--attributes",
        action="append",
        default=[],
        metavar="LIST",
        help="attributes of the images that are on, by name, or numbers for all of them",
    )
    parser.add_argument("--maps", metavar="FILE", help=".npy or .npz of maps of the images")


def add_show(parser: argparse.ArgumentParser, default: int) -> None:
    """Adds how many images the picture holds."""
    parser.add_argument(
        "--show", type=positive, metavar="N", default=default,
        help="images in the picture (default: %(default)s)",
    )  # fmt: skip


def _add_score(commands: Subparsers) -> None:
    parser = add_command(
        commands, "score", "say how probable images are, and which pixels surprise",
        takes_settings=True,
    )  # fmt: skip
    add_images(parser)
    add_condition(parser)
    add_show(parser, default=16)
    parser.add_argument(
        "--out", metavar="DIR", default="scores",
        help="folder for scores.csv and surprise.png (default: %(default)s)",
    )  # fmt: skip
    add_device(parser)


def _add_classify(commands: Subparsers) -> None:
    parser = add_command(
        commands, "classify", "find the label of images by Bayes' rule", takes_settings=True
    )
    add_images(parser)
    add_show(parser, default=6)
    parser.add_argument(
        "--out", metavar="DIR", default="classes",
        help="folder for classes.csv and belief.png (default: %(default)s)",
    )  # fmt: skip
    add_device(parser)
