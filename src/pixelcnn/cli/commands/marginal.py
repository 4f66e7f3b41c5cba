"""`pixelcnn marginal`: the distribution of one sub-pixel of an unknown image."""

import argparse
import math
import warnings
from pathlib import Path

from pixelcnn.cli.inputs.conditions import typed_condition
from pixelcnn.cli.inputs.image_size import typed_shape
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar
from pixelcnn.cli.outputs.level_estimates import describe_estimate, write_levels
from pixelcnn.files import provisional_folder
from pixelcnn.inference import UnreliableEstimateWarning, marginal
from pixelcnn.runs import open_model


def run(args: argparse.Namespace) -> int:
    """Estimates in two ways, writes and prints the estimates."""
    out = Path(args.out)
    with provisional_folder(out), warnings.catch_warnings():
        warnings.simplefilter("ignore", UnreliableEstimateWarning)  # printed with the estimates
        trained = open_model(args.run, device=args.device)
        model, shape = trained.model, typed_shape(trained, args.size)
        with progress_bar(f"sampling {counted(args.num_draws, 'image')}") as progress:
            found = marginal(
                model,
                args.site,
                num_draws=args.num_draws,
                shape=shape,
                cond=typed_condition(args, model, 1),
                seed=args.seed,
                batch_size=args.batch_size,
                progress=progress,
            )
        estimates = {"averaged conditionals": found.averaged, "counted samples": found.counted}
        files = write_levels(out, estimates)
    for title, estimate in estimates.items():
        print_lines(*describe_estimate(title, estimate, with_diagnostics=False))
    if math.isfinite(found.variance_ratio):
        print(f"counting needs {found.variance_ratio:.3g} times as many samples")
    print_lines(*files)
    return 0
