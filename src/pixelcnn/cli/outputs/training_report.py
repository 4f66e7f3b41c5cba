"""The end of a training: metrics, curves, samples, and what to try next."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pixelcnn.charts.curves import curves_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.checkpoint import fingerprint
from pixelcnn.cli.inputs.conditions import ConditionRequest, choose_condition, example
from pixelcnn.cli.outputs.console import counted
from pixelcnn.cli.outputs.sample_files import sample_with_progress, save_grid
from pixelcnn.config import Config, SamplingConfig
from pixelcnn.data import DataSplits
from pixelcnn.device import deterministic_algorithms
from pixelcnn.evaluation import PixelCNNEvaluator, evaluated_density
from pixelcnn.files import write_json
from pixelcnn.models import AutoregressiveModel
from pixelcnn.nn import Condition
from pixelcnn.runs import CONFIG_FILE, ENVIRONMENT_FILE, METRICS_FILE, MODEL_FILE
from pixelcnn.version import versions

if TYPE_CHECKING:
    from pixelcnn.training import TrainingResult

CURVES_FILE = "curves.png"
SAMPLES_FILE = "samples.png"


def finish(result: "TrainingResult", config: Config, *, started: float) -> dict[str, Any]:
    """Writes the metrics, curves and samples of a training into its run folder.

    Args:
        result: The training, with its model on the device where it is evaluated.
        config: Its settings.
        started: `time.perf_counter()` when the work began, for `seconds`.

    Returns:
        What metrics.json holds.
    """
    model, data, folder = result.model, result.data, result.run_dir
    figure = curves_figure(result.history, num_dims=data.spec.num_dims)
    save_figure(figure, folder / CURVES_FILE)
    cond, count = condition_to_sample(model, data, config.sampling)
    with deterministic_algorithms(False):  # as in `SampleGrids`
        samples = sample_with_progress(
            model,
            count,
            seed=config.seed,
            cond=cond,
            per_label=config.sampling.per_label,
            **config.sampling.options,
        )
    save_grid(samples, folder / SAMPLES_FILE)
    metrics = evaluate_split(model, data, config) | {
        "best_epoch": result.best_epoch,
        "training_seconds": round(result.seconds, 2),
        "seconds": round(time.perf_counter() - started, 2),
    }
    write_json(folder / METRICS_FILE, metrics)
    return metrics


def condition_to_sample(
    model: AutoregressiveModel, data: DataSplits, sampling: SamplingConfig
) -> tuple[Tensor | None, int]:
    """All labels, or the attributes or maps of validation images, and the number of samples."""
    if model.condition.kind in ("attributes", "maps"):
        count = sampling.num_samples
        return data.val.conditions.first(count).of(model.condition.kind), count
    per_label = None if model.condition.is_none else sampling.per_label
    return choose_condition(model, ConditionRequest(sampling.num_samples, per_label=per_label))


def evaluate_split(
    model: AutoregressiveModel,
    data: DataSplits,
    config: Config,
    *,
    evaluator: PixelCNNEvaluator | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Evaluates a model on the split of its settings, with all that the metrics depend on.

    Args:
        model: The model.
        data: Its images.
        config: Its settings.
        evaluator: Measures sample quality too. None: likelihood alone.
        options: What else `PixelCNNEvaluator.evaluate_model` takes.
    """
    started = time.perf_counter()
    split = config.evaluation.split
    images = getattr(data, split)
    metrics = (evaluator or PixelCNNEvaluator()).evaluate_model(
        model,
        images,
        seed=config.seed,
        batch_size=config.evaluation.batch_size,
        max_samples=config.evaluation.max_samples,
        protocol=f"{data.protocol}; {evaluated_density(model, images)}",
        **options,
    )
    return {
        **metrics,
        "split": split,
        "seed": config.seed,
        "fingerprint": fingerprint(model),
        "device": str(model.device),
        "versions": versions(),
        "seconds": round(time.perf_counter() - started, 2),
    }


def metrics_summary(metrics: Mapping[str, Any]) -> list[str]:
    """The metrics as text, with what they were measured on."""
    lines = [
        f"{metrics['split']} NLL {_likelihood(metrics)}",
        f"over {counted(metrics['num_images'], 'image')} of: {metrics['protocol']}",
    ]
    if "nll_nats_without_label" in metrics:
        # Run folders of earlier versions do not name the density.
        density = metrics.get("density_without_label", "no-label output")
        lines.append(f"p(x), {density}: {_likelihood(metrics, '_without_label')}")
    if metrics["nll_nats_ci95"] is not None:
        lines.append("in brackets: 95 % bootstrap intervals over images")
    return lines


def _likelihood(metrics: Mapping[str, Any], of: str = "") -> str:
    """NLL, bits per dimension and perplexity, each with its interval where there is one."""

    def value(name: str, digits: int) -> str:
        text, interval = f"{metrics[name + of]:.{digits}f}", metrics[f"{name}_ci95{of}"]
        if interval is None:
            return text
        low, high = interval
        return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"

    return (
        f"{value('nll_nats', 2)} nats per image, {value('bits_per_dim', 4)} bits/dim, "
        f"perplexity {value('perplexity', 4)}"
    )


def closing(folder: Path, metrics: Mapping[str, Any], condition: Condition) -> list[str]:
    """The metrics of a finished training, its files, and what to try next."""
    about = {
        SAMPLES_FILE: "samples of the model",
        CURVES_FILE: "NLL by epoch",
        METRICS_FILE: "the metrics above, with protocol, seed and versions",
        MODEL_FILE: "the model",
        CONFIG_FILE: "all settings, for `pixelcnn train --config`",
        ENVIRONMENT_FILE: "command, machine and versions of the training",
    }
    width = max(len(str(folder / name)) for name in about)
    lines = [*metrics_summary(metrics), ""]
    lines += [f"  {folder / name!s:{width}}  {what}" for name, what in about.items()]
    label, always = "", ""
    if condition.kind == "labels" and condition.names:
        label = f" --label {shlex.quote(condition.names[-1])}"
    elif condition.kind == "attributes":
        label = always = f" --attributes {shlex.quote(example(condition))}"
    elif condition.kind == "maps":
        label = always = " --maps FILE.npy"
    run = shlex.quote(str(folder))
    return [
        *lines,
        "",
        "Try next:",
        f"  pixelcnn sample {run}{label} --num-samples 25 --temperature 0.8 --out more.png",
        f"  pixelcnn sample {run}{always} --out animation.gif",
        f"  pixelcnn info {run}",
    ]
