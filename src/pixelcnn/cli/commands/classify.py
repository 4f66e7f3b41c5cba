"""`pixelcnn classify`: the label of images by Bayes' rule."""

import argparse
import csv
from pathlib import Path

from pixelcnn.charts.figure import save_figure
from pixelcnn.charts.posterior import posterior_figure
from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import counted, progress_bar
from pixelcnn.errors import ConfigError
from pixelcnn.files import atomic_write, provisional_folder
from pixelcnn.inference import ClassPosterior, classify
from pixelcnn.metrics import wilson_interval
from pixelcnn.runs import open_model

CLASSES_FILE = "classes.csv"
BELIEF_FILE = "belief.png"


def run(args: argparse.Namespace) -> int:
    """Classifies, writes the table and the picture, and says how often it was right."""
    out = Path(args.out)
    with provisional_folder(out):
        model = open_model(args.run, device=args.device).model
        if model.num_labels is None:
            raise ConfigError(f"`{args.run}` was trained without labels: it cannot tell them.")
        asked = query_images(args, model, with_condition=False)
        with progress_bar(f"classifying {counted(len(asked.x), 'image')}") as progress:
            found = classify(model, asked.x, batch_size=args.batch_size, progress=progress)
        names = model.condition.every_name
        write_posteriors(out / CLASSES_FILE, asked, found, names)
        x = asked.x[: args.show]
        arriving = classify(model, x, by_pixel=True, batch_size=args.batch_size).by_pixel
        assert arriving is not None
        titles = [Path(name).name for name in asked.names[: args.show]]
        figure = posterior_figure(x, arriving, levels=model.num_classes, names=names, titles=titles)
        save_figure(figure, out / BELIEF_FILE)
    print(classification_summary(asked, found))
    print(out / CLASSES_FILE)
    print(out / BELIEF_FILE)
    return 0


def write_posteriors(
    path: Path, asked: QueryImages, found: ClassPosterior, names: list[str]
) -> None:
    """One line per image with the probability of each label; whole or not at all."""
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "label", "found", "nats", *(f"p({name})" for name in names)])
        for number, name in enumerate(asked.names):
            label = "" if asked.labels is None else names[int(asked.labels[number])]
            table.writerow(
                [
                    name,
                    label,
                    names[int(found.predicted[number])],
                    f"{-found.log_prob[number]:.4f}",
                    *(f"{p:.6g}" for p in found.probabilities[number].tolist()),
                ]
            )


def classification_summary(asked: QueryImages, found: ClassPosterior) -> str:
    """How often the label was right, where it is known."""
    lines = [f"{counted(len(asked.x), 'image')}: {asked.about}"]
    if asked.labels is None:
        certain = found.probabilities.max(1).values.mean()
        return "\n".join([*lines, f"mean probability of the label found: {certain:.4f}"])
    right = int((found.predicted == asked.labels).sum())
    count = len(asked.x)
    low, high = wilson_interval(right, count)
    nats = -found.log_probs.gather(1, asked.labels[:, None]).mean()
    lines.append(
        f"accuracy {100 * right / count:.2f} % (95 % interval {100 * low:.2f} to "
        f"{100 * high:.2f}), {nats:.4f} nats of the right label"
    )
    return "\n".join(lines)
