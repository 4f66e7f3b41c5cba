"""`pixelcnn classify`: the label of images by Bayes' rule."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pixelcnn.charts.figure import save_figure
from pixelcnn.charts.posterior import posterior_figure
from pixelcnn.cli.inputs.query_images import QueryImages, query_images
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar, write_table
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.inference import ClassPosterior, classify
from pixelcnn.metrics import wilson_interval
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import open_model

CLASSES_FILE = "classes.csv"
POSTERIOR_FILE = "posterior.png"


def run(args: argparse.Namespace) -> int:
    """Classifies, writes the table and the figure, and prints the accuracy."""
    out = Path(args.out)
    with provisional_folder(out):
        model = open_model(args.run, device=args.device).model
        if model.num_labels is None:
            raise ConfigError(
                f"`pixelcnn classify` needs a model that is conditioned on labels, and "
                f"`{args.run}` is not. Train one on labelled images."
            )
        images = query_images(args, model, with_condition=False)
        with progress_bar(f"classifying {counted(len(images.x), 'image')}") as progress:
            found = classify(model, images.x, batch_size=args.batch_size, progress=progress)
        names = model.condition.every_name
        heads = ["image", "label", "predicted", "nats", *(f"p({name})" for name in names)]
        write_table(out / CLASSES_FILE, heads, posterior_rows(images, found, names))
        write_posterior(out, model, images.only(slice(args.show)), batch_size=args.batch_size)
    files = out / CLASSES_FILE, out / POSTERIOR_FILE
    print_lines(*classification_summary(images, found), *files)
    return 0


def posterior_rows(
    images: QueryImages, found: ClassPosterior, names: list[str]
) -> Iterator[list[str]]:
    """One row per image with the probability of each label."""
    for number, name in enumerate(images.names):
        yield [
            name,
            "" if images.labels is None else names[int(images.labels[number])],
            names[int(found.predicted[number])],
            f"{-found.log_prob[number]:.4f}",
            *(f"{p:.6g}" for p in found.probabilities[number].tolist()),
        ]


def write_posterior(
    out: Path, model: AutoregressiveModel, images: QueryImages, *, batch_size: int
) -> None:
    """Writes the posterior of the labels after each pixel of some images."""
    by_pixel = classify(model, images.x, by_pixel=True, batch_size=batch_size).by_pixel
    assert by_pixel is not None
    figure = posterior_figure(
        images.x,
        by_pixel,
        levels=model.num_classes,
        names=model.condition.every_name,
        titles=[Path(name).name for name in images.names],
    )
    save_figure(figure, out / POSTERIOR_FILE)


def classification_summary(images: QueryImages, found: ClassPosterior) -> list[str]:
    """The accuracy where the labels are known."""
    lines = [f"{counted(len(images.x), 'image')}: {images.about}"]
    if images.labels is None:
        mean = found.probabilities.max(1).values.mean()
        return [*lines, f"mean probability of the predicted label: {mean:.4f}"]
    correct = int((found.predicted == images.labels).sum())
    count = len(images.x)
    low, high = wilson_interval(correct, count)
    nats = -found.log_probs.gather(1, images.labels[:, None]).mean()
    lines.append(
        f"accuracy {100 * correct / count:.2f} % (95 % interval {100 * low:.2f} to "
        f"{100 * high:.2f}), NLL of the correct label {nats:.4f} nats"
    )
    return lines
