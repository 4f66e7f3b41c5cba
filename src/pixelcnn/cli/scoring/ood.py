"""`pixelcnn score --against`: out-of-distribution (OOD) detection."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from pixelcnn.charts.figure import save_figure
from pixelcnn.charts.overlap import overlap_figure
from pixelcnn.cli.inputs.conditions import is_typed
from pixelcnn.cli.inputs.query_images import QueryImages, query_images, read_typed_files
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar, write_table
from pixelcnn.data import DATASETS
from pixelcnn.data.sources.folders.folder_layout import split_folders
from pixelcnn.errors import ConfigError
from pixelcnn.evaluation import Auc, OODDetection, detect_ood
from pixelcnn.evaluation.ood import METHODS
from pixelcnn.files import provisional_folder, write_json
from pixelcnn.models import AutoregressiveModel
from pixelcnn.runs import open_model

TABLE_FILE = "ood.csv"
METRICS_FILE = "ood.json"
FIGURE_FILE = "ood.png"
FAILURE = (
    "Likelihood fails here, as it is known to: the OOD images have a higher likelihood than the "
    "model's own. Likelihood depends mostly on local smoothness, and images with less detail have "
    "a higher likelihood under any model (Nalisnick et al., 2019). The likelihood ratio and the "
    "difference to a compressor correct for that."
)
SUCCESS = (
    "Likelihood detects these OOD images. It fails for others: images with less detail than the "
    "model's own have a higher likelihood under any model, such as MNIST under a model of "
    "Fashion-MNIST (Nalisnick et al., 2019)."
)
CHANCE = (
    "Likelihood does not detect these OOD images beyond chance: an area so near to 0.5 is not "
    "significant with so few images. Use more (--max-images)."
)


def score_against(args: argparse.Namespace) -> int:
    """Scores both sets of images, and writes metrics, table and figure."""
    if args.animation or is_typed(args):
        raise ConfigError(
            "`--against` needs p(x) of all images: leave out --animation, --label, --attributes "
            "and --maps."
        )
    out = Path(args.out)
    with provisional_folder(out):
        trained = open_model(args.run, device=args.device)
        background = None
        if args.background is not None:
            background = open_model(args.background, device=args.device)
        inliers = query_images(args, trained.model, with_condition=False)
        outliers = outliers_of(args, trained.model)
        with progress_bar("scoring both sets of images") as progress:
            found = detect_ood(
                trained.model,
                inliers.x,
                outliers.x,
                background=None if background is None else background.model,
                batch_size=args.batch_size,
                progress=progress,
            )
        metrics = {
            "roc_auc": found.as_dict(),
            "unit": "bits per image",
            "inliers": {"images": len(inliers.x), "protocol": inliers.about},
            "outliers": {"images": len(outliers.x), "protocol": outliers.about},
            "split": args.split or "test",
            "run": str(trained.file),
            "background": None if background is None else str(background.file),
        }
        write_json(out / METRICS_FILE, metrics)
        heads = ["image", "kind", *(f"{method}_bits" for method in found.auc)]
        write_table(out / TABLE_FILE, heads, ood_rows(found, inliers, outliers))
        write_overlap(out, found, inliers, outliers)
    files = (out / name for name in (METRICS_FILE, TABLE_FILE, FIGURE_FILE))
    print_lines(*ood_summary(found, inliers, outliers), *files)
    return 0


def outliers_of(args: argparse.Namespace, model: AutoregressiveModel) -> QueryImages:
    """The images of `--against`, in the levels of the model, at most `--max-images`."""
    name, _, path = args.against.partition(":")
    if name == "folder" and path and "test" not in split_folders(Path(path).expanduser())[0]:
        args = argparse.Namespace(**{**vars(args), "against": path})  # all images, as for DIR
    if Path(args.against).exists() or name not in DATASETS:
        if not Path(args.against).exists():
            raise ConfigError(
                f"`--against` must be a data set ({', '.join(DATASETS)}) or an existing file or "
                f"folder, got `{args.against}`."
            )
        found = read_typed_files(args, [args.against], model)
        return found if args.max_images is None else found.only(slice(args.max_images))
    # The last setting wins, so the form of the images stays that of the run.
    settings = [*args.settings, f"--data.dataset_name={args.against}"]
    other = argparse.Namespace(**{**vars(args), "files": [], "settings": settings})
    return query_images(other, model, with_condition=False)


def ood_rows(
    found: OODDetection, inliers: QueryImages, outliers: QueryImages
) -> Iterator[list[str]]:
    """One row per image with its scores."""
    kinds: list[tuple[str, QueryImages, dict[str, Tensor]]] = [
        ("inlier", inliers, dict(found.inliers)),
        ("outlier", outliers, dict(found.outliers)),
    ]
    for kind, images, scores in kinds:
        values = torch.stack(list(scores.values()), 1).tolist()
        for name, row in zip(images.names, values, strict=True):
            yield [name, kind, *(f"{value:.4f}" for value in row)]


def write_overlap(
    out: Path, found: OODDetection, inliers: QueryImages, outliers: QueryImages
) -> None:
    """Writes the distributions of both sets of scores."""
    scores = {
        f"{METHODS[method]}: ROC-AUC {auc.auc:.3f}": (found.inliers[method], found.outliers[method])
        for method, auc in found.auc.items()
    }
    names = (inliers.about.partition(",")[0], outliers.about.partition(",")[0])
    save_figure(overlap_figure(scores, names=names, unit="bits"), out / FIGURE_FILE)


def ood_summary(found: OODDetection, inliers: QueryImages, outliers: QueryImages) -> list[str]:
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
    return [*lines, "", meaning(found.auc["likelihood"])]


def meaning(likelihood: Auc) -> str:
    """What the area by likelihood says, if it is beyond two standard errors of 0.5."""
    area, stderr = likelihood
    if stderr is None or abs(area - 0.5) <= 2 * stderr:
        return CHANCE
    return FAILURE if area < 0.5 else SUCCESS
