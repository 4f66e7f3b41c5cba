"""Training steps of every recipe, as `auto` runs them, against plain float32.

python -m benchmarks.recipes                      (random images of the recipe's size)
python -m benchmarks.recipes mnist-256 --rounds 9
python -m benchmarks.recipes --images 2           (recipes for GPUs take a minute a step)
ONEDNN_MAX_CPU_ISA=AVX2 python -m benchmarks.recipes    (as a processor without bf16)
"""

import argparse
from dataclasses import replace

import torch

from benchmarks.measure import Spread, alternate, machine, ratio, seconds_spent, table
from pixelcnn.config import Config, load_config, preset_names
from pixelcnn.data import DataSplits, TensorImageSet
from pixelcnn.training.build import build_model
from pixelcnn.training.tuning.auto import TrialSteps, choose, half_precision
from pixelcnn.training.tuning.trial import trial_training

HEAD = ["recipe, batch", "float32, s", "auto", "auto ÷ float32", "half precision ÷ float32"]
SHAPES = {  # channels, side, levels, training images
    "digits": (1, 8, 17, 1437),
    "npz": (1, 8, 512, 45_000),
    "celeba": (3, 64, 256, 162_770),
    "cifar10": (3, 32, 256, 45_000),
}
MNIST = (1, 28, 256, 54_000)


def random_images(config: Config) -> DataSplits:
    """Images of noise in the sizes of a recipe's data set; all of a set share one memory."""
    channels, side, levels, count = SHAPES.get(config.data.dataset_name, MNIST)
    levels = config.model.settings["num_classes"] or levels
    few = torch.randint(levels, (config.data.batch_size, channels, side, side), dtype=torch.int32)
    num_labels = config.model.settings["num_labels"] or 1
    conditions = {
        "labels": torch.randint(num_labels, (len(few),)),
        "attributes": torch.randint(
            2, (len(few), config.model.settings["num_attributes"] or 1), dtype=torch.float32
        ),
    }
    images = TensorImageSet(few, **conditions, levels=levels)
    images = images.take(torch.arange(count) % len(few))
    names = tuple(map(str, range(num_labels)))
    return DataSplits(images, images, images, images.spec, names, "noise")


def row(name: str, batch: int | None, rounds: int) -> list[str | Spread]:
    """What `auto` chooses for a recipe, and how long its steps take."""
    torch.manual_seed(0)
    config = load_config(preset=name)
    config = replace(
        config,
        training=replace(config.training, compile=False),
        data=replace(config.data, num_workers=0),
    )
    if batch is not None:
        size = min(batch, config.data.batch_size)
        config = replace(config, data=replace(config.data, batch_size=size))
    data = random_images(config)
    model = build_model(config.model, data)
    auto = choose(config, model, data)["precision"].value
    half = half_precision(config)
    with trial_training(config, model, data) as trial:
        steps = TrialSteps(trial)
        precisions = dict.fromkeys(("32-true", auto, *([half] if half else [])))
        seconds = alternate(
            {each: steps.step(each) for each in precisions}, rounds, clock=seconds_spent
        )
    against = {each: ratio(seconds, each, "32-true") for each in precisions}
    return [
        f"{name}, {config.data.batch_size}",
        Spread.of(seconds["32-true"]),
        auto,
        "1" if auto == "32-true" else against[auto],
        against[half] if half else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    parser.add_argument("--images", type=int, help="at most so many in a batch")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{machine()}.\n")
    names = args.recipes or [name for name in preset_names() if name != "cifar10"]
    for place, name in enumerate(names):
        text = table(HEAD, [row(name, args.images, args.rounds)])
        print(text if place == 0 else text.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
