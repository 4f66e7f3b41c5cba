"""The parsers of the commands that query a trained model. Nothing heavy is imported here."""

import argparse

from pixelcnn.cli.parsers.methods import (
    COMPLETION_METHODS,
    CONDITIONAL_METHODS,
    add_method_options,
)
from pixelcnn.cli.parsers.options import (
    Subparsers,
    add_batch_size,
    add_command,
    add_output,
    add_run,
    add_seed,
    add_sharing,
    add_size,
    add_split,
)
from pixelcnn.cli.parsers.types import destination, non_negative, positive, site

FILES_HELP = (
    "Image files, folders of them, or one .npz of levels as `pixelcnn sample` writes it "
    "(default: the data of the run)."
)
MISSING_HELP = (
    "Unknown pixels: bottom, top, left, right, center or random, each with a share such as "
    "random:0.5 (0 < share < 1; default: 0.5); a rectangle ROWS,COLUMNS such as 4:20,8:16; an "
    "image file, white where unknown; all or none (default: %s)."
)
KEPT = "the images that --data.max_samples keeps of a set (--max-images takes the first)"


def add_images(parser: argparse.ArgumentParser, *, batch_size: int, seed_decides: str = "") -> None:
    """Adds the choice of images: `pixelcnn.cli.inputs.query_images` reads it.

    Args:
        parser: Of the command.
        batch_size: Images at once where nothing is typed: forward passes over images are fastest in
            small batches, which stay in a processor's caches, and walks in large ones.
        seed_decides: What `--seed` decides besides.
    """
    add_run(parser)
    parser.add_argument("files", nargs="*", metavar="FILE", help=FILES_HELP)
    add_split(parser)
    parser.add_argument(
        "--max-images", type=positive, metavar="N",
        help="Use only the first N images (N ≥ 1; default: all).",
    )  # fmt: skip
    add_batch_size(parser, batch_size, "processed")
    add_seed(parser, seed_decides + KEPT)


def add_condition(parser: argparse.ArgumentParser) -> None:
    """Adds the condition of images that do not come with one."""
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME",
        help="Label of the images, by name or number: one for all, or one for each, separated by "
        "commas.",
    )  # fmt: skip
    parser.add_argument(
        "--attributes", action="append", default=[], metavar="LIST",
        help="Attributes of the images: names of those that are on, or one number for each; "
        "repeat it for each image.",
    )  # fmt: skip
    parser.add_argument(
        "--maps", metavar="FILE",
        help="Maps of the images: an .npy or .npz file of one map, or of one for each image.",
    )  # fmt: skip


def add_show(parser: argparse.ArgumentParser, default: int) -> None:
    """Adds how many images the figure holds."""
    parser.add_argument(
        "--show", type=positive, metavar="N", default=default,
        help="Images in the figure (N ≥ 1; default: %(default)s).",
    )  # fmt: skip


def add_site(parser: argparse.ArgumentParser, *, may_be_known: bool = False) -> None:
    """Adds which sub-pixel is the target."""
    parser.add_argument(
        "--site", type=site, required=True, metavar="ROW,COLUMN",
        help="Target pixel, from 0; CHANNEL,ROW,COLUMN for a model of colour images."
        + (" It counts as unknown even if --missing leaves it known." if may_be_known else ""),
    )  # fmt: skip


def add_score(commands: Subparsers) -> None:
    """Adds `score`."""
    parser = add_command(
        commands, "score", "compute the likelihood of images, and the most surprising pixels",
        takes_settings=True, less_memory="Score fewer images at once: --batch-size.",
    )  # fmt: skip
    add_images(parser, batch_size=64, seed_decides="the samples of --animation, and of ")
    add_condition(parser)
    add_show(parser, default=16)
    parser.add_argument(
        "--against", metavar="DATA",
        help="Detect out-of-distribution (OOD) images: tell the images from DATA by likelihood and "
        "by better scores. DATA is a data set, such as fashion_mnist or folder:DIR, or an image "
        "file, a folder or an .npz of levels.",
    )  # fmt: skip
    parser.add_argument(
        "--background", metavar="RUN",
        help="With --against: background model of the likelihood ratio, such as one trained on the "
        "same images with --data.mutation_rate 0.2.",
    )  # fmt: skip
    parser.add_argument(
        "--animation", action="store_true",
        help="Also show what the model expects of the 4 most surprising images after each pixel: "
        "expectation.png and expectation.gif.",
    )  # fmt: skip
    parser.add_argument(
        "--shards", type=destination, metavar="DIR",
        help="Score a data set of any size in shards, and join them in scores.csv of this folder. "
        "Interrupting is safe: rerun the command to score the rest.",
    )  # fmt: skip
    add_sharing(
        parser,
        less_memory="Score fewer images at once (--batch-size) or smaller shards (--shard-size).",
    )
    add_output(parser, "scores", "scores.csv and surprise.png, or ood.json, .csv and .png")


def add_classify(commands: Subparsers) -> None:
    """Adds `classify`."""
    parser = add_command(
        commands, "classify", "find the label of images by Bayes' rule",
        takes_settings=True, less_memory="Score fewer images at once: --batch-size.",
    )  # fmt: skip
    add_images(parser, batch_size=64, seed_decides="")
    add_show(parser, default=6)
    add_output(parser, "classes", "classes.csv and posterior.png")


def add_marginal(commands: Subparsers) -> None:
    """Adds `marginal`."""
    parser = add_command(
        commands, "marginal", "estimate the distribution of one sub-pixel of an unknown image",
        less_memory="Sample smaller images (--size), or fewer at once (--batch-size).",
    )  # fmt: skip
    add_run(parser)
    add_site(parser)
    add_condition(parser)
    parser.add_argument(
        "--num-draws", type=positive, default=1000, metavar="N",
        help="Images sampled up to the pixel (N ≥ 2; default: %(default)s).",
    )  # fmt: skip
    add_size(parser)
    add_batch_size(parser, 256, "sampled")
    add_seed(parser, "the samples", value=0)
    add_output(parser, "marginal", "levels.csv and levels.png")


def add_conditional(commands: Subparsers) -> None:
    """Adds `conditional`."""
    parser = add_command(
        commands, "conditional", "estimate the distribution of one sub-pixel given any others",
        takes_settings=True,
        less_memory="Use fewer images at once (--batch-size), or fewer in each population "
        "(--num-particles).",
    )  # fmt: skip
    add_images(parser, batch_size=256, seed_decides="the samples, of random masks, and of ")
    parser.add_argument(
        "--index", type=non_negative, default=0, metavar="N",
        help="Which of the images, from 0 (default: %(default)s).",
    )  # fmt: skip
    add_site(parser, may_be_known=True)
    parser.add_argument("--missing", metavar="MASK", action="append", help=MISSING_HELP % "none")
    add_condition(parser)
    parser.add_argument(
        "--method", action="append", default=[], choices=list(CONDITIONAL_METHODS),
        help="Method; repeat it to compare several (default: exact if that is fast, else smc).",
    )  # fmt: skip
    add_method_options(parser, CONDITIONAL_METHODS)
    add_output(parser, "conditional", "levels.csv and levels.png")


def add_complete(commands: Subparsers) -> None:
    """Adds `complete`."""
    parser = add_command(
        commands, "complete", "sample the unknown pixels of images",
        takes_settings=True,
        less_memory="Use fewer completions (--num-completions) or images (--max-images), or fewer "
        "at once (--batch-size).",
    )  # fmt: skip
    add_images(parser, batch_size=256, seed_decides="the samples, of random masks, and of ")
    parser.add_argument(
        "--missing", metavar="MASK", action="append",
        help=MISSING_HELP % "bottom" + " Repeat it: one for each image.",
    )  # fmt: skip
    add_condition(parser)
    parser.add_argument(
        "--num-completions", type=positive, default=8, metavar="N",
        help="Completions of each image (N ≥ 1; default: %(default)s).",
    )  # fmt: skip
    parser.add_argument(
        "--method", choices=list(COMPLETION_METHODS),
        help="Method (default: raster where that is exact, else smc).",
    )  # fmt: skip
    add_method_options(parser, COMPLETION_METHODS)
    parser.add_argument(
        "--animation", action="store_true",
        help="With --method gibbs: also show the Markov chains after each sweep, as chains.png and "
        "chains.gif.",
    )  # fmt: skip
    add_output(parser, "completions", "completions.png, .csv and .npz")
