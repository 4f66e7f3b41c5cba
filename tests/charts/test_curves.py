"""Training curves show their history and nothing else."""

import pytest
from PIL import Image

from pixelcnn.charts.curves import COLOURS, compared_curves, curves_figure
from pixelcnn.charts.figure import save_figure
from pixelcnn.errors import OutputError

HISTORY = [
    {"epoch": 0, "train_nll": 90.0, "val_nll": 80.0},
    {"epoch": 1, "train_nll": 70.0, "val_nll": 65.0},
    {"epoch": 2, "train_nll": 60.0, "val_nll": 66.0},
]


def test_a_picture_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="not a folder"):
        save_figure(curves_figure(HISTORY), tmp_path / "file" / "curves.png")


def test_curves_show_the_history_and_mark_the_best_epoch():
    axes = curves_figure(HISTORY, num_dims=64).axes[0]
    train, val, best = axes.lines
    assert train.get_ydata().tolist() == [90.0, 70.0, 60.0]
    assert val.get_ydata().tolist() == [80.0, 65.0, 66.0]
    assert (best.get_xdata().tolist(), best.get_ydata().tolist()) == ([1], [65.0])


@pytest.mark.parametrize(
    "history", [[], [{"epoch": 0, "train_nll": 9.0, "val_nll": None}], HISTORY[:1]]
)
def test_short_and_unvalidated_histories_are_plotted(tmp_path, history):
    save_figure(curves_figure(history, num_dims=64), tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.format == "PNG"


def test_long_histories_are_as_high_as_their_later_epochs():
    history = [{"epoch": e, "train_nll": 1000 / (e + 1), "val_nll": 50.0} for e in range(20)]
    low, high = curves_figure(history).axes[0].get_ylim()
    assert low < 50
    assert 500 < high < 1000


def test_a_diverged_epoch_leaves_a_gap_and_is_never_the_best():
    axes = curves_figure([*HISTORY, {"epoch": 3, "train_nll": 1.0, "val_nll": float("nan")}]).axes[
        0
    ]
    assert axes.lines[1].get_xdata().tolist() == [0, 1, 2]
    assert axes.lines[2].get_ydata().tolist() == [65.0]


def test_every_curve_has_its_own_colour_in_all_panels():
    assert len(set(COLOURS.values())) == 2
    history = [{**entry, "learning_rate": 1e-3} for entry in HISTORY]
    nll, perplexity, rate = curves_figure(history, num_dims=64).axes
    colours = [line.get_color() for line in nll.lines[:2]]
    assert colours == list(COLOURS.values()) == [line.get_color() for line in perplexity.lines]
    assert [line.get_color() for line in rate.lines] == [COLOURS["val_nll"]]


def test_more_trainings_than_colours_are_all_plotted():
    many = {f"run {number}": HISTORY for number in range(12)}
    nll, perplexity = compared_curves(many, num_dims=64).axes
    assert (
        len(perplexity.lines)
        == 24
        == len([line for line in nll.lines if len(line.get_xdata()) > 1])
    )


@pytest.mark.parametrize("num_epochs", [1, 2, 3])
def test_epochs_are_whole_numbers_and_none_is_cut(num_epochs):
    figure = curves_figure(HISTORY[:num_epochs], num_dims=64)
    axes = figure.axes[0]
    figure.canvas.draw()
    first, last = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if first <= tick <= last]
    assert shown == list(range(num_epochs))
    low, high = axes.get_ylim()
    assert all(low < y < high for line in axes.lines for y in line.get_ydata())
