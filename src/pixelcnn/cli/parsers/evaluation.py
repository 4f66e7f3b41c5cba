"""The parsers of the commands that evaluate and inspect models. Nothing heavy is imported here."""

import argparse

from pixelcnn.cli.parsers.options import (
    PRINT_CONFIG_HELP,
    RUN_HELP,
    Subparsers,
    add_command,
    add_device,
    add_output,
    add_run,
    add_seed,
    add_size,
    add_split,
)
from pixelcnn.cli.parsers.types import destination, positive, seconds, sites


def add_evaluate(commands: Subparsers) -> None:
    """Adds `evaluate`."""
    parser = add_command(
        commands,
        "evaluate",
        "measure likelihood on held-out images, and sample quality",
        is_slow=True,
        takes_settings=True,
        settings=("the images and the evaluation", "--evaluation.max_samples 1000"),
        less_memory="Score fewer images at once: --evaluation.batch_size.",
    )
    add_run(parser)
    add_split(parser)
    parser.add_argument(
        "--out", type=destination, metavar="FILE",
        help="JSON file for the metrics (default: RUN/metrics-SPLIT.json).",
    )  # fmt: skip
    add_seed(
        parser, "the samples, and of the images that a smaller set holds",
        default="that of the settings",
    )  # fmt: skip
    parser.add_argument(
        "--sum-labels", action="store_true",
        help="Also compute p(x) as a sum over labels, with one pass over the images for each.",
    )  # fmt: skip
    add_device(parser)
    _add_sample_quality(
        parser.add_argument_group(
            "sample quality",
            "The model is sampled if --features, --lpips or --num-generated is given.",
        )
    )
    parser.add_argument("--print-config", action="store_true", help=PRINT_CONFIG_HELP)


def _add_sample_quality(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--features", choices=["inception", "classifier"],
        help="Network whose features give FID, KID, Inception score, precision and recall "
        "(default with --num-generated: the one that fits the images).",
    )  # fmt: skip
    group.add_argument(
        "--num-generated", type=positive, metavar="N",
        help="Images to sample (N ≥ 1; default: as many as real ones, at most 10,000).",
    )  # fmt: skip
    _add_networks(group)
    group.add_argument(
        "--lpips", choices=["alex", "vgg", "squeeze"],
        help="Measure LPIPS with this backbone.",
    )  # fmt: skip
    group.add_argument(
        "--lpips-weights", metavar="FILE",
        help="Weights of torchvision's backbone (default: torchvision downloads them).",
    )  # fmt: skip


def _add_networks(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--classifier", metavar="FILE",
        help="Evaluation classifier: a file of `pixelcnn train-classifier`, or the name of a "
        "bundled one (default: the bundled one of the same images).",
    )  # fmt: skip
    parser.add_argument(
        "--inception-weights", metavar="FILE",
        help="Weights of torch-fidelity's Inception network (default: that library downloads "
        "them).",
    )  # fmt: skip


def add_compare(commands: Subparsers) -> None:
    """Adds `compare`."""
    parser = add_command(
        commands,
        "compare",
        "compare models side by side on one page",
        is_slow=True,
        takes_settings=True,
        less_memory="Use fewer images (--max-images, --num-generated).",
    )
    parser.add_argument(
        "runs", nargs="+", metavar="[NAME=]RUN", help=f"{RUN_HELP}; with NAME to show it as."
    )
    parser.add_argument(
        "--quick", action="store_true",
        help="A first look: 200 test images, 128 samples, at most 10 seconds of sampling.",
    )  # fmt: skip
    parser.add_argument(
        "--max-images", type=positive, metavar="N", help="Test images (N ≥ 1; default: 2,000)."
    )
    parser.add_argument(
        "--num-generated", type=positive, metavar="N",
        help="Images to sample from each model (N ≥ 1; default: 500).",
    )  # fmt: skip
    parser.add_argument(
        "--sampling-seconds", type=seconds, metavar="S",
        help="Longest time in seconds to sample one model. If the slowest model needs longer, "
        "fewer images are sampled from every model (S > 0; default: 60).",
    )  # fmt: skip
    parser.add_argument(
        "--features", choices=["classifier", "inception", "none"],
        help="Network whose features measure sample quality (default: the bundled classifier of "
        "the same images, if there is one).",
    )  # fmt: skip
    _add_networks(parser)
    add_seed(parser, "the samples")
    files = "report.html, report.md with its figures, and report.json"
    add_output(parser, "comparison", files)


def add_verify(commands: Subparsers) -> None:
    """Adds `verify`."""
    parser = add_command(
        commands,
        "verify",
        "check the causality, sampling and likelihood of a trained model on its own weights",
        is_slow=True,
        less_memory="Verify on a device with more memory: --device.",
    )
    parser.epilog = (
        "Exit code 0 if every check passes, 1 if one fails, 2 if the checks could not be run."
    )
    add_run(parser)
    parser.add_argument(
        "--sites", type=sites, metavar="N",
        help="Sub-pixels to check one by one (N ≥ 1, or all; default: as many as take about a "
        "minute).",
    )  # fmt: skip
    add_size(parser)
    parser.add_argument(
        "--out", type=destination, metavar="FILE",
        help="JSON file for the verification report (default: MODEL.verification.json beside the "
        "model; none for a bundled model).",
    )  # fmt: skip
    add_seed(parser, "the images and sub-pixels that are checked")
    add_device(parser)


def add_info(commands: Subparsers) -> None:
    """Adds `info`."""
    parser = add_command(commands, "info", "describe a trained model, or list the bundled ones")
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help=f"{RUN_HELP} (default: list the bundled models)."
    )
    parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")
