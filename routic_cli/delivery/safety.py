"""Is it safe to keep a secret in this file? Decided before anything is minted; the worst of all answers wins."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Final

from routic_cli.delivery.git import Repository, physical, repository_of, tracked_by
from routic_cli.delivery.git_process import GitCannotSayError
from routic_cli.delivery.publishing import publishing_findings, variable_findings
from routic_cli.delivery.verdict import Finding, SafetyVerdict, Severity
from routic_cli.domain.errors import UnsafeDestinationError

# Read and write for the owner; any other bit lets somebody in, or makes a secret a program.
WIDER_THAN_PRIVATE: Final = 0o7777 & ~0o600

_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symbolic link"),
)


class NotRegularError(UnsafeDestinationError):
    """The path is, or leads to, something that is no regular file and cannot become one."""


def judge(path: Path, variable: str | None) -> SafetyVerdict:
    """Everything that speaks against the secret in the file, which need not exist, under the variable's name.

    A symbolic link is judged as a place of its own, and then the place it leads to. Changes nothing.
    """
    findings = list(variable_findings(variable)) if variable else []
    try:
        first, *targets = places_of(path)
        findings += _place_findings(first)
        for target in targets:
            findings.append(Finding("symlink-target", Severity.FINE, f"{path} is a symbolic link to {target}"))
            findings += _place_findings(target)
    except NotRegularError as error:
        findings.append(Finding("not-regular", Severity.REFUSE, f"{error.what}: {error.why}"))
    return SafetyVerdict(path, tuple(dict.fromkeys(findings)))


def places_of(path: Path) -> list[Path]:
    """The path, and where it finally leads if it is a symbolic link; neither need exist. NotRegularError otherwise."""
    try:
        if not path.is_symlink():
            _require_regular(path, path.lstat())
            return [path]
        target = Path(os.path.realpath(path))
        _require_regular(path, path.stat())
    except FileNotFoundError:
        return [path, target] if path.is_symlink() else [path]
    except (OSError, ValueError) as error:
        # A circle of links, a directory that is a file, no permission; or a NUL in the name.
        raise _not_regular(path, str(getattr(error, "strerror", None) or error)) from error
    if not target.exists() or not target.samefile(path):
        # /proc/self/fd/3 and its like: the name that resolving gives is not the file that opening gives.
        raise _not_regular(path, "it leads to a file that has no name")
    return [path, target]


def _require_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "no regular file")
        raise _not_regular(path, f"it is {kind}")


def _not_regular(path: Path, why: str) -> NotRegularError:
    return NotRegularError(f"{path} cannot hold a secret", why=why)


def _place_findings(path: Path) -> Iterator[Finding]:
    if os.name == "posix" and path.exists() and not path.is_symlink():
        yield from _file_findings(path, path.stat())
    yield from _git_findings(path)
    yield from publishing_findings(path)


def _file_findings(path: Path, found: os.stat_result) -> Iterator[Finding]:
    if found.st_mode & WIDER_THAN_PRIVATE:
        mode = stat.S_IMODE(found.st_mode)
        yield Finding(
            "wide-mode",
            Severity.WARN,
            f"{path} has mode {mode:04o}; it will be tightened to 0600",
            f"chmod 600 {quote(str(path))}",
        )
    if found.st_uid != os.geteuid():
        yield Finding(
            "foreign-owner",
            Severity.WARN,
            f"{path} belongs to another user (uid {found.st_uid}), who can read what is written there",
            f"sudo chown {os.geteuid()} {quote(str(path))}",
        )


def _git_findings(path: Path) -> Iterator[Finding]:
    try:
        repository = repository_of(path)
        if repository is not None:
            yield from _work_tree_findings(path, physical(path), repository)
    except GitCannotSayError as error:
        message = ": ".join(part for part in (error.what, error.why) if part)
        yield Finding("git-cannot-say", Severity.REFUSE, message, error.remedy)


def _work_tree_findings(path: Path, place: Path, repository: Repository) -> Iterator[Finding]:
    tracked = tracked_by(path, repository)
    if tracked is not None:
        top, name = tracked
        yield Finding(
            "tracked",
            Severity.REFUSE,
            f"{path} is tracked by git or staged, as {name} in {top}: the next commit would publish the secret",
            untracking_command(top, name),
        )
        return
    if not repository.is_ignored(place):
        yield Finding(
            "not-ignored",
            Severity.REFUSE,
            f"{path} is not ignored by git: the next `git add` would publish the secret",
            fixing_command(path),
        )
    else:
        yield from _rule_findings(path, place, repository)
    yield from _history_findings(path, place, repository)


def _rule_findings(path: Path, place: Path, repository: Repository) -> Iterator[Finding]:
    rule = repository.ignore_rule(place)
    if rule is not None and not rule.shared:
        yield Finding(
            "personal-ignore",
            Severity.WARN,
            f"{path} is ignored only by your own rule in {rule.source}, line {rule.line}: nobody else's git has it",
            fixing_command(path),
        )


def _history_findings(path: Path, place: Path, repository: Repository) -> Iterator[Finding]:
    try:
        commit = repository.last_commit(place)
    except GitCannotSayError as error:
        # Tracked and ignored are known, and old commits will not hold a new secret: no reason to refuse.
        yield Finding("history-unknown", Severity.WARN, f"Whether {path} was ever committed is not known: {error.why}")
        commit = ""
    if commit is None:
        return
    if repository.is_in_last_commit(place):
        # The index has let go of it, and any reset, amend or `stash` takes it back: still tracked.
        yield Finding(
            "staged-deletion",
            Severity.REFUSE,
            f"{path} is still in the last commit: its removal is staged and not committed",
            f"{_git_in(repository.top)} commit -m {quote('Stop tracking ' + place.name)}",
        )
    if commit:
        yield Finding(
            "once-committed",
            Severity.WARN,
            f"{path} was once committed, in {commit}: what it held then is in the history for everyone to read",
            "routic scan --history",
        )


def fixing_command(path: Path) -> str:
    """What to type to have the file ignored."""
    return f"routic env check --fix {quote(_operand(path))}"


def untracking_command(top: Path, tracked: str) -> str:
    """What to type to have git let go of a path given from the top, and leave the file where it is."""
    # In a pathspec `*`, `?` and `[` match, `\` escapes and a leading `:` is magic.
    special = tracked.startswith((":", "-")) or any(char in tracked for char in "*?[\\")
    return f"{_git_in(top)} rm --cached {quote(f':(literal){tracked}' if special else tracked)}"


def _git_in(top: Path) -> str:
    return "git" if top == Path(os.path.realpath(".")) else f"git -C {quote(str(top))}"


def _operand(path: Path) -> str:
    text = str(path)
    return f"./{text}" if text.startswith("-") else text
