from types import SimpleNamespace

import pytest
import torch

from pixelcnn.config import as_config, load_config
from pixelcnn.runs import read_starts
from pixelcnn.training.tuning import auto
from pixelcnn.training.tuning.auto import AutoValue, choose_compilation, half_precision
from tests.training.tiny_runs import assert_same, train, weights


@pytest.fixture
def hardware(monkeypatch):
    """Sets what the device has, and the times of steps in 32 bits and in half precision."""

    def change(*, bf16=True, times=None, least_work=0):
        def measure(steps, device):
            assert times is not None, "steps are timed"
            for step in steps:
                step()
            return times

        monkeypatch.setattr(auto, "has_bf16", lambda device: bf16)
        monkeypatch.setattr(auto, "LEAST_WORK", least_work)
        monkeypatch.setattr(auto, "least_seconds", measure)

    return change


def said(capsys, what):
    return [line for line in capsys.readouterr().err.splitlines() if what in line]


def test_a_short_training_has_32_bits_and_times_nothing(tmp_path, capsys, hardware):
    hardware(least_work=1e13)
    train(tmp_path, training={"max_epochs": 1})
    assert not said(capsys, "precision:")
    written = load_config(tmp_path / "config.yaml").training
    assert (written.precision, written.compile) == ("32-true", False)


def test_without_instructions_nothing_is_timed(tmp_path, capsys, hardware):
    hardware(bf16=False)
    train(tmp_path, training={"max_epochs": 1})
    assert said(capsys, "precision:") == [
        "precision: 32-true, chosen by auto: the device has no bf16 instructions."
    ]


def test_timing_leaves_nothing_behind(tmp_path, capsys, hardware):
    # Weight normalisation reads the first batch, and dropout and left out labels are random.
    model = {"name": "gated", "num_layers": 2, "num_labels": 10, "label_dropout": 0.5}
    model["num_residual_blocks"] = None
    hardware(times=[1.0, 0.95])
    train(tmp_path / "auto", model=model, training={"max_epochs": 1})
    assert said(capsys, "precision:") == [
        "precision: 32-true, chosen by auto: a step in bf16-mixed takes 0.95 times as long."
    ]
    given = {"max_epochs": 1, "precision": "32-true", "compile": False}
    train(tmp_path / "given", model=model, training=given)
    assert_same(*(weights(tmp_path / name / "checkpoints/last.ckpt") for name in ("auto", "given")))


def test_half_precision_is_chosen_where_it_is_faster_and_kept_by_resuming(
    tmp_path, capsys, hardware
):
    hardware(times=[1.0, 0.41])
    train(tmp_path, training={"max_epochs": 1})
    reason = "a step takes 0.41 times as long as in 32-true"
    assert said(capsys, "precision:") == [f"precision: bf16-mixed, chosen by auto: {reason}."]
    (start,) = read_starts(tmp_path)
    assert start["found"] == {"training.precision": {"value": "bf16-mixed", "by": reason}}
    hardware(bf16=False)
    result = train(tmp_path, training={"max_epochs": 2}, resume="auto")
    assert result.config.training.precision == "bf16-mixed"
    assert said(capsys, "bf16-mixed") == [
        "`training.precision` bf16-mixed is slower than 32-true on this device (cpu), which has no "
        "bf16 instructions. Use auto or 32-true."
    ]


@pytest.mark.parametrize(("bf16", "instead"), [(True, "bf16-mixed"), (False, "32-true")])
def test_float16_on_a_cpu_is_replaced_in_one_line(bf16, instead, tmp_path, capsys, hardware):
    hardware(bf16=bf16)
    result = train(tmp_path, training={"precision": "16-mixed", "max_epochs": 1})
    assert said(capsys, "precision") == [
        f"`training.precision` 16-mixed needs a GPU; training in {instead} on this CPU instead."
    ]
    assert result.config.training.precision == instead
    assert load_config(tmp_path / "config.yaml").training.precision == instead


@pytest.mark.parametrize(
    ("capability", "strategy", "expected"),
    [
        ((8, 0), "auto", "bf16-mixed"),
        ((7, 0), "auto", "16-mixed"),
        ((7, 0), "fsdp", None),
        ((6, 1), "auto", None),
    ],
)
def test_cards_without_bf16_may_have_fp16(capability, strategy, expected, monkeypatch):
    monkeypatch.setattr(auto, "resolve_device", lambda device: "cuda")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert half_precision(as_config(training={"strategy": strategy})) == expected


@pytest.mark.parametrize(
    ("seconds", "failure", "expected"),
    [
        ([0.1], "unused", AutoValue(False)),
        ([9.0], "no compiler", AutoValue(False, "torch.compile fails: no compiler")),
        ([9.0, 8.5], None, AutoValue(False, "a compiled step takes 0.94 times as long")),
        ([9.0, 4.5], None, AutoValue(True, "a compiled step takes 0.50 times as long")),
    ],
)
def test_long_trainings_are_compiled_where_that_is_faster(seconds, failure, expected, monkeypatch):
    steps = SimpleNamespace(
        num_steps=1000,
        device=torch.device("cpu"),
        step=lambda *of: of,
        compiled=lambda precision: (None, failure),
    )
    monkeypatch.setattr(auto, "least_seconds", lambda steps, device: seconds[: len(steps)])
    assert choose_compilation(steps, "bf16-mixed") == expected
