"""The benchmarks measure what they say."""

import runpy
from pathlib import Path

import pytest

from benchmarks import completion, sampling, waiting
from benchmarks.measure import Section, Spread
from benchmarks.networks import Network
from benchmarks.operations import multiply_adds
from pixelcnn.inference import UnreliableEstimateWarning, complete, known_mask
from pixelcnn.models import PixelCNN

FILES = sorted(Path(sampling.__file__).parent.glob("*.py"))
PROGRAMS = [path for path in FILES if "argparse" in path.read_text(encoding="utf-8")]
TINY = {"hidden_channels": 6, "num_residual_blocks": 0, "in_channels": 3, "num_classes": 2}


def test_waiting_is_measured_idle_and_beside_busy_processes(monkeypatch):
    others = []
    popen = waiting.subprocess.Popen
    monkeypatch.setattr(waiting.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(
        waiting.subprocess, "Popen", lambda *each: others.append(popen(*each)) or others[-1]
    )
    cells = waiting.row("tiny", PixelCNN(**TINY), (3, 2, 4), 2, 1)
    assert len(cells) == len(waiting.HEAD) and cells[0] == "tiny, 2"
    assert len(others) == 1 and others[0].returncode == -9


def test_a_naive_walk_is_timed_by_one_pass_of_each_colour():
    model, passes = PixelCNN(**TINY).eval(), []
    model.register_forward_hook(lambda *_: passes.append(1))
    seen = []
    level_logits = model.likelihood.level_logits

    def noted(params, earlier, channel):
        seen.append(channel)
        return level_logits(params, earlier, channel)

    model.likelihood.level_logits = noted
    sampling.some_steps(model, 2, (3, 4, 5))
    assert len(passes) == sampling.PASSES
    assert seen == [0, 1, 2]


def test_naive_seconds_are_extrapolated_to_all_sub_pixels(monkeypatch):
    monkeypatch.setattr(sampling, "seconds_spent", iter(range(100)).__next__)
    monkeypatch.setattr(sampling, "product_rate", lambda rows, width: 1e9)
    network = Network("tiny", lambda: PixelCNN(**TINY), (3, 2, 4), 6, at_least=10)
    naive, forward = sampling.rivals(network, network.make().eval(), 64, 1)
    assert naive[:4] == [
        "tiny, 64 of 3×2×4: naive ÷ cached",
        Spread(8, 8, 8),  # one second, of three passes out of 24
        Spread(1, 1, 1),
        Spread(8, 8, 8),
    ]
    assert naive[4] == "≥ 10"
    assert forward[3] == Spread(1, 1, 1)


def test_an_unknown_network_is_refused_with_the_names(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["sampling", "--network", "nosuch"])
    with pytest.raises(SystemExit) as stopped:
        sampling.main()
    assert stopped.value.code == 2
    assert sampling.NETWORKS[0].name in capsys.readouterr().err


def test_multiply_adds_are_those_of_the_products():
    model = PixelCNN(hidden_channels=4, num_residual_blocks=0, num_classes=2)
    shape = (1, 3, 5)
    # 7×7 windows without the rows below, over three rows more than there are; then two 1×1.
    expected = (3 + 3) * 5 * 4 * 4 * 7 + 3 * 5 * (4 * 4 + 4 * 1)
    assert multiply_adds(model, shape) == expected


def test_a_section_is_a_table_and_values():
    found = Section("Title", "Setting.", ["what", "s"], [["a", Spread(2.0, 1.0, 3.0)]])
    assert found.text().splitlines()[-1] == "| a | 2 (1 … 3) |"
    spread = {"median": 2.0, "least": 1.0, "most": 3.0}
    assert found.facts()["rows"] == [{"what": "a", "s": spread}]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_benchmark_starts(path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [path.name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code == 0
    assert "--help" in capsys.readouterr().out


def test_unreliable_completions_are_marked():
    model = PixelCNN(num_classes=2, hidden_channels=4, num_residual_blocks=0).eval()
    images = model.generate(num_samples=1, shape=(1, 4, 4), seed=0)
    known = known_mask("top", (1, 4, 4))
    with pytest.warns(UnreliableEstimateWarning):
        found = complete(model, images, known, method="raster", num_completions=3)
    *values, diagnostics = completion.metrics_of(found)
    assert values[1] == f"{found.known_log_prob.max():.1f}"
    assert diagnostics.endswith("**unreliable**")
