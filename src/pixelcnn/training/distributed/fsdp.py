"""Sharded models (FSDP): each process holds a part of weights, gradients and optimiser state."""

from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from pixelcnn.models import AutoregressiveModel, build


def shard(model: AutoregressiveModel, mesh: DeviceMesh) -> None:
    """Shards all parameters over the processes, in place.

    A block has its full parameters only while it computes: a device never holds more than those of
    a block or two besides its own shard of the rest.

    Args:
        model: Equal in all processes.
        mesh: The processes.

    References:
        ZeRO: Memory Optimizations Toward Training Trillion Parameter Models (Rajbhandari et al.,
        2020), section 5, https://arxiv.org/abs/1910.02054. PyTorch FSDP (Zhao et al., 2023),
        https://arxiv.org/abs/2304.11277.
    """
    # From the inside out: an outer block shards what its inner ones have left.
    for block in reversed(blocks_of(model)):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The repeated layers of a network: members of its lists that have parameters.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> len(blocks_of(PixelCNN(num_residual_blocks=3)))
        3
    """
    lists = [each for each in model.modules() if isinstance(each, nn.ModuleList)]
    return [block for each in lists for block in each if any(True for _ in block.parameters())]


def gather_model(model: AutoregressiveModel) -> AutoregressiveModel:
    """A full copy of a sharded model, on the CPU of the first process.

    All processes call this together; the others get an untrained model.
    """
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    state = get_model_state_dict(model, options=options)
    copy = build(model.name, **model.config)
    copy.name_condition(model.condition.names)
    if state:
        copy.load_state_dict(state)
    return copy.train(model.training)


def full_value(value: Tensor) -> Tensor:
    """A tensor that is sharded over processes, in full in each of them; any other unchanged."""
    return value.full_tensor() if isinstance(value, DTensor) else value
