"""The parsers of the commands that ask a trained model. Nothing heavy is imported here."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pixelcnn.cli.parsers.options import (
    RUN_HELP,
    Subparsers,
    add_command,
    add_output,
    add_sharing,
    destination,
    non_negative,
    positive,
    site,
    size,
)
from pixelcnn.errors import ConfigError

Methods: TypeAlias = Mapping[str, Sequence[str]]

FILES_HELP = (
    "image files, folders of them, or one .npz of levels as `pixelcnn sample` writes it "
    "(default: the run's own data)"
)

MISSING_HELP = (
    "what is not known: bottom, top, left, right, center, random, each with a share such as "
    "random:0.5; a rectangle ROWS,COLUMNS such as 4:20,8:16; an image file, white where missing; "
    "all or none (default: %(default)s)"
)
METHODS = {
    "exact": (),
    "importance": ("num_draws",),
    "smc": ("num_populations", "num_particles"),
    "gibbs": ("num_chains", "num_sweeps"),
}
"""How a conditional is found, and the options of each way."""

COMPLETION_METHODS = {
    "raster": (),
    "smc": ("num_populations", "num_particles"),
    "gibbs": ("num_sweeps", "num_particles"),
}
"""How images are completed, and the options of each way."""

OPTION_HELP = {
    "num_draws": "images drawn by importance",
    "num_populations": "populations of smc",
    "num_particles": "images in each population of smc, where completions by gibbs begin too",
    "num_chains": "chains of gibbs",
    "num_sweeps": "sweeps of each chain of gibbs",
}


def add_questions(commands: Subparsers) -> None:
    """Adds all of them."""
    _add_score(commands)
    _add_classify(commands)
    _add_marginal(commands)
    _add_conditional(commands)
    _add_complete(commands)


def add_images(
    parser: argparse.ArgumentParser, *, batch_size: int = 256, seed_decides: str = ""
) -> None:
    """Adds what says which images are meant: `pixelcnn.cli.inputs.query_images.images_of` reads it.

    Args:
        parser: Of the command.
        batch_size: Images at once where nothing is typed: whole images are scored fastest by small
            batches, which stay in the caches of a processor, and walked fastest by large ones.
        seed_decides: What `--seed` decides besides.
    """
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("files", nargs="*", metavar="FILE", help=FILES_HELP)
    parser.add_argument("--config", metavar="FILE", help="settings (default: those of the run)")
    parser.add_argument(
        "--split", choices=["train", "val", "test"], help="which of its data (default: test)"
    )
    parser.add_argument("--max-images", type=positive, metavar="N", help="only the first so many")
    parser.add_argument("--batch-size", type=positive, metavar="N", default=batch_size)
    kept = "which images --data.max_samples keeps of a set (--max-images takes the first)"
    parser.add_argument(
        "--seed", type=non_negative, metavar="N", help=f"decides {seed_decides}{kept}"
    )


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
    add_images(parser, batch_size=64, seed_decides="the draws of --film, and ")
    add_condition(parser)
    add_show(parser, default=16)
    parser.add_argument(
        "--against", metavar="WHAT",
        help="tell the images from others, by likelihood and better scores: a data set such as "
        "fashion_mnist or folder:DIR in the same form, or an image file, folder or .npz of levels",
    )  # fmt: skip
    parser.add_argument(
        "--background", metavar="RUN",
        help="with --against, a model for the likelihood ratio, such as one of the same images "
        "trained with --data.mutation_rate 0.2",
    )  # fmt: skip
    parser.add_argument(
        "--film", action="store_true",
        help="also show what the model expects of the most surprising ones as their pixels arrive",
    )  # fmt: skip
    parser.add_argument(
        "--shards", type=destination, metavar="DIR",
        help="score a data set of any size a part at a time into this folder, and join all in its "
        "scores.csv; run again, it goes on",
    )  # fmt: skip
    add_sharing(parser)
    add_output(parser, "scores", "scores.csv and surprise.png, or the outliers.… of --against")


def _add_classify(commands: Subparsers) -> None:
    parser = add_command(
        commands, "classify", "find the label of images by Bayes' rule", takes_settings=True
    )
    add_images(parser, batch_size=64)
    add_show(parser, default=6)
    add_output(parser, "classes", "classes.csv and belief.png")


def add_site(parser: argparse.ArgumentParser, *, may_be_known: bool = False) -> None:
    """Adds which sub-pixel is meant."""
    parser.add_argument(
        "--site", type=site, required=True, metavar="ROW,COLUMN",
        help="which pixel, from 0; of a model of colours CHANNEL,ROW,COLUMN"
        + (" (if it is known, it is asked about as if it were not)" if may_be_known else ""),
    )  # fmt: skip


def _add_marginal(commands: Subparsers) -> None:
    parser = add_command(
        commands, "marginal", "estimate the distribution of one sub-pixel when nothing is known"
    )
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    add_site(parser)
    add_condition(parser)
    parser.add_argument(
        "--num-draws", type=positive, default=1000, metavar="N",
        help="images drawn down to it (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--size", type=size, metavar="HxW", help="size of the images")
    parser.add_argument("--batch-size", type=positive, metavar="N", default=256)
    parser.add_argument("--seed", type=non_negative, default=0, help="decides what is drawn")
    add_output(parser, "marginal", "levels.csv and levels.png")


def _add_conditional(commands: Subparsers) -> None:
    parser = add_command(
        commands, "conditional", "estimate the distribution of one sub-pixel given any others",
        takes_settings=True,
    )  # fmt: skip
    add_images(parser, seed_decides="what is drawn, what is missing at random, and ")
    parser.add_argument(
        "--number", type=non_negative, default=0, metavar="N", help="which of the images, from 0"
    )
    add_site(parser, may_be_known=True)
    parser.add_argument(
        "--missing", metavar="WHAT", action="append",
        help=MISSING_HELP.replace("%(default)s", "none") + "; once: there is one image",
    )  # fmt: skip
    add_condition(parser)
    parser.add_argument(
        "--method", action="append", default=[], choices=list(METHODS),
        help="repeat it to see several side by side (default: exact if that is quick, else smc)",
    )  # fmt: skip
    add_options(parser, METHODS)
    add_output(parser, "conditional", "levels.csv and levels.png")


def _add_complete(commands: Subparsers) -> None:
    parser = add_command(
        commands, "complete", "draw what is missing of images", takes_settings=True
    )
    add_images(parser, seed_decides="what is drawn, what is missing at random, and ")
    parser.add_argument(
        "--missing", metavar="WHAT", action="append",
        help=MISSING_HELP.replace("%(default)s", "bottom") + "; repeat it: one for each image",
    )  # fmt: skip
    add_condition(parser)
    parser.add_argument(
        "--num-completions", type=positive, default=8, metavar="N",
        help="completions of each image (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--method", choices=list(COMPLETION_METHODS),
        help="how (default: raster where that is exact, else smc)",
    )  # fmt: skip
    add_options(parser, COMPLETION_METHODS)
    parser.add_argument(
        "--film", action="store_true",
        help="with --method gibbs, also show the chains sweep by sweep: chains.png and chains.gif",
    )  # fmt: skip
    add_output(parser, "completions", "completions.png, .csv and .npz")


def add_options(parser: argparse.ArgumentParser, methods: Methods) -> None:
    """Adds the options of all methods; `typed_options` reads them."""
    for name in dict.fromkeys(name for names in methods.values() for name in names):
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=positive, metavar="N", help=OPTION_HELP[name]
        )


def typed_options(
    args: argparse.Namespace, methods: Methods, chosen: Sequence[str]
) -> dict[str, int]:
    """The options of methods that were typed.

    Args:
        args: What was typed.
        methods: All of them, with the options of each.
        chosen: The methods that were typed, or the one that is taken where none was.

    Raises:
        ConfigError: If no method that was chosen takes one of them.
    """
    names = {name for options in methods.values() for name in options}
    typed = {name: vars(args)[name] for name in sorted(names) if vars(args)[name] is not None}
    taken = {name for method in chosen for name in methods[method]}
    for name in typed:
        if name not in taken:
            takers = [method for method, options in methods.items() if name in options]
            how = " or ".join(f"`--method {method}`" for method in takers)
            which = " and ".join(chosen) + ("" if args.method else ", which is taken here")
            raise ConfigError(
                f"`--{name.replace('_', '-')}` is of another method than {which}: add {how}, or "
                f"leave it out."
            )
    return typed
