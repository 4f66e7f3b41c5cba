"""README and docs: their code runs, their commands parse, their links lead somewhere."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from pixelcnn.cli.parsers.parser import build_parser, parse
from pixelcnn.config import load_config

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
NEEDS_FILES = ("PIXELCNN_DATA", 'load_data("mnist"')  # code that no fresh checkout can run


def blocks(language, text):
    """Contents of the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def lines(text):
    """Lines that a shell is given."""
    return "".join(blocks("sh", text)).replace("\\\n", " ").splitlines()


def slug(heading):
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


PYTHON = [
    pytest.param(name, code, id=f"{name}-{number}")
    for name, text in PAGES.items()
    for number, code in enumerate(blocks("python", text))
    if not any(word in code for word in NEEDS_FILES)
    if name != "docs/adding.md"  # tests/test_adding.py runs that
]
COMMANDS = [
    pytest.param(line, id=f"{name}-{number}")
    for name, text in PAGES.items()
    for number, line in enumerate(lines(text))
    if re.search(r"(^|[ /])pixelcnn ", line) and "git clone" not in line
]
LINKS = sorted(
    (name, link)
    for name, text in PAGES.items()
    for link in set(re.findall(r"\]\((?!http)([^)]+)\)", text))
)


@pytest.mark.parametrize(("name", "code"), PYTHON)
def test_python_blocks_run(name, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, name, "exec"), {})
    assert "torch.Size([" in capsys.readouterr().out


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = shlex.split(line, comments=True)
    (start,) = (place for place, word in enumerate(words) if re.fullmatch(r"(.*/)?pixelcnn", word))
    args = parse(words[start + 1 :])
    config, preset = getattr(args, "config", None), getattr(args, "preset", None)
    load_config(config, args.settings, preset=preset)


def test_every_command_is_in_the_table():
    shown = set(re.findall(r"^\| `pixelcnn ([\w-]+)", PAGES["docs/start.md"], flags=re.MULTILINE))
    (commands,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert shown == set(commands.choices)


def test_every_recipe_is_named():
    recipes = {path.stem for path in (ROOT / "configs").glob("*.yaml")} - {"default"}
    assert recipes <= set(re.findall(r"`([\w-]+)`", PAGES["docs/start.md"]))


def test_make_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = [line.split()[1] for line in lines(PAGES["README.md"]) if line.startswith("make ")]
    assert shown == ["quickstart", "test"]
    assert all(re.search(rf"^{name}:", makefile, flags=re.MULTILINE) for name in shown)


def test_the_readme_is_short_and_leads_to_every_page():
    readme = PAGES["README.md"]
    assert len(readme.splitlines()) <= 140
    assert all(f"]({name}" in readme for name in PAGES if name != "README.md")


@pytest.mark.parametrize(("name", "link"), LINKS)
def test_links_lead_somewhere(name, link):
    path, _, anchor = link.partition("#")
    target = (ROOT / name).parent / path if path else ROOT / name
    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {slug(heading) for heading in headings}
