"""Logits that are the same numbers on every machine."""

from pixelcnn.codec.portable.entropy_model import Portable
from pixelcnn.codec.portable.network import PortableNetwork, refusal

__all__ = ["Portable", "PortableNetwork", "refusal"]
