"""Models, training states, classifiers and weights of other libraries: whole, damaged, read."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as parse
from safetensors.torch import save as serialise

from pixelcnn import load
from pixelcnn.checkpoint import save
from pixelcnn.codec.api import compress, decompress
from pixelcnn.metrics import load_classifier, save_classifier
from pixelcnn.metrics.features import check_weights
from pixelcnn.models import GatedPixelCNN
from pixelcnn.runs import load_trained, own_data, recorded_metrics
from pixelcnn.runs.state import add_checksum
from pixelcnn.tensor_files import CHECKSUM, tensor_checksum
from tests.fuzz.mutations import damage, twisted, twisted_json
from tests.fuzz.target import Target
from tests.training.tiny_runs import train


def sound(model: torch.nn.Module) -> None:
    """Weights that are no numbers, or a model in training mode, are accepted silently."""
    assert not model.training
    assert all(value.isfinite().all() for value in model.state_dict().values())


def tiny_model() -> GatedPixelCNN:
    torch.manual_seed(0)
    model = GatedPixelCNN(
        num_classes=4, hidden_channels=6, num_layers=2, num_labels=3, image_size=6
    )
    model.name_condition(["cat", "dog", "owl"])
    return model


def make_model(folder: Path) -> Path:
    path = folder / "model.safetensors"
    figures = {"nll_nats": 80.0, "split": "test"}
    data = {"dataset_name": "digits"}
    save(tiny_model(), path, training={"seed": 1, "data": data, "figures": figures})
    return path


def read_model(path: Path) -> None:
    model = load(path)
    sound(model)
    for name, weight in tiny_model().state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), f"another `{name}` than was written"
    recorded_metrics(path), own_data(path)


def split_safetensors(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def join_safetensors(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def split_card(content: bytes) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    return parse(content), split_safetensors(content)[0]["__metadata__"]


def join_card(tensors: dict[str, torch.Tensor], card: dict[str, str]) -> bytes:
    """A file whose checksum is right, as a stranger would write it."""
    return serialise(tensors, metadata={**card, CHECKSUM: tensor_checksum(card, tensors)})


def twist_card(content: bytes, rng: np.random.Generator) -> bytes:
    """One value of the card, under a checksum that is right."""
    tensors, card = split_card(content)
    key = str(rng.choice(sorted(set(card) - {CHECKSUM})))
    card[key] = twisted_json(card[key], rng)
    return join_card(tensors, card)


def twist_weights(content: bytes, rng: np.random.Generator) -> bytes:
    """Numbers that are none, other shapes, other names; under a checksum that is right."""
    tensors, card = split_card(content)
    name = str(rng.choice(sorted(tensors)))
    kind = rng.integers(5)
    if kind == 0:
        value = float(rng.choice([np.nan, np.inf]))
        tensors[name] = torch.full_like(tensors[name], value, dtype=torch.float32)
    elif kind == 1:
        tensors[name] = tensors[name].flatten()[:1].clone()
    elif kind == 2:
        tensors[name + "x"] = tensors.pop(name)
    elif kind == 3:
        tensors[name] = tensors[name].to(torch.int32)
    else:
        del tensors[name]
    return join_card(tensors, card)


def twist_header(content: bytes, rng: np.random.Generator) -> bytes:
    """One value of the header of safetensors itself: offsets, shapes, types."""
    header, body = split_safetensors(content)
    return join_safetensors(twisted(header, rng), body)


def make_state(folder: Path) -> Path:
    train(folder / "run", training={"max_epochs": 1})
    return folder / "run" / "checkpoints" / "last.ckpt"


def read_training(path: Path) -> None:
    sound(load_trained(path))


def twist_state(content: bytes, rng: np.random.Generator) -> bytes:
    """One value of a state, under a checksum that is right."""
    state = torch.load(io.BytesIO(content), weights_only=True)
    weights = state["state_dict"]
    kind = rng.integers(5)
    if kind == 0:
        name = str(rng.choice(sorted(weights)))
        weights[name] = torch.full_like(weights[name], float("nan"))
    elif kind == 1:
        del state[str(rng.choice(["state_dict", "pixelcnn"]))]
    elif kind == 2:
        name = str(rng.choice(sorted(weights)))
        weights[int(rng.integers(9))] = weights.pop(name)
    else:
        state["pixelcnn"] = {
            **state["pixelcnn"],
            "config": twisted(state["pixelcnn"]["config"], rng),
        }
        if kind == 4:
            state["pixelcnn"] = twisted(state["pixelcnn"], rng)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return add_checksum(buffer.getvalue())


def make_classifier(folder: Path) -> Path:
    path = folder / "mine.safetensors"
    classifier = load_classifier("digits")
    save_classifier(classifier.network, path, training=classifier.training)
    return path


def read_classifier(path: Path) -> None:
    network = load_classifier(path).network
    sound(network)
    for name, weight in load_classifier("digits").network.state_dict().items():
        assert torch.equal(weight, network.state_dict()[name]), f"another `{name}` than was written"


# Weights of Inception and LPIPS


def make_weights(folder: Path) -> Path:
    path = folder / "weights.pth"
    torch.save({"conv.weight": torch.ones(2, 3), "conv.bias": torch.zeros(2)}, path)
    return path


def read_weights(path: Path) -> None:
    check_weights(path, "--lpips-weights", url="https://example.invalid")


# Compressed images


def make_compressed(folder: Path) -> Path:
    path = folder / "images.pxc"
    path.write_bytes(compress(tiny_model().eval(), LEVELS, labels=[0, 1, 2], chunk_size=2))
    return path


def read_compressed(path: Path) -> None:
    """Every byte counts: what is damaged is refused, or gives the same images."""
    found = decompress(path, tiny_model().eval())
    assert torch.equal(found.stacked, LEVELS), "other images than were compressed"


LEVELS = torch.randint(4, (3, 1, 6, 6), generator=torch.Generator().manual_seed(0))
WEIGHTS = (damage, twist_card, twist_weights, twist_header)
STATE = (damage, twist_state)

TARGETS = (
    Target(
        "model",
        make_model,
        read_model,
        WEIGHTS,
        lambda path, out: ["sample", path, "--num-samples=2", f"--out={out / 'a.png'}"],
    ),
    Target("state", make_state, read_training, STATE, lambda path, _: ["info", path]),
    Target(
        "classifier",
        make_classifier,
        read_classifier,
        WEIGHTS,
        lambda path, out: [
            *("evaluate", "digits", "--evaluation.max_samples=40", "--num-generated=40"),
            *(f"--classifier={path}", "--features=classifier", f"--out={out / 'a.json'}"),
        ],
    ),
    Target("weights", make_weights, read_weights),
    Target("compressed", make_compressed, read_compressed),
)
