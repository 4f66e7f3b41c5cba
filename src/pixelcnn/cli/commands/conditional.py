"""`pixelcnn conditional`: the distribution of one sub-pixel given any others."""

import argparse
import warnings
from pathlib import Path

from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import print_lines, progress_bar
from pixelcnn.cli.outputs.level_estimates import describe_estimate, write_levels
from pixelcnn.cli.parsers.methods import CONDITIONAL_METHODS, typed_options
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.inference import (
    LevelEstimate,
    UnreliableEstimateWarning,
    conditional,
    known_mask,
)
from pixelcnn.inference.conditional import default_conditional_method
from pixelcnn.inference.query import make_query, resolve_site
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import open_model


def run(args: argparse.Namespace) -> int:
    """Estimates by each method, writes and prints the estimates."""
    out = Path(args.out)
    with provisional_folder(out), warnings.catch_warnings():
        warnings.simplefilter("ignore", UnreliableEstimateWarning)  # printed with the estimates
        model = open_model(args.run, device=args.device).model
        image = one_image(args, query_images(args, model))
        estimates = estimate_by_methods(args, model, image)
        files = write_levels(out, estimates)
    print_lines(f"{image.names[0]} of {image.about}")
    for title, estimate in estimates.items():
        print_lines(*describe_estimate(title, estimate))
    print_lines(*files)
    return 0


def estimate_by_methods(
    args: argparse.Namespace, model: AutoregressiveModel, image: QueryImages
) -> dict[str, LevelEstimate]:
    """An estimate by each method that was typed, or by the default one."""
    shape = image.x.shape[1], image.x.shape[2], image.x.shape[3]
    known = known_mask(typed_mask(args), shape, seed=args.seed or 0)
    place = resolve_site(args.site, shape)
    known[place] = False  # the target itself is not given
    query = make_query(model, image.x, known, cond=image.cond)
    methods = args.method or [default_conditional_method(query, place)]
    options = typed_options(args, CONDITIONAL_METHODS, methods)
    estimates = {}
    for method in methods:
        with progress_bar(f"estimating by {method}") as progress:
            found = conditional(
                model,
                place,
                given=image.x,
                known=known,
                method=method,
                cond=image.cond,
                seed=args.seed or 0,
                batch_size=args.batch_size,
                progress=progress,
                **{k: v for k, v in options.items() if k in CONDITIONAL_METHODS[method]},
            )
        estimates[found.method] = found
    return estimates


def one_image(args: argparse.Namespace, images: QueryImages) -> QueryImages:
    """The image of `--index`, alone."""
    if args.index >= len(images.x):
        raise ConfigError(
            f"`--index` must be below {len(images.x)}, the number of images, got {args.index}."
        )
    return images.only(slice(args.index, args.index + 1))


def typed_mask(args: argparse.Namespace) -> str:
    """The mask of `--missing`, which must be one."""
    words: list[str] = args.missing or ["none"]
    if len(words) > 1:
        raise ConfigError(
            f"`--missing` must be given once, since there is one image, got {len(words)}: "
            f"{', '.join(words)}. For any other shape name a mask file, white where unknown."
        )
    return words[0]
