"""Tensors and a card of text in one safetensors file: written whole, checked, without pickle."""

import hashlib
import json
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from pixelcnn.errors import CheckpointError
from pixelcnn.files import atomic_write, parse_json

CHECKSUM = "sha256"
WITHOUT_WEIGHTS = ("image_size", "num_classes")
MOST_LEVELS, SMALL = 2**16, 2**10
TOO_LARGE = "its settings describe more weights than it may have"
LARGE = 2**22  # numbers of a tensor that may be made whatever the weights


def write_tensors(path: str | Path, network: nn.Module, card: Mapping[str, Any]) -> None:
    """Writes the weights of a network, its card and a checksum over both.

    Args:
        path: The file. It appears only when it is whole.
        network: What holds the weights.
        card: Text as it is; all else as JSON.

    Raises:
        OutputError: If the file cannot be written.
    """
    header = {k: v if isinstance(v, str) else json.dumps(v) for k, v in card.items()}
    tensors = {k: v.detach().contiguous().cpu() for k, v in network.state_dict().items()}
    header[CHECKSUM] = tensor_checksum(header, tensors)
    with atomic_write(Path(path)) as temporary:
        # By Python: safetensors' own writer hides a full disk in an error without a number.
        temporary.write_bytes(serialise(tensors, metadata=header))


def read_text_header(path: Path) -> dict[str, str]:
    """Reads the card of a file, without its tensors.

    Raises:
        CheckpointError: If it is no safetensors file, or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        if _looks_foreign(path):
            raise CheckpointError(
                f"{path} is no safetensors file, as trainings write them. Give such a file, a run "
                f"folder, or the name of a bundled model."
            ) from error
        raise damaged(path, error) from error


def read_tensors(
    path: Path, header: Mapping[str, str], *, fields: Sequence[str]
) -> dict[str, Tensor]:
    """Reads the tensors of a file.

    Args:
        path: The file.
        header: Its card, from `read_text_header`.
        fields: What a card without a checksum holds, from before there were checksums.

    Raises:
        CheckpointError: If the file is damaged, or holds other numbers than were written.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise damaged(path, error) from error
    is_older = CHECKSUM not in header and set(header) <= set(fields)
    if not is_older and header.get(CHECKSUM) != tensor_checksum(header, tensors):
        raise CheckpointError(
            f"{path} is damaged: its checksum is not that of its content. Copy it again, or train "
            f"it again."
        )
    return tensors


def card_value(header: Mapping[str, str], key: str, kinds: type | tuple[type, ...]) -> Any:
    """An entry of a card, read as JSON.

    Raises:
        ValueError: If it is missing, no JSON, or of another kind.

    Example:
        >>> card_value({"labels": '["cat", "dog"]'}, "labels", list)
        ['cat', 'dog']
    """
    if key not in header:
        raise ValueError(f"it has no `{key}`")
    value = parse_json(header[key])
    if not isinstance(value, kinds):
        raise ValueError(f"its `{key}` is of another kind than is written there")
    return value


def check_size(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Compares the settings of a network with its weights, before anything of their size is made.

    Raises:
        ValueError: If a setting is far larger than any side of a weight.
    """
    whole = [each for each in weights.values() if each.numel()]
    largest = max((side for each in whole for side in each.shape), default=0)
    for key, value in config.items():
        # The size of images and the number of levels need no weights.
        most = MOST_LEVELS if key in WITHOUT_WEIGHTS else max(SMALL, 4 * largest)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, (int, float)) and not abs(each) <= most:
                raise ValueError(f"`{key}` is larger than its weights allow")


@contextmanager
def no_more_parameters(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Ends the building of a network with more parameters, or larger ones, than there are weights.

    Raises:
        ValueError: In the constructor, at the first parameter that has no weights.
    """
    largest = max((each.numel() for each in weights.values()), default=0)
    # A constructor may replace parameters.
    with limited_parameters(2 * len(weights), largest):
        yield


@contextmanager
def limited_parameters(count: int, numel: int) -> Iterator[None]:
    """Ends the building of a network with more parameters than `count`, or of more numbers each.

    Raises:
        ValueError: In the constructor, at the first parameter that is too many or too large.
    """
    here, left = threading.get_ident(), count

    def check(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal left
        if threading.get_ident() != here or parameter is None:
            return
        left -= 1
        if left < 0 or parameter.numel() > numel:
            raise ValueError(TOO_LARGE)

    handle = register_module_parameter_registration_hook(check)
    try:
        with _NoLarger(max(numel, LARGE)):
            yield
    finally:
        handle.remove()


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Gives a network its weights.

    Raises:
        RuntimeError: If shapes are others, or there are more names.
        ValueError: If a weight is missing, or would be cast to another kind of number.
    """
    for name, own in network.state_dict().items():
        if name not in weights:  # PyTorch takes 0 for a missing count of batches
            raise ValueError(f"it has no `{name}`")
        if own.is_floating_point() != weights[name].is_floating_point():
            raise ValueError(f"`{name}` is {weights[name].dtype}, not {own.dtype}")
    network.load_state_dict(dict(weights))


def unusable_weight(weights: Mapping[str, Tensor]) -> str | None:
    """Names the first weight that holds anything but finite numbers; None if there is none."""
    return next((name for name, each in weights.items() if not each.isfinite().all()), None)


def damaged(path: Path, reason: object) -> CheckpointError:
    """The error for a file that breaks off or holds no whole tensors."""
    return CheckpointError(
        f"{path} is damaged ({' '.join(str(reason).split())}). Copy it again, or train it again."
    )


def tensor_checksum(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the card and all weights."""
    card = {name: text for name, text in header.items() if name != CHECKSUM}
    digest = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class _NoLarger(TorchFunctionMode):
    """Refuses to make tensors of more numbers than this, such as masks, which precede weights."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function in (torch.zeros, torch.ones, torch.empty):
            sizes = args[0] if args and isinstance(args[0], Sequence) else args
            if math.prod(map(int, sizes)) > self.most:
                raise ValueError(TOO_LARGE)
        return function(*args, **(kwargs or {}))


def _looks_foreign(path: Path) -> bool:
    """Whether a file does not even begin as safetensors: the length of a header, then its JSON."""
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) < 9 or start[8:] != b"{"
