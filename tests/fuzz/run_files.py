"""The files of a run folder and of shards, damaged and read."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from pixelcnn import load, sample_shards
from pixelcnn.checkpoint import fingerprint, save
from pixelcnn.cli import main
from pixelcnn.runs import config_of, history_of
from pixelcnn.verification import Check, VerificationReport, report_path
from tests.fuzz.data_files import read_set
from tests.fuzz.model_files import tiny_model
from tests.fuzz.mutations import damage, twisted_json
from tests.fuzz.settings_files import twist_yaml
from tests.fuzz.target import Target
from tests.training.tiny_runs import train


def make_run(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        run = folder / "run"
        train(run, training={"max_epochs": 1}, logger={"csv": True})
        metrics = {"nll_nats": 80.0, "bits_per_dim": 1.8, "split": "test", "num_images": 9}
        (run / "metrics.json").write_text(json.dumps(metrics))
        return next(run.glob(file))

    return make


def run_of(path: Path) -> Path:
    return next(each for each in path.parents if each.name == "run")


def make_report(folder: Path) -> Path:
    run = make_run("model.safetensors")(folder).parent
    check = Check("colour_order", "Green sees red.", 0.0, 0.1, "largest change", "all", False)
    model = load(run)
    verified = VerificationReport(
        checks=(check,),
        fingerprint=fingerprint(model),
        architecture=model.name,
        spec=model.spec,
        dtype="float32",
        device="cpu",
        seed=0,
        made="2026-01-01T00:00:00Z",
        versions={"pixelcnn": "1"},
    )
    verified.save(report_path(run / "model.safetensors"))
    return report_path(run / "model.safetensors")


def read_info(path: Path) -> None:
    """Other files of the run are still used: only a damaged model is refused."""
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        code = main(["info", str(run_of(path))])
    if code:
        raise RuntimeError(f"exit code {code}: {said.getvalue()}")


def read_run_settings(path: Path) -> None:
    config_of(run_of(path) / "model.safetensors")


def read_log(path: Path) -> None:
    for entry in history_of(run_of(path) / "model.safetensors"):
        assert all(isinstance(value, int | float) for value in entry.values())


def twist_text(content: bytes, rng: np.random.Generator) -> bytes:
    return twisted_json(content.decode(), rng).encode()


def make_shards(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        save(tiny_model(), folder / "model.safetensors")
        shards = folder / "shards"
        sample_shards(
            load(folder / "model.safetensors"), shards, num_samples=8, cond=[0, 1, 2], shard_size=4
        )
        return next(shards.glob(file))

    return make


def read_shards(path: Path) -> None:
    read_set("npz")(path.parent)


def resume_shards(path: Path) -> None:
    """Sampling again makes what is missing or damaged."""
    model = load(path.parents[1] / "model.safetensors")
    sample_shards(model, path.parent, num_samples=8, cond=[0, 1, 2], shard_size=4)
    assert not (path.parent / "manifest.json").is_dir()


def resume_words(path: Path, out: Path) -> list[object]:
    shards = ["--num-samples=8", "--shard-size=4", f"--shards={path.parent}"]
    return ["sample", path.parents[1] / "model.safetensors", *shards]


def info(path: Path, out: Path) -> list[object]:
    return ["info", run_of(path)]


def score(path: Path, out: Path) -> list[object]:
    return ["score", run_of(path), "--max-images=2", f"--out={out}"]


JSON = (damage, twist_text)
LOG = "logs/version_*/metrics.csv"

TARGETS = (
    Target("metrics.json", make_run("metrics.json"), read_info, JSON, info),
    Target("environment.json", make_run("environment.json"), read_info, JSON, info),
    Target("verification", make_report, read_info, JSON, info),
    Target("config", make_run("config.yaml"), read_run_settings, (damage, twist_yaml), score),
    Target("log", make_run(LOG), read_log),
    Target("shard", make_shards("*.npz"), read_shards, words=resume_words),
    Target("manifest", make_shards("manifest.json"), read_shards, JSON, resume_words),
    Target("resumed", make_shards("manifest.json"), resume_shards, JSON),
)
