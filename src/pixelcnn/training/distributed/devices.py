"""The devices that a run trains on, and how Lightning uses them."""

import os
from dataclasses import replace
from typing import Any

import torch
from lightning.fabric.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy, Strategy

from pixelcnn.config import Config
from pixelcnn.config.rules import check_devices
from pixelcnn.device import resolve_device
from pixelcnn.errors import ConfigError
from pixelcnn.processes import Process, this_process


class ExternalProcesses(ClusterEnvironment):
    """Describes to Lightning the processes that were started before it.

    Lightning by itself looks for SLURM and others wherever it runs, and takes a batch script for a
    step.
    """

    def __init__(self, process: Process) -> None:
        super().__init__()
        self.process = process

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return os.environ.get("MASTER_ADDR", "127.0.0.1")

    @property
    def main_port(self) -> int:
        return int(os.environ.get("MASTER_PORT", "0"))

    @staticmethod
    def detect() -> bool:
        return not this_process().is_alone

    def world_size(self) -> int:
        return self.process.world_size

    def set_world_size(self, size: int) -> None:
        """Lightning counts devices and machines, as `with_started_processes` set them."""
        assert size == self.process.world_size

    def global_rank(self) -> int:
        return self.process.rank

    def set_global_rank(self, rank: int) -> None:
        """As `set_world_size`."""
        assert rank == self.process.rank

    def local_rank(self) -> int:
        return self.process.local_rank

    def node_rank(self) -> int:
        return self.process.node_rank


def with_started_processes(config: Config, process: Process) -> Config:
    """The settings with as many devices and machines as processes were started.

    Raises:
        ConfigError: If there are more devices to train on than processes, or than devices.
    """
    wanted = config.training.num_devices * config.training.num_nodes
    if process.is_alone and wanted > 1:
        raise ConfigError(
            f"`training.num_devices` × `training.num_nodes` is {wanted}, but one process was "
            f"started. Start as many: `torchrun --nproc-per-node {config.training.num_devices} …`, "
            f"or on one machine `pixelcnn train --training.num_devices …`, which starts them."
        )
    if process.is_alone and config.training.strategy == "fsdp":
        raise ConfigError(
            "`training.strategy` fsdp shards a model over processes, but one was started. Set "
            "`training.num_devices`, or use auto."
        )
    if not process.is_alone:
        training = replace(
            config.training, num_devices=process.local_world_size, num_nodes=process.num_nodes
        )
        config = replace(config, training=training)
        check_devices(config)
        count, present = process.local_world_size, torch.cuda.device_count()
        if resolve_device(config.device) == "cuda" and count > present:
            raise ConfigError(
                f"`training.num_devices` must be at most {present}, the GPUs of this machine, got "
                f"{count}. Use fewer, or `device` cpu."
            )
    return config


def device_options(config: Config, process: Process) -> dict[str, Any]:
    """The arguments of Lightning's trainer for devices, processes and strategy."""
    kind, _, index = resolve_device(config.device).partition(":")
    if process.is_alone:
        return {"accelerator": kind, "devices": [int(index)] if index else 1}
    # Masks never change, and batch norm is refused.
    strategy: Strategy = DDPStrategy(broadcast_buffers=False, gradient_as_bucket_view=True)
    if config.training.strategy == "fsdp":
        # Lightning's newer strategy for FSDP: `distributed.fsdp` says what is sharded.
        strategy = ModelParallelStrategy(
            data_parallel_size=process.world_size,
            tensor_parallel_size=1,
            save_distributed_checkpoint=False,  # a run resumes with any number of processes
        )
    return {
        "accelerator": kind,
        "devices": process.local_world_size,
        "num_nodes": process.num_nodes,
        "strategy": strategy,
        # Our loaders split batches themselves.
        "use_distributed_sampler": False,
    }
