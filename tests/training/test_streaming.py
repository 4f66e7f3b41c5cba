"""Facts about trainings on images that stay in their files."""

import multiprocessing
from dataclasses import replace

import pytest
from PIL import Image

from pixelcnn.data import streaming
from pixelcnn.data.sources.folders import folder
from tests.training.tiny_runs import train


# Python from 3.12 on warns of every fork of a process with threads, which PyTorch always has.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_no_worker_outlives_a_training(tmp_path, monkeypatch):
    for number in range(12):
        Image.new("L", (4, 4), number).save(tmp_path / f"{number:02}.png")
    made, start = [], streaming.StreamReader._start

    def noted(self):
        made.append(start(self))
        return made[-1]

    make = folder.source_of_images
    monkeypatch.setattr(
        folder,
        "source_of_images",
        lambda name, splits, options, *a, **b: make(
            name, splits, replace(options, stream_above_bytes=0), *a, **b
        ),
    )
    monkeypatch.setattr(streaming.StreamReader, "_start", noted)
    images = {"dataset_name": f"folder:{tmp_path}", "batch_size": 4, "num_workers": 1}
    train(tmp_path / "run", data=images)
    assert len(made) == 2, "one for training and one for validation, in all epochs"
    made.clear()
    assert not multiprocessing.active_children()
