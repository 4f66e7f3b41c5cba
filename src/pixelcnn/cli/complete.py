"""`pixelcnn complete`: draws what is missing of images."""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np

from pixelcnn.charts.completions import completions_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.cli.images import Asked, images_of
from pixelcnn.cli.progress import progress_bar
from pixelcnn.cli.questions import COMPLETION_METHODS, typed_options
from pixelcnn.cli.runs import open_run
from pixelcnn.device import resolve_device
from pixelcnn.files import atomic_write, provisional_folder
from pixelcnn.inference import Completions, UntrustedWarning, complete, known_masks

TABLE_FILE = "completions.csv"
PICTURE_FILE = "completions.png"
LEVELS_FILE = "completions.npz"
NUM_IMAGES = 4


def run(args: argparse.Namespace) -> int:
    """Completes, writes, and says how probable the best are."""
    out = Path(args.out)
    with provisional_folder(out), warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrustedWarning)  # `summary` says it louder
        model = open_run(args.run, device=resolve_device(args.device or "auto")).model
        if not args.files and args.max_images is None:
            args.max_images = NUM_IMAGES
        asked = images_of(args, model)
        count, channels, height, width = asked.x.shape
        words = args.missing or ["bottom"]
        missing = words if len(words) > 1 else words[0]
        known = known_masks(missing, (count, channels, height, width), seed=args.seed or 0)
        with progress_bar(f"completing {count} images") as progress:
            found = complete(
                model,
                asked.x,
                known,
                method=args.method,
                num_completions=args.num_completions,
                cond=asked.cond,
                seed=args.seed or 0,
                batch_size=args.batch_size,
                progress=progress,
                **typed_options(args, COMPLETION_METHODS, [args.method] if args.method else []),
            )
        write(out, asked, found, model.num_classes)
    print(summary(asked, found))
    for name in (TABLE_FILE, PICTURE_FILE, LEVELS_FILE):
        print(out / name)
    return 0


def write(out: Path, asked: Asked, found: Completions, levels: int) -> None:
    """Writes the table, the picture and the levels, each whole or not at all."""
    with atomic_write(out / TABLE_FILE) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "rank", "log_prob_nats", "known_log_prob_nats"])
        for number, name in enumerate(asked.names):
            figures = zip(found.log_prob[number], found.known_log_prob[number], strict=True)
            for rank, (whole, explained) in enumerate(figures, 1):
                table.writerow([name, rank, f"{whole:.4f}", f"{explained:.4f}"])
    titles = [Path(name).name for name in asked.names]
    figure = completions_figure(asked.x, found, levels=levels, names=titles)
    save_figure(figure, out / PICTURE_FILE)
    with atomic_write(out / LEVELS_FILE) as temporary:
        np.savez_compressed(
            temporary,
            x=found.images.numpy().astype(np.uint8 if levels <= 256 else np.uint16),
            known=found.known.numpy(),
            log_prob=found.log_prob.numpy(),
            levels=levels,
        )


def summary(asked: Asked, found: Completions) -> str:
    """How probable the best completion of each image is, and every doubt."""
    lines = [
        f"{found.images.shape[1]} completions of each of {len(asked.x)} images by {found.method}: "
        f"{asked.about}"
    ]
    for number, name in enumerate(asked.names):
        best, explained = found.log_prob[number, 0], found.known_log_prob[number, 0]
        lines.append(f"  {name}: best {best:.2f} nats, of which the known part {explained:.2f}")
    lines += [f"  NOT TO BE TRUSTED: {doubt}" for doubt in found.warnings]
    return "\n".join(lines)
