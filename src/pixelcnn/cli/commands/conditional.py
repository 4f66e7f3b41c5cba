"""`pixelcnn conditional`: the distribution of one sub-pixel given any others."""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import progress_bar
from pixelcnn.cli.outputs.level_estimates import (
    LEVELS_FILE,
    PICTURE_FILE,
    describe_estimate,
    write_levels,
)
from pixelcnn.cli.parsers.queries import METHODS, typed_options
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.inference import UnreliableEstimateWarning, conditional, known_mask
from pixelcnn.inference.conditional import default_conditional_method
from pixelcnn.inference.query import make_query, resolve_site
from pixelcnn.runs import open_model


def run(args: argparse.Namespace) -> int:
    """Estimates by each method, writes, and says it."""
    out = Path(args.out)
    with provisional_folder(out), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UnreliableEstimateWarning
        )  # `describe_estimate` prints the warnings
        model = open_model(args.run, device=args.device).model
        asked = one_image(args, query_images(args, model))
        shape = asked.x.shape[1], asked.x.shape[2], asked.x.shape[3]
        known = known_mask(what_is_missing(args), shape, seed=args.seed or 0)
        place = resolve_site(args.site, shape)
        known[place] = False  # what is asked about is no part of what is given
        estimates = {}
        query = make_query(model, asked.x, known, cond=asked.cond)
        chosen = args.method or [default_conditional_method(query, place)]
        for method, options in options_by_method(args, chosen).items():
            with progress_bar(f"estimating by {method}") as progress:
                found = conditional(
                    model,
                    place,
                    given=asked.x,
                    known=known,
                    method=method,
                    cond=asked.cond,
                    seed=args.seed or 0,
                    batch_size=args.batch_size,
                    progress=progress,
                    **options,
                )
            estimates[found.method] = found
        write_levels(out, estimates)
    print(f"{asked.names[0]} of {asked.about}")
    for title, estimate in estimates.items():
        print(describe_estimate(title, estimate))
    print(out / LEVELS_FILE)
    print(out / PICTURE_FILE)
    return 0


def one_image(args: argparse.Namespace, asked: QueryImages) -> QueryImages:
    """The image of the number that was typed, alone.

    Raises:
        ConfigError: If there are not so many images.
    """
    if args.number >= len(asked.x):
        raise ConfigError(
            f"`--number` must be below {len(asked.x)}, the number of images, got {args.number}."
        )
    return asked.only(slice(args.number, args.number + 1))


def what_is_missing(args: argparse.Namespace) -> str:
    """The mask that was typed.

    Raises:
        ConfigError: If there are several.
    """
    words: list[str] = args.missing or ["none"]
    if len(words) > 1:
        raise ConfigError(
            f"`--missing` must be given once, since there is one image, got {len(words)}: "
            f"{', '.join(words)}. A mask file says any shape: white where missing."
        )
    return words[0]


def options_by_method(args: argparse.Namespace, chosen: Sequence[str]) -> dict[str, dict[str, int]]:
    """The options that were typed, each for the methods that take it.

    Raises:
        ConfigError: If no method that was chosen takes an option.
    """
    typed = typed_options(args, METHODS, chosen)
    return {
        method: {name: typed[name] for name in METHODS[method] if name in typed}
        for method in chosen
    }
