"""`pixelcnn score --against`: whether a model tells images of another kind from its own."""

import argparse
import csv
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.charts.figure import save_figure
from pixelcnn.charts.overlap import overlap_figure
from pixelcnn.cli.inputs.conditions import is_typed
from pixelcnn.cli.inputs.query_images import QueryImages, query_images, read_files
from pixelcnn.cli.outputs.console import counted, progress_bar
from pixelcnn.data import DATASETS
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import Auc, OODDetection, detect_ood
from pixelcnn.evaluation.ood import METHODS
from pixelcnn.files import atomic_write, provisional_folder, write_json
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import TrainedModel, open_model

TABLE_FILE = "outliers.csv"
FIGURES_FILE = "outliers.json"
PICTURE_FILE = "outliers.png"
FAILURE = (
    "The other images are found more probable than the model's own: the known failure. Likelihood "
    "is mostly about what pixels have in common from neighbour to neighbour, and images with less "
    "detail cost less under any model (Nalisnick et al., 2019). A background model or a lossless "
    "compressor knows that much too: the difference to either is what the model knows besides."
)
SUCCESS = (
    "Plain likelihood tells them here. It need not elsewhere: images with less detail than the "
    "model's own cost less under any model, as Fashion-MNIST shows when it is asked about MNIST "
    "(Nalisnick et al., 2019)."
)
CHANCE = (
    "Plain likelihood does not tell them beyond chance: among so many images, an area so near to "
    "0.5 says nothing. More images (--max-images) tell more."
)


def score_against(args: argparse.Namespace) -> int:
    """Scores both kinds of images, and writes figures, table and picture."""
    if args.film or is_typed(args):
        raise ConfigError(
            "`--against` asks for p(x) of all images: leave out --film, --label, --attributes and "
            "--maps."
        )
    out = Path(args.out)
    with provisional_folder(out):
        trained = open_model(args.run, device=args.device)
        background = None
        if args.background is not None:
            background = open_model(args.background, device=args.device)
        inliers = query_images(args, trained.model, with_condition=False)
        outliers = others_of(args, trained.model)
        with progress_bar("scoring both kinds") as progress:
            found = detect_ood(
                trained.model,
                inliers.x,
                outliers.x,
                background=None if background is None else background.model,
                batch_size=args.batch_size,
                progress=progress,
            )
        write_json(
            out / FIGURES_FILE, ood_metrics(args, found, trained, background, inliers, outliers)
        )
        write_ood_table(out / TABLE_FILE, found, inliers, outliers)
        titles = {
            f"{METHODS[method]}: ROC-AUC {auc.auc:.3f}": (
                found.inliers[method],
                found.outliers[method],
            )
            for method, auc in found.auc.items()
        }
        names = (short(inliers), short(outliers))
        save_figure(overlap_figure(titles, names=names, unit="bits"), out / PICTURE_FILE)
    print(ood_summary(found, inliers, outliers))
    for name in (FIGURES_FILE, TABLE_FILE, PICTURE_FILE):
        print(out / name)
    return 0


def others_of(args: argparse.Namespace, model: AutoregressiveModel) -> QueryImages:
    """The images of another kind, in the levels of the model; as many at most as of its own."""
    name = args.against.partition(":")[0]
    if name not in DATASETS or Path(args.against).exists():
        found = read_files([Path(args.against)], model)
        return found if args.max_images is None else found.only(slice(args.max_images))
    # The words typed last win: the form of the images stays that of the run.
    settings = [*args.settings, f"--data.dataset_name={args.against}"]
    other = argparse.Namespace(**{**vars(args), "files": [], "settings": settings})
    return query_images(other, model, with_condition=False)


def short(asked: QueryImages) -> str:
    """What images are, in a word or two: the beginning of what is known about them."""
    return asked.about.partition(",")[0]


def ood_metrics(
    args: argparse.Namespace,
    found: OODDetection,
    trained: TrainedModel,
    background: TrainedModel | None,
    inliers: QueryImages,
    outliers: QueryImages,
) -> dict[str, object]:
    """The figures with all that they depend on."""
    return {
        "roc_auc": found.as_dict(),
        "unit": "bits per image",
        "run": str(trained.file),
        "background": None if background is None else str(background.file),
        "inliers": {"images": len(inliers.x), "protocol": inliers.about},
        "outliers": {"images": len(outliers.x), "protocol": outliers.about},
        "split": args.split or "test",
    }


def write_ood_table(
    path: Path, found: OODDetection, inliers: QueryImages, outliers: QueryImages
) -> None:
    """One line per image with its scores; whole or not at all."""
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "kind", *(f"{method}_bits" for method in found.auc)])
        kinds: list[tuple[str, QueryImages, dict[str, Tensor]]] = [
            ("inlier", inliers, dict(found.inliers)),
            ("outlier", outliers, dict(found.outliers)),
        ]
        for kind, asked, scores in kinds:
            values = torch.stack(list(scores.values()), 1).tolist()
            for name, row in zip(asked.names, values, strict=True):
                table.writerow([name, kind, *(f"{value:.4f}" for value in row)])


def ood_summary(found: OODDetection, inliers: QueryImages, outliers: QueryImages) -> str:
    """The areas in a table, and what they mean."""
    lines = [
        f"inliers: {counted(len(inliers.x), 'image')}: {inliers.about}",
        f"outliers: {counted(len(outliers.x), 'image')}: {outliers.about}",
        "",
        f"{'score':22} {'ROC-AUC':16} mean bits of inliers and outliers",
    ]
    for method, (auc, stderr) in found.auc.items():
        area = f"{auc:.4f}" + ("" if stderr is None else f" ± {stderr:.4f}")
        means = (f"{each[method].mean():,.1f}" for each in (found.inliers, found.outliers))
        lines.append(f"{method.replace('_', ' '):22} {area:16} {', '.join(means)}")
    if "likelihood_ratio" not in found.auc:
        lines.append("likelihood ratio       –                needs --background RUN")
    return "\n".join([*lines, "", meaning(found.auc["likelihood"])])


def meaning(likelihood: Auc) -> str:
    """What the area by plain likelihood says, where it is beyond two standard errors of 0.5."""
    area, stderr = likelihood
    if stderr is None or abs(area - 0.5) <= 2 * stderr:
        return CHANCE
    return FAILURE if area < 0.5 else SUCCESS
