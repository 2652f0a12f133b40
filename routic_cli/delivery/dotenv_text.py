"""The text of a `.env` file: one variable changes, every other byte stays. Bytes in, bytes out, no I/O.

python-dotenv's own parser says where an assignment begins and ends, so that what is edited here is what it will read.
Errors call the file by the `name` they are given. They never repeat a value, nor the name of any other variable: to the
parser, a key pasted on a line of its own is a name.
"""

from __future__ import annotations

import io
import re
import shlex
from typing import TYPE_CHECKING, Final

from routic_cli.domain.errors import DeliveryError, InvalidRequestError

if TYPE_CHECKING:
    from dotenv.parser import Binding

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What sh, bash, python-dotenv and node all read as itself without quotes. No quoting style is read alike by all.
_VALUE: Final = re.compile(r"[0-9A-Za-z._-]+")
_BOM: Final = "\ufeff"
_LINE_ENDING: Final = re.compile(r"\r\n|\n|\r")
_QUOTED: Final = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_CLOSED: Final = re.compile(rf"\\.|(?:^|(?<=\s))#[^\r\n]*|{_QUOTED}", re.DOTALL)
_INLINE_SPACE: Final = r"[^\S\r\n]*"
_VALUE_START: Final = re.compile(rf"{_INLINE_SPACE}(?P<quoted>{_QUOTED})?", re.DOTALL)


def checked_variable(name: str) -> str:
    """The name, if every reader of `.env` files takes it for one; InvalidRequestError otherwise."""
    if _VARIABLE.fullmatch(name) is None:
        raise InvalidRequestError(
            f"{name!r} cannot be the name of a variable",
            why="It takes letters, digits and _, and does not begin with a digit",
            remedy="--var ROUTIC_API_KEY",
            param="var",
        )
    return name


def set_variable(content: bytes, variable: str, value: str, *, name: str = "the file") -> bytes:
    """The content with the last assignment's value replaced, or with a line `VARIABLE=value` appended.

    The value is written without quotes. A bare `VARIABLE` or `export VARIABLE` below every assignment is given the
    value: python-dotenv reads it as unset, and node would miss a line put below it. DeliveryError when the content is
    not text that python-dotenv reads, or when a quote left open above would swallow the assignment.
    """
    checked_variable(variable)
    if _VALUE.fullmatch(value) is None:
        raise DeliveryError(
            f"The value of {variable} has characters that no quoting protects in every reader of {name}"
        )
    text = _text_of(content, name)
    bom = _BOM if text.startswith(_BOM) else ""
    bindings = _bindings_of(text)
    place = max((index for index, binding in enumerate(bindings) if binding.key == variable), default=len(bindings))
    if place < len(bindings):
        edited = _with_value(bindings[place], variable, value)
    else:
        edited = _appended(text.removeprefix(_BOM), variable, value)
    _refuse_open_quote(bindings[:place], name)
    before = "".join(binding.original.string for binding in bindings[:place])
    after = "".join(binding.original.string for binding in bindings[place + 1 :])
    return (bom + before + edited + after).encode()


def read_variables(content: bytes, *, name: str = "the file") -> dict[str, str | None]:
    """What python-dotenv's `dotenv_values(…, interpolate=False)` reads: the last of a name wins, None without `=`."""
    return {binding.key: binding.value for binding in _as_read(content, name) if binding.key is not None}


def prove(before: bytes, after: bytes, variable: str, value: str, *, name: str = "the file") -> None:
    """DeliveryError unless python-dotenv reads `after` as `before` plus exactly this variable with this value."""
    changed = read_variables(after, name=name) != {**read_variables(before, name=name), variable: value}
    if changed or _unreadable_lines(before, name) != _unreadable_lines(after, name):
        raise DeliveryError(
            f"{variable} cannot be set in {name}",
            why="python-dotenv would not read the edited text as the old one with exactly this variable",
        )


def _text_of(content: bytes, name: str) -> str:
    if b"\0" in content or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DeliveryError(f"{name} is not a text file", why="It holds NUL bytes or UTF-16")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = _line_number(content[: error.start].decode())
        raise DeliveryError(
            f"Line {line} of {name} is not UTF-8", why="python-dotenv cannot read such a file", remedy=_look(name, line)
        ) from None  # the UnicodeDecodeError carries the whole file


def _bindings_of(text: str) -> list[Binding]:
    """The parser's pieces. Put together they are the text without its byte order mark."""
    from dotenv.parser import parse_stream  # 50 ms that only a write into .env should cost

    return list(parse_stream(io.StringIO(text, newline="")))


def _as_read(content: bytes, name: str) -> list[Binding]:
    """The pieces as python-dotenv gets them from a file: opened as text, so with every line ending as `\\n`."""
    return _bindings_of(_LINE_ENDING.sub("\n", _text_of(content, name)))


def _unreadable_lines(content: bytes, name: str) -> list[str]:
    return [binding.original.string.strip() for binding in _as_read(content, name) if binding.error]


def _with_value(binding: Binding, variable: str, value: str) -> str:
    """The binding with another value. Where a comment leans on the closing quote, a space goes between."""
    piece = binding.original.string
    head = re.match(rf"\s*(?:export[^\S\r\n]+)?(?:'{variable}'|{variable})(?P<sign>{_INLINE_SPACE}=)?", piece)
    if head is None:
        raise AssertionError("python-dotenv found the variable where its own grammar has none")
    start = _VALUE_START.match(piece, head.end())
    if start is not None and start["quoted"] is not None:
        begin, end = start.span("quoted")
    elif start is not None and binding.value:
        begin, end = start.end(), start.end() + len(binding.value)
    else:
        begin = end = head.end()
    rest = piece[end:]
    sign = "" if head["sign"] else "="
    return piece[:begin] + sign + value + (" " if rest.startswith("#") else "") + rest


def _appended(text: str, variable: str, value: str) -> str:
    """The line that goes to the end, with the file's own line ending. A file without a final one stays without."""
    endings = [ending for ending in _LINE_ENDING.findall(text) if ending != "\r"]
    only_ending = "\r" if "\r" in text else "\n"
    ending = endings[-1] if endings else only_ending
    if not text:
        return f"{variable}={value}\n"
    if text.endswith(ending):
        # Two: to a shell, a backslash at the end of a line joins the next one to it.
        gap = ending if text.removesuffix(ending).endswith("\\") else ""
        return f"{gap}{variable}={value}{ending}"
    return ending * (2 if text.endswith("\\") else 1) + f"{variable}={value}"


def _refuse_open_quote(bindings: list[Binding], name: str) -> None:
    """A shell would read our line as part of that quote, though python-dotenv gives up at the end of the line."""
    for index, binding in enumerate(bindings):
        piece = binding.original.string
        if binding.error and re.search(r"['\"]", _CLOSED.sub("", piece)):
            above = "".join(earlier.original.string for earlier in bindings[:index])
            line = _line_number(above + piece[: len(piece) - len(piece.lstrip())])
            raise DeliveryError(
                f"Line {line} of {name} opens a quote that is never closed",
                why="To a shell, the lines below it would be part of that value",
                remedy=_look(name, line),
            )


def _line_number(text_before: str) -> int:
    return len(_LINE_ENDING.findall(text_before)) + 1


def _look(name: str, line: int) -> str:
    return f"${{EDITOR:-vi}} +{line} {shlex.quote(name)}"
