"""Devices, and deterministic algorithms on them."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from pixelcnn.errors import ConfigError


def resolve_device(device: object) -> str:
    """Resolves "auto" to "cuda" or "cpu", and checks that any other device exists.

    Args:
        device: "auto", "cpu", "cuda", "cuda:N" or "mps", or a device of PyTorch.

    Raises:
        ConfigError: If the device is unknown or absent.

    Example:
        >>> resolve_device("cpu")
        'cpu'
    """
    if isinstance(device, torch.device):
        whole = device.type == "cuda" or device.index != 0  # there is one of the other kinds
        device = str(device) if whole else device.type
    if not isinstance(device, str):
        raise ConfigError(
            f"`device` must be auto, cpu, cuda, cuda:N or mps, got a {type(device).__name__}. "
            f"Name where to compute."
        )
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not (kind == "cuda" and index.isdigit())):
        raise ConfigError(f"`device` must be auto, cpu, cuda, cuda:N or mps, got {device!r}.")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": torch.mps.device_count()}[kind]
    if int(index or 0) >= count:
        raise ConfigError(
            f"`device` must be one that PyTorch finds here, got {device!r}. Use auto or cpu."
        )
    return device


@contextmanager
def deterministic_algorithms(wanted: bool | None) -> Iterator[None]:
    """Makes PyTorch refuse, within the block, operations whose results vary from run to run.

    Args:
        wanted: Whether to refuse them; None changes nothing.

    Raises:
        ConfigError: If an operation on this device has no such algorithm.

    Example:
        >>> with deterministic_algorithms(True):
        ...     torch.are_deterministic_algorithms_enabled()
        True
        >>> torch.are_deterministic_algorithms_enabled()
        False
    """
    if wanted is None:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    if wanted:
        # Products on GPUs are reproducible only with a workspace of fixed size, which must be set
        # before the first of them.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(wanted)
    try:
        yield
    except RuntimeError as error:
        if "does not have a deterministic implementation" not in str(error):
            raise
        raise ConfigError(
            f"`training.deterministic` cannot be kept on this device: {str(error).split(',')[0]}. "
            f"Set it to false."
        ) from error
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)


def has_bf16(device: str) -> bool:
    """Whether a device, as `resolve_device` names it, has instructions for bfloat16.

    Elsewhere PyTorch computes it by way of float32, several times slower than float32 itself.

    Example:
        >>> has_bf16("mps")
        False
    """
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    if platform.machine() not in ("x86_64", "AMD64"):
        return True
    # There oneDNN calls AVX-512 enough, which has none.
    return torch.cpu._is_avx512_bf16_supported() or has_amx()


def has_avx512() -> bool:
    """Whether PyTorch's own kernels use AVX-512: some of half precision need it."""
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def has_amx() -> bool:
    """Whether the processor multiplies small matrices in one instruction (Intel AMX)."""
    return torch.cpu._is_amx_tile_supported()


def processor_name() -> str:
    """The name of the processor, as far as the system reports it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine()
