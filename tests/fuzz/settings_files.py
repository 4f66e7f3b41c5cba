"""Settings: YAML files and command-line overrides, damaged and read."""

from pathlib import Path

import numpy as np

from pixelcnn import load_config
from tests.fuzz.mutations import damage, deep
from tests.fuzz.target import Target


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
    "!!bool x",
    "!!int ''",
    "!!float ''",
    "9" * 1_900,
    "99999999",
    '"a\\0b"',
    "[&a [x, x, x, x, x, x, x, x], &b [*a, *a, *a, *a, *a, *a], &c [*b, *b, *b, *b], [*c, *c, *c]]",
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
    words = ["--model.dilations", "[1, 2]", "--model.name=gated", "--training.max_epochs=3"]
    path.write_text("\n".join([*words, "--seed", "1"]))
    return path


def words_of(path: Path) -> list[str]:
    words = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [word for word in words if word]


def read_words(path: Path) -> None:
    load_config(overrides=words_of(path))


def twist_words(content: bytes, rng: np.random.Generator) -> bytes:
    words = content.decode().splitlines()
    snippet = SNIPPETS[int(rng.integers(len(SNIPPETS)))].replace("\n", " ")
    words[int(rng.integers(len(words)))] = snippet
    return "\n".join(words).encode()


TARGETS = (
    Target(
        "yaml",
        make_yaml,
        read_settings,
        (damage, twist_yaml),
        lambda path, _: ["train", "--config", path, "--print-config"],
    ),
    Target(
        "overrides",
        make_words,
        read_words,
        (damage, twist_words),
        lambda path, _: ["train", "--print-config", *words_of(path)],
    ),
)
