"""A report as one HTML file, and as Markdown beside its pictures."""

import base64
import re
from collections.abc import Sequence
from html import escape
from string import Template

from pixelcnn.report.compare import Comparison
from pixelcnn.report.figures import Picture
from pixelcnn.report.tables import DIFFERENCES, Table
from pixelcnn.version import __version__

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --ink: #1d2433; --soft: #5d6678; --paper: #f6f7f9; --card: #fff; --line: #e2e5ea;
  --mark: #e3eefb; --key: #1f6fb4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #9aa4b5; --paper: #14171d; --card: #1d2129; --line: #323844;
    --mark: #213a57; --key: #79b4ec; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 84rem; margin: 0 auto; padding: 1.2rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .6rem 0 .2rem; }
h2 { font-size: 1.15rem; margin: 0 0 .6rem; }
.lead, .note, footer { color: var(--soft); font-size: .88rem; }
.note { margin: .5rem 0 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1rem 1.1rem; margin: 1.1rem 0; }
.highlights { border-left: 5px solid var(--key); }
.highlights ul { margin: 0; padding-left: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .38rem .4rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
td span { white-space: nowrap; }
td span + span { display: block; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; line-height: 1.25; }
td:first-child { font-weight: 600; position: sticky; left: 0; background: var(--card); }
td.best { background: var(--mark); font-weight: 600; }
dl { margin: .8rem 0 0; font-size: .86rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .35rem 0; color: var(--soft); }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 8px;
  padding: 6px; }
img.pixels { image-rendering: pixelated; }
@media (max-width: 40rem) { .wide img { max-width: none; width: 46rem; } }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="lead">$lead</p>
$body
<footer>pixelcnn $version, $made</footer>
</main>
</body>
</html>
""")
PIXELS = ("samples", "labels", "completions")  # names of pictures that are not smoothed


def as_html(
    found: Comparison, said: Sequence[str], tables: Sequence[Table], pictures: Sequence[Picture]
) -> str:
    """The page with its pictures."""
    overview, *others = tables
    parts = [html_highlights(said), html_table(overview, html_architectures(found))]
    parts += [html_table(table) for table in others if table.title == DIFFERENCES]
    parts += [html_picture(picture) for picture in pictures]
    parts += [html_table(table) for table in others if table.title != DIFFERENCES]
    return PAGE.substitute(
        title=escape(title_of(found)),
        lead=escape(lead_of(found)),
        body="\n".join(part for part in parts if part),
        version=escape(__version__),
        made=escape(found.made),
    )


def title_of(found: Comparison) -> str:
    """What the report is about."""
    data = found.protocol.partition(",")[0]
    return f"{', '.join(found.names)}: {'models' if len(found.names) > 1 else 'a model'} of {data}"


def lead_of(found: Comparison) -> str:
    """What was compared, in a sentence."""
    spec = found.images.spec
    return (
        f"Evaluated on {found.which} of {spec.height}×{spec.width} pixels, {spec.channels} "
        f"channel{'' if spec.channels == 1 else 's'} and {spec.levels} levels: {found.protocol}."
    )


def html_highlights(said: Sequence[str]) -> str:
    """The main findings."""
    if not said:
        return ""
    items = "\n".join(f"<li>{escape(line)}</li>" for line in said)
    return f'<section class="highlights"><h2>Summary</h2>\n<ul>\n{items}\n</ul></section>'


def html_architectures(found: Comparison) -> str:
    """The architecture of each model."""
    items = "\n".join(
        f"<dt>{escape(variant.name)}</dt>"
        f"<dd>{escape(variant.architecture)}; {escape(variant.receptive_field)}</dd>"
        for variant in found.variants
    )
    return f"<dl>\n{items}\n</dl>"


def html_table(table: Table, more: str = "") -> str:
    """A section with a table."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = []
    for row, cells in enumerate(table.rows):
        marked = [html_cell(cell, (row, n) in table.best) for n, cell in enumerate(cells)]
        rows.append(f"<tr>{''.join(marked)}</tr>")
    notes = "\n".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    return (
        f"<section><h2>{escape(table.title)}</h2>\n"
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + f"\n</tbody></table></div>\n{more}{notes}</section>"
    )


def html_cell(cell: str, is_best: bool) -> str:
    """A cell of a table; an interval goes below its value."""
    kind = ' class="best"' if is_best else ""
    value, *interval = cell.split(" (", 1)
    parts = [value, *(f"({text}" for text in interval)]
    return f"<td{kind}>{' '.join(f'<span>{escape(part)}</span>' for part in parts)}</td>"


def html_picture(picture: Picture) -> str:
    """A section with a picture, embedded in the page."""
    data = base64.b64encode(picture.png).decode("ascii")
    kind = ' class="pixels"' if picture.name in PIXELS else ""
    return (
        f"<section><h2>{escape(picture.title)}</h2>\n"
        f'<div class="wide"><img{kind} alt="{escape(picture.title)}" '
        f'src="data:image/png;base64,{data}"></div>\n'
        f'<p class="note">{escape(picture.caption)}</p></section>'
    )


def as_markdown(
    found: Comparison, said: Sequence[str], tables: Sequence[Table], pictures: Sequence[Picture]
) -> str:
    """The report as Markdown, with the pictures as files beside it."""
    lines = [f"# {in_markdown(title_of(found))}", "", in_markdown(lead_of(found)), ""]
    lines += [f"* {in_markdown(line)}" for line in said] + [""]
    for table in tables:
        lines += [f"## {table.title}", "", *markdown_table(table), "", *_paragraphs(table.notes)]
        if table is tables[0]:
            lines += [
                f"* **{in_markdown(v.name)}**: {v.architecture}; {v.receptive_field}"
                for v in found.variants
            ] + [""]
    for picture in pictures:
        image = f"![{picture.title}]({picture.name}.png)"
        lines += [f"## {picture.title}", "", image, "", in_markdown(picture.caption), ""]
    return "\n".join([*lines, f"pixelcnn {__version__}, {found.made}", ""])


def markdown_table(table: Table) -> list[str]:
    """The lines of a table; the best values are bold."""
    rows = [
        [
            f"**{in_markdown(cell)}**" if (row, column) in table.best else in_markdown(cell)
            for column, cell in enumerate(cells)
        ]
        for row, cells in enumerate(table.rows)
    ]
    every = [list(map(in_markdown, table.head)), ["---"] * len(table.head), *rows]
    return [f"| {' | '.join(row)} |" for row in every]


def in_markdown(text: str) -> str:
    """Text of runs and of the report as one line that holds no link, picture, HTML or cell.

    Example:
        >>> print(in_markdown("![](https://example.invalid/x.png) <b>"))
        !\\[\\](https://example.invalid/x.png) \\<b>
    """
    return re.sub(r"[\[\]<`|\\]", r"\\\g<0>", " ".join(text.split()))


def _paragraphs(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in (in_markdown(note), "")]
