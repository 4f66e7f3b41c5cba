"""Keeps words that only this project used out of help texts and documents."""

import re
from pathlib import Path

import pytest

from pixelcnn.cli.parsers.parser import build_parser, command_parsers

ROOT = Path(__file__).parents[1]
WORDS = {
    r"store(y|ys|ies)": "layer",
    r"(rooms?|house) of the (package|code)": "package",
    r"(in|of) the box|come along|comes along": "bundled",
    r"draw(s|n|ing|ings)?(?! the)": "sample",
    r"wish(es)?": "request",
    r"ask(s|ed|ing)? (it|them|about|for|the model)": "query, request or target",
    r"judge[sd]?|judging": "sample quality, evaluation classifier",
    r"of another kind": "out of distribution (OOD)",
    r"parts of (a|the) mixture": "component",
    r"films?": "animation",
    r"as (their |its )?pixels arrive": "after each pixel",
    r"certificates?": "verification report",
    r"prove[sn]?": "checks, and what was checked",
    r"on the clock": "wall time",
    r"seconds of the processor": "CPU time",
    r"told (the|its|a|what|labels?)": "conditioned on",
    r"loud(ly)?|doubts?|(not )?to be trusted": "unreliable, warning",
    r"the plug|nobody's loss|tak(e|es|ing) turns": "killed, empty, lock",
    r"other work": "a shared machine",
    r"surprises? of": "bits of",
}
"""Words, as regular expressions, and what the field says instead."""


PARSER = build_parser()
HELP = {"pixelcnn --help": PARSER.format_help()} | {
    f"pixelcnn {name} --help": parser.format_help()
    for name, parser in command_parsers(PARSER).items()
}
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}


def old_words(text: str) -> list[str]:
    """Each forbidden word with its line and what to write instead; code is left out."""
    text = re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text, flags=re.M | re.S)
    text = re.sub(r"`[^`\n]*`|\]\([^)\n]*\)|--[\w-]+", "", text)
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}, write {better!r}"
        for word, better in WORDS.items()
        for found in re.finditer(rf"\b({word})\b", text, flags=re.IGNORECASE)
    ]


@pytest.mark.parametrize("name", [*HELP, *DOCUMENTS])
def test_the_words_are_those_of_the_field(name):
    assert old_words((HELP | DOCUMENTS)[name]) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Ten drawn images of each digit.", "drawn"),
        ("The certificate proves it.", "certificate"),
        ("NOT TO BE TRUSTED", "NOT TO BE TRUSTED"),
        ("Models in the box\nthat come along", "in the box"),
        ("A film, as pixels arrive", "film"),
    ],
)
def test_old_words_are_found(text, word):
    assert any(f"{word!r}, write" in line for line in old_words(text))


def test_code_and_names_are_left_out():
    assert old_words("Use `num_draws`, --num-draws N.\n```\ndraw()\n```\n") == []
