"""What the README shows works, and the commands of all documents can be typed."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from pixelcnn.cli.parsers.parser import build_parser, parse
from pixelcnn.config import load_config

ROOT = Path(__file__).parents[1]
README, *OTHERS = (
    path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
)


def blocks(language: str, text: str = README) -> list[str]:
    """Contents of the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def lines(text: str) -> list[str]:
    """Lines that a shell is given."""
    return "".join(blocks("sh", text)).replace("\\\n", " ").splitlines()


COMMANDS = lines(README)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.splitlines()[0])
def test_python_blocks_run(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert "torch.Size([" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line", [line for text in (README, *OTHERS) for line in lines(text) if "pixelcnn " in line]
)
def test_commands_parse(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = shlex.split(line, comments=True)
    (start,) = (place for place, word in enumerate(words) if re.fullmatch(r"(.*/)?pixelcnn", word))
    args = parse(words[start + 1 :])
    config, preset = getattr(args, "config", None), getattr(args, "preset", None)
    load_config(config, args.settings, preset=preset)


def test_every_command_is_in_the_table():
    shown = set(re.findall(r"^\| `pixelcnn ([\w-]+)", README, flags=re.MULTILINE))
    (commands,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert shown == set(commands.choices)


def test_make_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = [line.split()[1] for line in COMMANDS if line.startswith("make ")]
    assert shown == ["quickstart", "test"]
    assert all(re.search(rf"^{name}:", makefile, flags=re.MULTILINE) for name in shown)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()
