"""Every reader of a file that a stranger could hand over: a whole file, its damage, its check."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load as parse
from safetensors.torch import save as serialise

from pixelcnn import load, load_config, load_data
from pixelcnn.checkpoint import save
from pixelcnn.cli import main
from pixelcnn.data import batches
from pixelcnn.data.files.uploads import read_map_upload, read_upload
from pixelcnn.metrics import load_classifier, save_classifier
from pixelcnn.models import GatedPixelCNN
from pixelcnn.runs import load_trained
from pixelcnn.runs.state import add_checksum
from pixelcnn.spec import ImageSpec
from pixelcnn.tensor_files import CHECKSUM, tensor_checksum
from tests.fuzz.mutations import Mutation, damage, deep, twisted, twisted_json
from tests.training.tiny_runs import train


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        name: In reports.
        make: Writes what is read into a folder, and gives the one file of it that is damaged.
        read: Reads that file, and raises where something that must hold does not.
        mutations: Ways to damage the content, each as likely as the others.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    mutations: tuple[Mutation, ...] = field(default=(damage,))


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


# Models


def make_model(folder: Path) -> Path:
    path = folder / "model.safetensors"
    save(tiny_model(), path, training={"seed": 1, "data": {"dataset_name": "digits"}})
    return path


def read_model(path: Path) -> None:
    model = load(path)
    sound(model)
    for name, weight in tiny_model().state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), f"another `{name}` than was written"


def split_safetensors(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def join_safetensors(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def twist_card(content: bytes, rng: np.random.Generator) -> bytes:
    """One value of the card, under a checksum that is right: as a stranger would write it."""
    header, _ = split_safetensors(content)
    tensors, card = parse(content), header["__metadata__"]
    key = str(rng.choice(sorted(set(card) - {CHECKSUM})))
    card[key] = twisted_json(card[key], rng)
    if CHECKSUM in card:
        card[CHECKSUM] = tensor_checksum(card, tensors)
    return serialise(tensors, metadata=card)


def twist_weights(content: bytes, rng: np.random.Generator) -> bytes:
    """Numbers that are none, other shapes, other names; under a checksum that is right."""
    header, _ = split_safetensors(content)
    tensors, card = parse(content), header["__metadata__"]
    name = str(rng.choice(sorted(tensors)))
    kind = rng.integers(5)
    if kind == 0:
        tensors[name] = torch.full_like(tensors[name], float(rng.choice([np.nan, np.inf])))
    elif kind == 1:
        tensors[name] = tensors[name].flatten()[:1].clone()
    elif kind == 2:
        tensors[name + "x"] = tensors.pop(name)
    elif kind == 3:
        tensors[name] = tensors[name].to(torch.int32)
    else:
        del tensors[name]
    if CHECKSUM in card:
        card[CHECKSUM] = tensor_checksum(card, tensors)
    return serialise(tensors, metadata=card)


def twist_header(content: bytes, rng: np.random.Generator) -> bytes:
    """One value of the header of safetensors itself: offsets, shapes, types."""
    header, body = split_safetensors(content)
    return join_safetensors(twisted(header, rng), body)


# Training states


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


# Classifiers


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


# Settings


def make_yaml(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(
        "model:\n  name: gated\n  num_layers: 3\n  dilations: [1, 2]\n"
        "training:\n  max_epochs: 2\n  learning_rate: 1e-3\n"
        "data:\n  dataset_name: digits\n  image_size: [8, 8]\nseed: 1\n",
        encoding="utf-8",
    )
    return path


def read_settings(path: Path) -> None:
    load_config(path)


SNIPPETS = (
    "2026-13-45",
    "!!python/object/apply:os.system [echo]",
    "!!set {a, b}",
    "!!binary x",
    "!!timestamp x",
    "1" * 5_000,
    "0x" + "f" * 5_000,
    "1e400",
    "&a [*a]",
    "*nothing",
    "{a: b, a: c}",
    "? [1, 2]\n: 3",
    "? {a: 1}\n: 3",
    "<<: 1",
    ".nan",
    "=",
    "\x00",
    deep(20_000),
    "{" * 5_000,
)


def twist_yaml(content: bytes, rng: np.random.Generator) -> bytes:
    """One value, key or line of a YAML file in exchange for something that parsers dislike."""
    lines = content.decode().splitlines()
    at = int(rng.integers(len(lines)))
    snippet = SNIPPETS[int(rng.integers(len(SNIPPETS)))]
    key, colon, _ = lines[at].partition(":")
    new = [f"{key}{colon} {snippet}", snippet, f"{key}x: {snippet}", f"  {lines[at]}"]
    lines[at] = new[int(rng.integers(len(new)))]
    return "\n".join(lines).encode()


def make_words(folder: Path) -> Path:
    path = folder / "words.txt"
    path.write_text("--model.dilations\n[1, 2]\n--training.max_epochs=3\n--seed\n1\n")
    return path


def read_words(path: Path) -> None:
    words = path.read_text(encoding="utf-8", errors="replace").split("\n")
    load_config(overrides=[word for word in words if word])


def twist_words(content: bytes, rng: np.random.Generator) -> bytes:
    words = content.decode().splitlines()
    snippet = SNIPPETS[int(rng.integers(len(SNIPPETS)))].replace("\n", " ")
    words[int(rng.integers(len(words)))] = snippet
    return "\n".join(words).encode()


# Run folders


def make_run(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        run = folder / "run"
        train(run, training={"max_epochs": 1}, logger={"csv": True})
        metrics = {"nll_nats": 80.0, "bits_per_dim": 1.8, "split": "test", "num_images": 9}
        (run / "metrics.json").write_text(json.dumps(metrics))
        return next(run.glob(file))

    return make


def read_info(path: Path) -> None:
    """Other files of the run are still used, so the answer may be 0; a bug of ours is 70."""
    folder = next(each for each in path.parents if each.name == "run")
    code = main(["info", str(folder)])
    assert code in (0, 2), f"exit code {code}"


def twist_text(content: bytes, rng: np.random.Generator) -> bytes:
    return twisted_json(content.decode(), rng).encode()


# Images and arrays


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


def make_image(kind: str, mode: str = "RGB") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"mine.{kind}"
        Image.fromarray(images(9, 7, 3)).convert(mode).save(path)
        return path

    return make


def read_image(path: Path) -> None:
    x = read_upload(path.read_bytes(), path.name, ImageSpec(3, 6, 6, 16))
    assert x.shape == (1, 3, 6, 6) and x.min() >= 0 and x.max() < 16


def read_map_file(path: Path) -> None:
    assert torch.isfinite(read_map_upload(path.read_bytes(), path.name, 2)).all()


def make_maps(folder: Path) -> Path:
    path = folder / "maps.npy"
    np.save(path, np.zeros((2, 5, 6), np.float32))
    return path


def twist_png(content: bytes, rng: np.random.Generator) -> bytes:
    """Other sizes and kinds in a header whose checksum is right: an image of a billion pixels."""
    header = bytearray(content[16:29])
    at = int(rng.integers(13))
    header[at] = int(rng.integers(256))
    if rng.random() < 0.3:
        header[:8] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    return content[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + content[33:]


def make_npz(folder: Path) -> Path:
    path = folder / "mine.npz"
    np.savez(path, x_train=images(9, 4, 5), y_train=np.arange(9) % 3, levels=256)
    return path


def make_npy(folder: Path) -> Path:
    path = folder / "mine.npy"
    np.save(path, images(9, 4, 5))
    return path


def twist_npz(content: bytes, rng: np.random.Generator) -> bytes:
    """Arrays of other types, shapes and values, in a whole archive."""
    strange = [
        np.full((9, 4, 5), np.nan),
        images(9, 4, 5).astype(np.float32),
        images(9, 4, 5).astype(np.int64) - 300,
        images(0, 4, 5),
        images(9),
        np.array("text"),
        np.array([{"a": 1}], dtype=object),
        np.zeros((2**20, 0, 5), np.uint8),
        images(9, 4, 5).astype(complex),
        np.full((9, 4, 5), 2**40),
    ]
    arrays = dict(np.load(io.BytesIO(content)))
    key = str(rng.choice([*arrays, "x_test", "y_test", "attributes_train", "layout"]))
    arrays[key] = strange[int(rng.integers(len(strange)))]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def twist_npy(content: bytes, rng: np.random.Generator) -> bytes:
    """A header that promises terabytes, or is no header at all."""
    shapes = (
        "(10**9, 10**9)",
        "(2**40,)",
        "(-1, 4, 5)",
        "(9, 4, 5, 1, 1, 1)",
        "()",
        "('a',)",
        "[[",
    )
    types = ("|u1", "<i8", "|O", "<f8", "|S9", "<U4", "|V8")
    shape = shapes[int(rng.integers(len(shapes)))]
    header = (
        f"{{'descr': '{types[int(rng.integers(len(types)))]}', 'fortran_order': False, "
        f"'shape': {shape}, }}"
    ).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content[128:]


def read_set(kind: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        data = load_data(f"{kind}:{path}")
        for part in (data.train, data.val, data.test):
            for batch in batches(part, 4):
                assert batch.x.min() >= 0 and batch.x.max() < data.spec.levels
                if batch.conditions.labels is not None:
                    assert batch.conditions.labels.min() >= 0

    return read


def make_idx(folder: Path) -> Path:
    path = folder / "labels-idx1-ubyte"
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 9]) + bytes(range(9)))
    return path


def read_idx(path: Path) -> None:
    from pixelcnn.data.sources.mnist import parse_idx

    assert parse_idx(path.read_bytes(), path).dtype == torch.uint8


# Shards


def make_shards(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from pixelcnn import sample_shards

        sample_shards(tiny_model(), folder / "shards", num_samples=8, cond=[0], shard_size=4)
        return next((folder / "shards").glob(file))

    return make


def read_shards(path: Path) -> None:
    read_set("npz")(path.parent)


JSON = (damage, twist_text)
WEIGHTS = (damage, twist_card, twist_weights, twist_header)

TARGETS: tuple[Target, ...] = (
    Target("model", make_model, read_model, WEIGHTS),
    Target("state", make_state, read_training, (damage, twist_state)),
    Target("classifier", make_classifier, read_classifier, WEIGHTS),
    Target("yaml", make_yaml, read_settings, (damage, twist_yaml)),
    Target("overrides", make_words, read_words, (damage, twist_words)),
    Target("metrics.json", make_run("metrics.json"), read_info, JSON),
    Target("environment.json", make_run("environment.json"), read_info, JSON),
    Target("config.yaml", make_run("config.yaml"), read_info, (damage, twist_yaml)),
    Target("log", make_run("logs/version_*/metrics.csv"), read_info),
    Target("png", make_image("png"), read_image, (damage, twist_png)),
    Target("palette png", make_image("png", "P"), read_image, (damage, twist_png)),
    Target("jpeg", make_image("jpg"), read_image),
    Target("webp", make_image("webp"), read_image),
    Target("gif", make_image("gif", "P"), read_image),
    Target("tiff", make_image("tif"), read_image),
    Target("maps", make_maps, read_map_file, (damage, twist_npy)),
    Target("npz", make_npz, read_set("npz"), (damage, twist_npz)),
    Target("npy", make_npy, read_set("npy"), (damage, twist_npy)),
    Target("idx", make_idx, read_idx),
    Target("shard", make_shards("*.npz"), read_shards),
    Target("manifest", make_shards("manifest.json"), read_shards, JSON),
)
