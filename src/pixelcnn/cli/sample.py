"""`pixelcnn sample`: draws images from a trained model."""

import argparse
from pathlib import Path

from pixelcnn.cli.drawing import draw, save_film, save_grid, save_levels, save_separate
from pixelcnn.cli.runs import open_run
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.files import make_folder

SUFFIXES = (".png", ".gif", ".npz")


def run(args: argparse.Namespace) -> int:
    """Draws, writes, and says where."""
    out = Path(args.out)
    if args.separate:
        make_folder(out)
    elif out.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"`--out` must end in {', '.join(SUFFIXES)}, got `{out}`. "
            f"For one file per image add --separate."
        )
    else:
        make_folder(out.parent)
    trained = open_run(args.run, device=resolve_device(args.device or "auto"))
    drawing = draw(
        trained.model,
        seed=args.seed,
        num_samples=args.num_samples or 16,
        per_label=args.per_label,
        labels=[label.strip() for each in args.label for label in each.split(",")],
        label_names=trained.label_names,
        size=args.size,
        keep_frames=out.suffix.lower() == ".gif" and not args.separate,
        temperature=args.temperature,
        top_k=args.top_k,
        top_p=args.top_p,
        guidance=args.guidance,
    )
    if args.separate:
        save_separate(drawing, out, scale=args.scale)
    elif out.suffix.lower() == ".npz":
        save_levels(drawing, out)
    else:
        save = save_film if out.suffix.lower() == ".gif" else save_grid
        save(drawing, out, columns=args.columns, scale=args.scale)
    print(f"{len(drawing.images)} images in {out}")
    return 0
