"""Trains, samples or evaluates with the options of the original project.

    python scripts/train.py --config configs/default.yaml --device cuda
    python scripts/train.py --config configs/default.yaml --resume checkpoints/last.ckpt
    python scripts/train.py --sample-only --resume checkpoints/last.ckpt
    python scripts/train.py --eval-only --resume checkpoints/last.ckpt

It translates them for `pixelcnn train`, `sample` and `evaluate`, which have more options.
"""

import sys
from collections.abc import Sequence

from pixelcnn.cli import main as pixelcnn
from pixelcnn.cli.parsers.options import OneLineParser

SUMMARY = "Train, sample or evaluate. Takes all options of the command of `pixelcnn`."


def translate(words: Sequence[str]) -> list[str]:
    """The arguments of `pixelcnn` for the same work.

    Example:
        >>> translate(["--sample-only", "--resume", "last.ckpt", "--device", "cpu"])
        ['sample', 'last.ckpt', '--device', 'cpu']
    """
    parser = OneLineParser(description=SUMMARY, allow_abbrev=False)
    parser.add_argument("--config", help="settings in YAML")
    parser.add_argument("--resume", help="checkpoint or run folder to resume from")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--sample-only", action="store_true", help="sample from --resume")
    only.add_argument("--eval-only", action="store_true", help="evaluate --resume")
    args, rest = parser.parse_known_args(words)
    if (args.sample_only or args.eval_only) and not args.resume:
        parser.error("--sample-only and --eval-only need --resume: name a checkpoint or a run")

    config = ["--config", args.config] if args.config else []
    if args.sample_only:
        return ["sample", args.resume, *config, *rest]
    if args.eval_only:
        return ["evaluate", args.resume, *config, *rest]
    resume = ["--resume", args.resume] if args.resume else []
    return ["train", *config, *resume, *rest]


if __name__ == "__main__":
    sys.exit(pixelcnn(translate(sys.argv[1:])))
