"""Variants of one network, trained alike: likelihood, size, speed and samples.

python -m benchmarks.variants --epochs 4 --out runs/variants

Trains the network of configs/mnist-binary.yaml unchanged, with labels, with dilations, with
attention, and a gated one, with the same seed, images and schedule. A variant that the folder
already holds is not trained again. Writes variants.md, variants.json and variants.png. Other
options go to `pixelcnn train`, such as --data.max_samples 640 for a trial.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import Spread, alternate, machine, table
from pixelcnn.checkpoint import read_card
from pixelcnn.cli import main as pixelcnn
from pixelcnn.files import write_json, write_text
from pixelcnn.inference import PixelCNNSampler
from pixelcnn.models import AutoregressiveModel
from pixelcnn.plots import image_grid, name_rows, save_png
from pixelcnn.runs import load

VARIANTS = {
    "base": ["--preset", "mnist-binary"],
    "conditional": ["--preset", "mnist-binary", "--model.num_labels", "10"],
    "dilated": ["--preset", "mnist-dilated"],
    "attention": ["--preset", "mnist-attention"],
    "gated": [
        "--preset", "mnist-binary", "--model.name", "gated", "--model.hidden_channels", "32",
        "--model.num_layers", "8", "--model.num_residual_blocks", "null",
        "--training.compile", "false",
    ],
}  # fmt: skip
HEAD = [
    "variant", "parameters", "test NLL, nats", "perplexity", "best validation, nats",
    "seconds per epoch", "seconds to sample 64",
]  # fmt: skip
ROUNDS = 5


def train(name: str, folder: Path, settings: list[str]) -> None:
    """Trains one variant, unless the folder holds it."""
    if (folder / "metrics.json").exists():
        return
    code = pixelcnn(["train", *VARIANTS[name], *settings, "--out", str(folder), "--overwrite"])
    if code:
        raise SystemExit(code)


def sample(model: AutoregressiveModel, number: int = 64) -> torch.Tensor:
    """Samples 0, 1, 2 … by the same noise, with the labels in turn where there are any."""
    cond = None if model.num_labels is None else torch.arange(number) % model.num_labels
    return PixelCNNSampler(model).generate_samples(number, cond=cond, seed=0)


def metrics_of(folder: Path, model: AutoregressiveModel) -> dict[str, Any]:
    """Metrics of a run, from its files."""
    metrics = json.loads((folder / "metrics.json").read_text())
    training = read_card(folder / "model.safetensors")["training"]
    return {
        "parameters": model.num_parameters,
        "nll_nats": metrics["nll_nats"],
        "nll_nats_stderr": metrics["nll_nats_stderr"],
        "perplexity": metrics["perplexity"],
        "val_nll_nats": training["val_nll_nats"],
        "seconds_per_epoch": training["seconds"] / training["epochs"],
        "protocol": metrics["protocol"],
    }


def row(name: str, found: dict[str, Any], seconds: list[float]) -> list[str]:
    return [
        name,
        f"{found['parameters']:,}",
        f"{found['nll_nats']:.2f} ± {found['nll_nats_stderr']:.2f}",
        f"{found['perplexity']:.4f}",
        f"{found['val_nll_nats']:.2f}",
        f"{found['seconds_per_epoch']:.0f}",
        Spread.of(seconds).text(),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/variants"))
    args, settings = parser.parse_known_args()
    settings += ["--training.max_epochs", str(args.epochs), "--seed", str(args.seed)]
    for name in VARIANTS:
        train(name, args.out / name, settings)
    models = {name: load(args.out / name / "model.safetensors") for name in VARIANTS}
    seconds = alternate({name: lambda m=m: sample(m) for name, m in models.items()}, ROUNDS)
    found = {name: metrics_of(args.out / name, model) for name, model in models.items()}
    rows = [row(name, found[name], seconds[name]) for name in VARIANTS]
    text = f"{args.epochs} epochs, seed {args.seed}. {machine()}.\n\n{table(HEAD, rows)}\n"
    write_text(args.out / "variants.md", text)
    for name in VARIANTS:
        found[name]["seconds_to_sample_64"] = seconds[name]
    write_json(args.out / "variants.json", {"epochs": args.epochs, "variants": found})
    shown = torch.cat([sample(model)[:20] for model in models.values()])
    grid = name_rows(image_grid(shown, 2, columns=20, scale=2), list(models))
    save_png(args.out / "variants.png", grid)
    print(text)


if __name__ == "__main__":
    main()
