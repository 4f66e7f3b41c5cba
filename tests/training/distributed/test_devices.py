"""Processes that train together end where one alone does."""

import re

import pytest
import torch

from pixelcnn.config import as_config
from pixelcnn.errors import ConfigError
from pixelcnn.processes import Process
from pixelcnn.runs import read_state
from pixelcnn.training.distributed.devices import with_started_processes
from tests.training.together import TINY, train, train_in_processes

MODELS = {
    "base, labels and batches summed up": {
        "model": {**TINY, "num_labels": 10},
        "training": {"accumulate_grad_batches": 2},
    },
    "gated, labels, binarized and flipped": {
        "model": {"name": "gated", "hidden_channels": 4, "num_layers": 2, "num_labels": 10},
        "data": {"binarization": "dynamic", "use_augmentation": True},
    },
    # One image in the last batch: all processes but one have none.
    "attention, mutated": {
        "model": {**TINY, "attention_every": 1, "num_heads": 1},
        "data": {"mutation_rate": 0.3, "max_samples": 33},
    },
    "++, weight-normalised": {
        "model": {
            "name": "pixelcnnpp",
            "hidden_channels": 4,
            "num_resnets": 1,
            "num_resolutions": 2,
            "dropout": 0.0,
            "likelihood": "logistic_mixture",
            "num_mixtures": 2,
        },
        "training": {"schedule": "plateau", "max_epochs": 3},
    },
    "SNAIL, weight-normalised": {
        "model": {
            "name": "pixelsnail",
            "hidden_channels": 4,
            "num_blocks": 1,
            "num_resnets": 1,
            "num_heads": 1,
            "dropout": 0.0,
        },
    },
}
IN_64_BITS = MODELS["base, labels and batches summed up"]
IN_32_BITS = {**MODELS["SNAIL, weight-normalised"], "bits": 32}


def assert_same(together, alone):
    """Weights, optimiser and figures of two folders are equal but for rounding."""
    one, other = (read_state(each / "checkpoints" / "last.ckpt") for each in (together, alone))
    for name, weight in other["state_dict"].items():
        torch.testing.assert_close(one["state_dict"][name], weight, rtol=0, atol=1e-9)
    histories = [state["callbacks"]["History"]["entries"] for state in (one, other)]
    for ours, theirs in zip(*histories, strict=True):
        for name in ("train_nll", "val_nll", "train_bpd", "val_bpd", "learning_rate"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-9), name


def compare(count, tmp_path, jobs, **training):
    spread = [{**job, "training": {**job.get("training", {}), **training}} for job in jobs]
    train_in_processes(count, tmp_path, spread)
    for number, job in enumerate(jobs):
        train(tmp_path / f"alone-{number}", job)
        assert_same(tmp_path / str(number), tmp_path / f"alone-{number}")


@pytest.fixture(scope="module")
def by_two(tmp_path_factory):
    """A folder with what two processes trained, and what each of them said."""
    folder = tmp_path_factory.mktemp("by_two")
    return folder, train_in_processes(2, folder, [IN_64_BITS, IN_32_BITS])


def test_two_processes_end_where_one_does(by_two, tmp_path):
    folder, said = by_two
    train(tmp_path, IN_64_BITS)
    assert_same(folder / "0", tmp_path)
    assert len(re.findall(r"^epoch \d/2: ", said[0], flags=re.MULTILINE)) == 4
    assert said[1] == ""
    files = {file.name for file in (folder / "0").rglob("*")}
    assert {"config.yaml", "model.safetensors", "last.ckpt", "best.ckpt"} <= files


def test_in_32_bits_only_weights_that_no_gradient_moves_end_elsewhere(by_two, tmp_path):
    # No ReLU is in this network: the last bit of a number may decide whether one fires.
    folder, _ = by_two
    train(tmp_path, IN_32_BITS)
    one, other = (
        read_state(each / "checkpoints" / "last.ckpt") for each in (folder / "1", tmp_path)
    )
    far = {}
    moments = other["optimizer_states"][0]["state"].values()
    weights = zip(one["state_dict"].values(), other["state_dict"].items(), moments, strict=True)
    for ours, (name, theirs), moment in weights:
        is_far = (ours - theirs).abs() > 1e-5
        if is_far.any():
            far[name] = moment["exp_avg_sq"].sqrt()[is_far].max()
    # Softmax does not feel a bias of all keys: its gradient is rounding, of which Adam makes steps.
    assert set(far) <= {"model.blocks.0.attention.tell.bias"}
    assert all(size < 1e-9 for size in far.values())
    losses = [state["callbacks"]["History"]["entries"][-1]["val_nll"] for state in (one, other)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_every_model_ends_where_one_process_does(count, strategy, tmp_path):
    compare(count, tmp_path, list(MODELS.values()), strategy=strategy)


@pytest.mark.slow
def test_averages_of_weights_are_those_of_one_process(tmp_path):
    training = {"ema_decay": 0.9, "gradient_clip_val": 0.1, "early_stopping_patience": 1}
    compare(2, tmp_path, [{"training": {**training, "optimizer": "adam"}}])


@pytest.mark.slow
def test_a_run_resumes_with_another_number_of_processes_and_strategy(tmp_path):
    job = MODELS["base, labels and batches summed up"]

    def until(epoch, strategy="auto", after=None):
        settings = {"schedule": "constant", "max_epochs": epoch, "strategy": strategy}
        resume = None if after is None else str(tmp_path / after / "0" / "checkpoints/last.ckpt")
        return {**job, "training": {**job["training"], **settings}, "resume": resume}

    train(tmp_path / "whole", until(4))
    train_in_processes(2, tmp_path / "a", [until(1, "fsdp")])
    train_in_processes(3, tmp_path / "b", [until(2, "fsdp", after="a")])
    train_in_processes(2, tmp_path / "c", [until(3, "ddp", after="b")])
    train(tmp_path / "parts", until(4, after="c"))
    assert_same(tmp_path / "parts", tmp_path / "whole")


def test_what_needs_the_whole_model_in_each_process_is_refused():
    for name, value in (("ema_decay", 0.9), ("compile", True)):
        with pytest.raises(ConfigError, match=f"`training.{name}` needs the whole model"):
            as_config(training={"strategy": "fsdp", "num_devices": 2, name: value})
    with pytest.raises(ConfigError, match=r"fsdp, got 16-mixed"):
        as_config(training={"strategy": "fsdp", "precision": "16-mixed"})
    with pytest.raises(ConfigError, match="one was started"):
        with_started_processes(as_config(training={"strategy": "fsdp"}, device="cpu"), Process())


def test_as_many_devices_are_used_as_processes_were_started():
    config = as_config(training={"num_devices": 2}, device="cpu")
    training = with_started_processes(config, Process(3, 8, 1, 2)).training
    assert (training.num_devices, training.num_nodes) == (2, 4)
    with pytest.raises(ConfigError, match=r"is 2, but one process was started\..*torchrun"):
        with_started_processes(config, Process())


def test_what_cannot_be_shared_is_refused():
    with pytest.raises(ConfigError, match="`device` must be auto, cpu or cuda with"):
        as_config(training={"num_devices": 2}, device="cuda:1")
    shared = r"Batch norm takes .* which 2 processes share: choose another `model\.norm`"
    with pytest.raises(ConfigError, match=shared):
        as_config(training={"num_nodes": 2}, model={"norm": "batch"})
    batch = as_config(model={"norm": "batch"}, device="cpu")
    with pytest.raises(ConfigError, match=shared):
        with_started_processes(batch, Process(0, 2, 0, 2))
