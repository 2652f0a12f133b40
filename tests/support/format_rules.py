r"""Readers that no machine of ours has, written down from what their makers publish.

- PowerShell: about_Quoting_Rules, about_Operators; a [char] is a UTF-16 code unit.
- cmd.exe: `help set`, `help for`, `help call`, and percent expansion as `help cmd` has it.
- GitHub Actions: "Workflow commands for GitHub Actions", and the runner's SetEnvFileCommand.
- GitLab: "artifacts:reports:dotenv", Ci::ParseDotenvArtifactService, and "Where variables can be used".
"""

from __future__ import annotations

import re
from typing import Final

_ASSIGNMENT: Final = re.compile(r"\$env:(\w+) = (.+)")
_TERM: Final = re.compile(r"'((?:[^']|'')*)'|\[char\](\d+)")
# Typographic quotes end a single-quoted string of PowerShell as the straight one does.
_OTHER_QUOTES: Final = re.compile("[\u2018-\u201b]")
_SET: Final = re.compile(r'set "(\w+)=(.*)"')


def powershell(script: str) -> dict[str, str]:
    """The environment that the statements make, given one line at a time in any code page."""
    assert script.isascii()
    read = {}
    for line in script.splitlines():
        assignment = _ASSIGNMENT.fullmatch(line)
        assert assignment is not None, f"no assignment: {line}"
        read[assignment[1]] = _powershell_string(assignment[2])
    return read


def _powershell_string(expression: str) -> str:
    units, position = b"", 0
    while True:
        term = _TERM.match(expression, position)
        assert term is not None, f"no operand at {position} of {expression}"
        assert position or term[1] is not None, "the left operand is no string: + would add numbers"
        literal = (term[1] or "").replace("''", "'")
        assert _OTHER_QUOTES.search(literal) is None, "a typographic quote inside a string ends it"
        units += int(term[2]).to_bytes(2, "big") if term[2] else literal.encode("utf-16-be")
        position = term.end()
        if position == len(expression):
            return units.decode("utf-16-be")
        assert expression.startswith(" + ", position), f"no operator at {position} of {expression}"
        position += 3


def cmd(script: str) -> dict[str, str]:
    """The environment after `for /f "delims=" %i in (…) do @%i`, typed, in a batch file, or with `call %i`.

    What one of these would change is an error here, and so is what delayed expansion or a code page would.
    """
    read = {}
    for line in script.splitlines():
        assert line.isascii(), "the code page decides"
        assert re.search(r"[%!^]|/\?", line) is None, f"cmd acts on a character of {line}"
        assert line.count('"') == 2, f"the quotes do not hold: {line}"
        statement = _SET.fullmatch(line)
        assert statement is not None, f"no set: {line}"
        read[statement[1]] = statement[2]
    return read


def github_masks(output: str) -> list[str]:
    """What the runner masks from the lines of standard output."""
    masks = []
    for line in output.removesuffix("\n").split("\n"):
        assert line.startswith("::add-mask::"), f"the log shows: {line}"
        data = line.removeprefix("::add-mask::")
        masks.append(data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"))
    return masks


def github_environment(text: str) -> dict[str, str]:
    """The variables that the runner reads from the file."""
    read: dict[str, str] = {}
    lines = text.removesuffix("\n").split("\n")
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        sign, heredoc = line.find("="), line.find("<<")
        if sign >= 0 and (heredoc < 0 or sign < heredoc):
            variable, value = line.split("=", 1)
        else:
            assert heredoc > 0, f"Invalid environment variable format '{line}'"
            variable, delimiter = line.split("<<", 1)
            end = lines.index(delimiter)
            value = "\n".join(lines[:end])
            del lines[: end + 1]
        read[variable] = value
    return read


def gitlab(text: str) -> dict[str, str]:
    """The variables of a report as a later job sees them: stripped, and `$NAME`, `${NAME}` and `%NAME%` expanded."""
    read = {}
    for line in text.removesuffix("\n").split("\n"):
        assert line, "Invalid Format: empty lines are not supported"
        assert not line.startswith("#"), "comments are not supported"
        variable, sign, value = line.partition("=")
        assert sign, "Invalid Format"
        assert re.search(r"\s", value.strip()) is None, "values cannot have spaces"
        expanded = value.strip().replace("$$", "$").replace("%%", "%")
        read[variable.strip()] = re.sub(r"\$\w+|\$\{\w+\}|%\w+%", "", expanded)
    return read
