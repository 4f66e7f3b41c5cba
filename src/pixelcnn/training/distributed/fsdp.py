"""Models of which every process keeps a part: weights, gradients and optimiser state."""

from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from pixelcnn.models import AutoregressiveModel, build


def shard(model: AutoregressiveModel, mesh: DeviceMesh) -> None:
    """Leaves to each process a part of all parameters, in place.

    A block has its parameters whole only while it computes, and a device never holds more than
    those of a block or two besides its own part of the rest.

    Args:
        model: Equal in all processes.
        mesh: Those that share it.

    References:
        ZeRO: Memory Optimizations Toward Training Trillion Parameter Models (Rajbhandari et al.,
        2020), section 5, https://arxiv.org/abs/1910.02054. PyTorch FSDP (Zhao et al., 2023),
        https://arxiv.org/abs/2304.11277.
    """
    # The innermost first, so that the outer ones take what is left.
    for block in reversed(blocks_of(model)):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The layers that a network repeats: members of its lists that have parameters.

    Example:
        >>> from pixelcnn.models import PixelCNN
        >>> len(blocks_of(PixelCNN(num_residual_blocks=3)))
        3
    """
    lists = [each for each in model.modules() if isinstance(each, nn.ModuleList)]
    return [block for each in lists for block in each if any(True for _ in block.parameters())]


def gathered(model: AutoregressiveModel) -> AutoregressiveModel:
    """A whole copy of a model in parts, on the processor of the first process.

    All processes call this together; the others get an untrained one.
    """
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    state = get_model_state_dict(model, options=options)
    copy = build(model.name, **model.config)
    copy.name_condition(model.condition.names)
    if state:
        copy.load_state_dict(state)
    return copy.train(model.training)


def whole(value: Tensor) -> Tensor:
    """A number that processes have parts of, in each of them; any other as it is."""
    return value.full_tensor() if isinstance(value, DTensor) else value
