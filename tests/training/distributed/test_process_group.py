"""Facts about the processes that train together."""

import pytest
import torch.distributed as dist

from pixelcnn.errors import PixelCNNError
from pixelcnn.training.distributed.process_group import process_group


def test_processes_that_cannot_be_reached_are_a_user_error(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("connection refused")

    started = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "node0", "MASTER_PORT": "29500"}
    for name, value in started.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dist, "rendezvous", refuse)
    message = r"could not be connected: connection refused\. .* reach each other and node0:29500"
    with pytest.raises(PixelCNNError, match=message), process_group("cpu"):
        pass
