"""Which image files are read, and how exactly: the table of docs/data.md."""

from pathlib import Path

import pytest

from tests.data.files.kinds import kinds, outcome, table

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


def test_the_table_of_the_docs_is_what_is_read():
    assert table() in DOCS.read_text(encoding="utf-8"), f"docs/data.md must hold:\n{table()}"


@pytest.mark.parametrize("bits", [None, 16])
def test_no_file_is_read_wrong(bits):
    found = {f"{kind.container} {kind.samples}": outcome(kind, bits) for kind in kinds()}
    assert "wrong" not in found.values(), found
