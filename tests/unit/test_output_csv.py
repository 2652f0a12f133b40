"""CSV that a spreadsheet reads as text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.output.csv_out import csv_text, defused


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_a_formula_begins_with_an_apostrophe(start: str) -> None:
    assert csv_text(["agent"], [[f"{start}cmd"]]).splitlines()[1].startswith(("'", "\"'"))
    assert defused(f"{start}cmd") == f"'{start}cmd"
    assert defused("plain = text") == "plain = text"


def test_records_end_with_crlf_and_quote_what_has_to_be_quoted() -> None:
    assert csv_text(["a", "b"], [['x,"y"', None], [1, 0.000012]]) == 'a,b\r\n"x,""y""",\r\n1,0.000012\r\n'


def test_a_cell_speaks_to_no_terminal() -> None:
    assert csv_text(["a"], [["\x1b[31m\u202e"]]) == "a\r\n\\x1b[31m\\u202e\r\n"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_every_record_comes_back_as_one_and_no_cell_is_a_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_text(["a", "b"], rows), newline="")))
    assert len(read) == len(rows) + 1
    cells = [cell for record in read for cell in record]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
