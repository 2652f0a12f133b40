"""One variable of a `.env` text changes; python-dotenv reads that change and no other, and no other byte moves."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routic_cli.delivery.dotenv_text import checked_variable, prove, read_variables, set_variable
from routic_cli.domain.errors import DeliveryError, InvalidRequestError

VARIABLE = "ROUTIC_API_KEY"
NEW = "sk-NEWNEWNEWNEWNEWNEWNEWNEWNEWNEWNEWNEWNEWNEWNEW"
LATER = "sk-LATERLATERLATERLATERLATERLATERLATERLATERLATE"
ENDINGS = ("\n", "\r\n", "\r")

# Files as people and editors leave them: name, before, after. `K` stands for the variable, `V` for the value.
EDITS = [
    ("empty", b"", b"K=V\n"),
    ("only a byte order mark", b"\xef\xbb\xbf", b"\xef\xbb\xbfK=V\n"),
    ("white space only", b" \n\t\n", b" \n\t\nK=V\n"),
    ("white space without final newline", b"  ", b"  \nK=V"),
    ("appended", b"A=1\n", b"A=1\nK=V\n"),
    ("appended without final newline", b"A=1", b"A=1\nK=V"),
    ("appended after CRLF", b"A=1\r\nB=2\r\n", b"A=1\r\nB=2\r\nK=V\r\n"),
    ("appended after CRLF, no final newline", b"A=1\r\nB=2", b"A=1\r\nB=2\r\nK=V"),
    ("appended by the last ending of a mixed file", b"A=1\r\nB=2\n", b"A=1\r\nB=2\nK=V\n"),
    ("appended to classic Mac lines", b"A=1\rB=2\r", b"A=1\rB=2\rK=V\r"),
    ("a stray CR at the end of LF lines", b"A=1\nB=2\r", b"A=1\nB=2\r\nK=V"),
    ("appended below a backslash that would join lines", b"DIR=C:\\x\\\n", b"DIR=C:\\x\\\n\nK=V\n"),
    ("the same without final newline", b"DIR=C:\\x\\", b"DIR=C:\\x\\\n\nK=V"),
    ("replaced", b"A=1\nK=old\nB=2\n", b"A=1\nK=V\nB=2\n"),
    ("replaced without final newline", b"K=old", b"K=V"),
    ("replaced between CRLF", b"A=1\r\nK=old\r\nB=2\r\n", b"A=1\r\nK=V\r\nB=2\r\n"),
    ("replaced behind a byte order mark", b"\xef\xbb\xbfK=old\n", b"\xef\xbb\xbfK=V\n"),
    ("the last of duplicates", b"K=1\nK=2\nA=3\n", b"K=1\nK=V\nA=3\n"),
    ("commented out", b"# K=old\n", b"# K=old\nK=V\n"),
    ("exported", b"export K=old\n", b"export K=V\n"),
    ("exported with tabs", b"\texport\tK\t=\told\t\n", b"\texport\tK\t=\tV\t\n"),
    ("spaces around the sign", b"K = old\n", b"K = V\n"),
    ("a quoted name", b"'K'=old\n", b"'K'=V\n"),
    ("empty value", b"K=\nA=1\n", b"K=V\nA=1\n"),
    ("empty value at the end of the file", b"K=", b"K=V"),
    ("empty value before white space", b"K= \t\nA=1\n", b"K=V \t\nA=1\n"),
    ("empty value before a comment", b"K=  # todo\n", b"K=V  # todo\n"),
    ("a value with #", b"K=a#b\n", b"K=V\n"),
    ("a value that begins with #", b"K=#a\n", b"K=V\n"),
    ("trailing comment", b"K=old # from ops\n", b"K=V # from ops\n"),
    ("double quotes", b'K="old \\" value" # c\n', b"K=V # c\n"),
    ("single quotes", b"K='old \\' value'\n", b"K=V\n"),
    ("empty quotes", b"K=''\n", b"K=V\n"),
    ("a comment that leans on the quote", b'K="old"#c\n', b"K=V #c\n"),
    ("a value over several lines", b'K="1\nK=2\n3"\nA=1\n', b"K=V\nA=1\n"),
    ("inside another's quotes", b'A="\nK=old\n"\n', b'A="\nK=old\n"\nK=V\n'),
    ("a bare name", b"K\n", b"K=V\n"),
    ("a bare name with a comment", b" export K # c\nA=1", b" export K=V # c\nA=1"),
    ("a bare name that a comment leans on", b"K#c\n", b"K=V #c\n"),
    ("a bare name below the assignment", b"K=old\nexport K\n", b"K=old\nexport K=V\n"),
    ("an assignment below the bare name", b"K\nK=old\n", b"K\nK=V\n"),
    ("YAML in disguise", b"K: old\n", b"K: old\nK=V\n"),
    (
        "lines that are no assignments",
        b"=x\nexport \ntwo words\nA='x' y\nK=old\n",
        b"=x\nexport \ntwo words\nA='x' y\nK=V\n",
    ),
    ("an apostrophe in a value", b"A=it's\nK=old\n", b"A=it's\nK=V\n"),
    ("an apostrophe in the comment of a bad line", b"=x # it's\nK=old\n", b"=x # it's\nK=V\n"),
    ("a quote left open below", b"K=old\nA='x\n", b"K=V\nA='x\n"),
    ("a longer name", b"MY_K=1\nK2=2\nk=3\n", b"MY_K=1\nK2=2\nk=3\nK=V\n"),
    ("other people's text", "# Schlüssel\nA=日本\nK=alt\nB=ß\n".encode(), "# Schlüssel\nA=日本\nK=V\nB=ß\n".encode()),
]

REFUSED = [
    ("an open double quote above", b'A="x\nB=1\n', "Line 2 of .env", b"# c\n"),
    ("an open single quote above the assignment", b"A='x\nROUTIC_API_KEY=old\n", "Line 3 of .env", b"\n\n"),
    ("an open quote that ends at the assignment's own", b'A="x\nROUTIC_API_KEY="old"\n', "Line 1 of .env", b""),
    ("an open quoted name", b"'A\nB=1\n", "Line 3 of .env", b"A=1\r\nB=2\r\n"),
    ("prose with an apostrophe", b"Don't edit\n", "Line 1 of .env", b""),
    ("Latin-1", b"B=\xfc\n", "Line 2 of .env is not UTF-8", b"A=1\n"),
    ("a NUL byte", b"A=\0\n", ".env is not a text file", b""),
    ("UTF-16", "A=1\n".encode("utf-16"), ".env is not a text file", b""),
    ("UTF-16 without its mark", "A=1\n".encode("utf-16-le"), ".env is not a text file", b""),
]


@pytest.mark.parametrize(("before", "after"), [edit[1:] for edit in EDITS], ids=[edit[0] for edit in EDITS])
def test_an_edit_changes_these_bytes_and_no_others(before: bytes, after: bytes) -> None:
    edited = set_variable(before, "K", NEW)
    assert edited == after.replace(b"V", NEW.encode())
    prove(before, edited, "K", NEW)
    assert set_variable(edited, "K", NEW) == edited


@pytest.mark.parametrize(
    ("content", "said", "above"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_text_that_would_swallow_the_line_or_cannot_be_read_is_refused(
    content: bytes, said: str, above: bytes
) -> None:
    with pytest.raises(DeliveryError) as caught:
        set_variable(above + content, VARIABLE, NEW, name=".env")
    assert said in str(caught.value)
    assert NEW not in " ".join(caught.value.sentences())
    # Nor may a traceback show the decoder's error, which carries the whole file.
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_an_open_quote_is_answered_with_the_command_that_shows_it() -> None:
    with pytest.raises(DeliveryError) as caught:
        set_variable(b"A=1\nB='x\n", VARIABLE, NEW, name="my dir/.env")
    assert caught.value.remedy == "${EDITOR:-vi} +2 'my dir/.env'"


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "K\nEVIL", "A=", "Ä", "$A", "A\n"])
def test_a_name_that_is_not_a_variable_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        checked_variable(name)
    with pytest.raises(InvalidRequestError):
        set_variable(b"", name, NEW)


@pytest.mark.parametrize("name", ["A", "_", "ROUTIC_API_KEY", "a1"])
def test_a_name_that_every_reader_takes_is_accepted(name: str) -> None:
    assert checked_variable(name) == name


@pytest.mark.parametrize("value", ["", "a b", "a\nB=1", "a'b", 'a"b', "a#b", "a$b", "a\\b", "a`b`", "ü", "~", "a;b"])
def test_a_value_that_readers_would_take_differently_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        set_variable(b"", "K", value, name="F")
    assert caught.value.sentences() == ["The value of K has characters that no quoting protects in every reader of F"]


@pytest.mark.parametrize(
    "after",
    [
        b"A=1\nK=other\n",
        b"A=2\nK=new\n",
        b"K=new\n",
        b"A=1\nK=new\nB=1\n",
        b"A=1\nK=new\n=x\n",
        b"A=1\nK=new\nK\n",
        b"A=1\n",
    ],
)
def test_the_proof_fails_for_anything_but_exactly_this_change(after: bytes) -> None:
    prove(b"A=1\n", b"A=1\nK=new\n", "K", "new")
    with pytest.raises(DeliveryError):
        prove(b"A=1\n", after, "K", "new")


# --- any file ---------------------------------------------------------------------------------------------------------

names = st.sampled_from([VARIABLE, VARIABLE, "A", "B", "DATABASE_URL", "ROUTIC_API_KEY_2", "Ключ"])
inline = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\'\"\u2028\u2029\x85"), max_size=8)
spaces = st.sampled_from(["", "", " ", "\t", "  "])
many_lines = st.lists(st.one_of(inline, st.just(f"{VARIABLE}=decoy"), st.just("# note")), max_size=3)
quoted = st.builds(
    lambda quote, lines, end, escape: quote + end.join(lines) + (f"\\{quote}" if escape else "") + quote,
    st.sampled_from("'\""), many_lines, st.sampled_from(ENDINGS), st.booleans(),
)  # fmt: skip
unquoted = inline.map(lambda text: text.strip()).filter(lambda text: not text.startswith("#")) | st.just("it's")
assignments = st.builds(
    lambda lead, export, name, before, after, value, tail: f"{lead}{export}{name}{before}={after}{value}{tail}",
    spaces,
    st.sampled_from(["", "", "export ", "export\t"]),
    names | names.map(lambda name: f"'{name}'"),
    spaces,
    spaces,
    quoted | unquoted,
    st.sampled_from(["", "", "  ", " # note", "\t#it's"]),
)
lines = st.one_of(
    assignments,
    assignments,
    names.map(lambda name: f"#{name}=decoy"),
    names,
    names.map(lambda name: f"export {name}"),
    st.sampled_from(["", "  ", "# it's a comment", "=x", "export ", "two words", "A='x' y", "ROUTIC_API_KEY: x"]),
)
files = st.builds(
    lambda mark, pairs, last: mark + "".join(line + ending for line, ending in pairs) + last,
    st.sampled_from(["", "\ufeff"]),
    st.lists(st.tuples(lines, st.sampled_from(ENDINGS)), max_size=8),
    lines | st.just(""),
).map(str.encode)
# Little grammar and all the trouble: quotes, backslashes and line ends anywhere.
rubble = st.lists(
    st.sampled_from(["V", "V=", "export ", "=", " ", "#", "'", '"', "\\", "\n", "\r", "\r\n", "a", "\ufeff", "\x0b"]),
    max_size=24,
).map(lambda pieces: "".join(pieces).encode())


def assert_only_the_value_moved(before: bytes, after: bytes, variable: str) -> None:
    """What is left and right of the new value is what was left and right of the old one, or the line is new."""
    left, right = re.split(NEW.encode(), after, maxsplit=1)
    variables = read_variables(before)
    if variable not in variables:
        assert left.startswith(before)
        assert left[len(before) :].strip(b"\r\n") == f"{variable}=".encode()
        assert right.strip(b"\r\n") == b""
        return
    old = variables[variable]
    if old is None:
        assert left.endswith(b"=")
        left = left.removesuffix(b"=")
    assert before.startswith(left)
    right = right.removeprefix(b" ") if right.startswith(b" #") and not before.endswith(right) else right
    assert before.endswith(right)
    assert len(left) + len(right) <= len(before)
    replaced = before[len(left) : len(before) - len(right)]
    assert read_variables(b"X=" + replaced)["X"] == (old or "")


@given(files)
@example(b"ROUTIC_API_KEY='1\r\nROUTIC_API_KEY=2'\r\nexport ROUTIC_API_KEY")
def test_in_any_file_one_variable_changes_and_nothing_else(before: bytes) -> None:
    after = set_variable(before, VARIABLE, NEW)
    assert read_variables(after) == {**read_variables(before), VARIABLE: NEW}
    assert_only_the_value_moved(before, after, VARIABLE)
    prove(before, after, VARIABLE, NEW)


@given(files)
def test_setting_twice_is_setting_once_and_the_last_value_wins(before: bytes) -> None:
    once = set_variable(before, VARIABLE, NEW)
    assert set_variable(once, VARIABLE, NEW) == once
    assert set_variable(set_variable(before, VARIABLE, LATER), VARIABLE, NEW) == once


@given(rubble)
@example(b'V="\nV=\\"\n')
@example(b"'V\nV='a'")
def test_rubble_is_either_edited_provably_or_refused(before: bytes) -> None:
    try:
        after = set_variable(before, "V", NEW)
    except DeliveryError as refusal:
        assert "opens a quote" in refusal.what  # noqa: PT017  # a refusal is one of two good answers, not the expectation
        return
    prove(before, after, "V", NEW)
    assert_only_the_value_moved(before, after, "V")


@given(files | rubble)
def test_reading_agrees_with_python_dotenv_on_the_text_as_opened(content: bytes) -> None:
    from dotenv import dotenv_values

    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") as opened:
        assert read_variables(content) == dotenv_values(stream=opened, interpolate=False)


def test_nothing_is_interpolated(tmp_path: Path) -> None:
    from dotenv import dotenv_values

    (tmp_path / ".env").write_bytes(b"A=1\nB=${A}\n")
    content = (tmp_path / ".env").read_bytes()
    assert read_variables(content) == dotenv_values(tmp_path / ".env", interpolate=False) == {"A": "1", "B": "${A}"}
