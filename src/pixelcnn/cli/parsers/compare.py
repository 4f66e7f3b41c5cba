"""The parser of `pixelcnn compare`. Nothing heavy is imported here."""

from pixelcnn.cli.parsers.options import (
    RUN_HELP,
    Subparsers,
    add_command,
    add_output,
    non_negative,
    positive,
)


def add_compare(commands: Subparsers) -> None:
    """Adds the command."""
    parser = add_command(
        commands, "compare", "show models side by side on one page", takes_settings=True
    )
    parser.add_argument(
        "runs", nargs="+", metavar="[NAME=]RUN", help=f"{RUN_HELP}; with a name to show it by"
    )
    parser.add_argument(
        "--quick", action="store_true", help="200 test images and 128 drawn ones, for a first look"
    )
    parser.add_argument(
        "--max-images", type=positive, metavar="N", help="test images (default: 2,000)"
    )
    parser.add_argument(
        "--num-generated", type=positive, metavar="N",
        help="images that each model draws (default: 500)",
    )  # fmt: skip
    parser.add_argument(
        "--draw-seconds", type=float, metavar="S",
        help="longest time for one model to draw them; all draw fewer where the slowest would need "
        "longer (default: 60)",
    )  # fmt: skip
    parser.add_argument(
        "--features", choices=["classifier", "inception", "none"],
        help="what sees drawn images (default: the package's classifier of these images, if any)",
    )  # fmt: skip
    parser.add_argument(
        "--classifier", metavar="FILE", help="of `pixelcnn train-classifier`, or a name"
    )
    parser.add_argument("--inception-weights", metavar="FILE", help="torch-fidelity's Inception")
    parser.add_argument("--seed", type=non_negative, help="decides what is drawn (default: 0)")
    files = "report.html, report.md with its pictures, and report.json"
    add_output(parser, "comparison", files)
