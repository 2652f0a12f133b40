"""The ignore rule: it names exactly one file, whatever its name, and leaves every other byte of the rules alone."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from routic_cli.delivery.git import git_directory
from routic_cli.delivery.ignore_fix import fix
from routic_cli.delivery.safety import judge
from routic_cli.domain.errors import UnsafeDestinationError
from tests.support.git_situations.present import link_that_is_not_ignored
from tests.support.git_world import REAL_GIT, World, snapshot

ODD_NAMES = [
    "with space", "[x]", "[!a].env", ":env", ":(top)env", "-env", "--all", "#env", "!env", "*", "?.env", "back\\slash",
    "trailing ", "trailing  ", "back\\ ", " leading", "tab\t", "return\r", "ünïcode.env", "e\u0301.env", "💥", "~",
    "$HOME", "'\"", os.fsdecode(b"\xff.env"), "\x1b[31m",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_odd_names_are_tracked_mended_and_let_go_of_under_exactly_that_name(world: World, name: str) -> None:
    file = world.repo / name
    assert {finding.rule for finding in judge(file, None).findings} == {"not-ignored"}
    fix(file)
    assert judge(file, None).findings == ()

    world.write(name)
    world.git("add", "-f", "--", f":(literal){name}")
    (finding,) = judge(file, None).findings
    assert finding.rule == "tracked"
    subprocess.run(finding.remedy, shell=True, check=True, capture_output=True, cwd=world.repo)
    assert judge(file, None).findings == ()


def test_a_name_with_a_line_break_is_judged_but_no_rule_can_name_it(world: World) -> None:
    file = world.repo / "a\nb"
    assert {finding.rule for finding in judge(file, None).findings} == {"not-ignored"}
    with pytest.raises(UnsafeDestinationError, match="No rule"):
        fix(file)
    world.ignore("a?b")
    assert judge(file, None).findings == ()


def test_line_breaks_in_the_directories_above_do_no_harm(world: World) -> None:
    odd = world.home / "line\nbreak"
    world.git("init", "-q", str(odd))
    assert git_directory(odd) == odd / ".git"
    assert [finding.rule for finding in judge(odd / ".env", None).findings] == ["not-ignored"]
    fix(odd / ".env")
    assert judge(odd / ".env", None).findings == ()


letters = st.sampled_from("ab *?[]!#\\^-:.~\r\té")
names = st.one_of(
    st.text(letters, min_size=1, max_size=8).map(str.encode),
    st.binary(min_size=1, max_size=8),
).filter(
    lambda name: not set(name) & set(b"\0/\n") and name not in {b".", b".."} and not name.lower().startswith(b".g")
)


@given(name=names, other=letters)
@example(name=b"a\\ ", other="a")
@example(name=b" \r", other="a")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rule_ignores_exactly_that_file_and_no_sibling(world: World, name: bytes, other: str) -> None:
    mutants = [name[:at] + other.encode() + name[at + 1 :] for at in range(len(name))]
    siblings = {name + other.encode(), other.encode() + name, name[:-1], name[1:], name.swapcase(), *mutants}
    siblings -= {name, b"", b".", b".."}
    assume(not any(set(sibling) & set(b"\0/\n") or sibling.lower().startswith(b".g") for sibling in siblings))
    (world.repo / ".gitignore").unlink(missing_ok=True)
    world.git("config", "core.ignorecase", "false")

    fix(world.repo / os.fsdecode(name))

    asked = b"".join(b"./" + path + b"\0" for path in [name, *sorted(siblings), b"sub/" + name])
    answer = subprocess.run([REAL_GIT, "check-ignore", "-z", "--stdin"], input=asked, capture_output=True, check=True)
    assert answer.stdout == b"./" + name + b"\0"


# The edit


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b"/.env\n"),
        (b"", b"/.env\n"),
        (b"*.log\n", b"*.log\n/.env\n"),
        (b"*.log", b"*.log\n/.env\n"),
        (b"*.log\r\n", b"*.log\r\n/.env\r\n"),
        (b"*.log\r\n*.tmp", b"*.log\r\n*.tmp\r\n/.env\r\n"),
        (b"\xef\xbb\xbf# \xff\n\n\n", b"\xef\xbb\xbf# \xff\n\n\n/.env\n"),
    ],
)
def test_every_other_byte_of_the_rules_stays(world: World, before: bytes | None, after: bytes) -> None:
    rules = world.repo / ".gitignore"
    if before is not None:
        rules.write_bytes(before)
        rules.chmod(0o640)
    assert fix(world.repo / ".env") == [f"Added the rule /.env to {rules}"]
    assert rules.read_bytes() == after
    assert stat.S_IMODE(rules.stat().st_mode) == (0o640 if before is not None else 0o666 & ~current_umask())
    assert not list(world.repo.rglob("routic-ignore-*"))


def current_umask() -> int:
    umask = os.umask(0o22)
    os.umask(umask)
    return umask


def test_a_rule_that_has_no_effect_is_taken_out_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ignore("*.log")
    script = f'case " $* " in *" check-ignore "*) exit 1;; esac; exec "{REAL_GIT}" "$@"'
    monkeypatch.setenv("PATH", str(world.executable(world.home / "bin" / "git", script).parent))
    before = snapshot(world.repo)
    with pytest.raises(UnsafeDestinationError, match="does not make git ignore"):
        fix(world.repo / ".env")
    assert snapshot(world.repo) == before
    (world.repo / ".gitignore").unlink()
    with pytest.raises(UnsafeDestinationError):
        fix(world.repo / ".env")
    assert not (world.repo / ".gitignore").exists()


def test_a_crash_in_the_middle_leaves_nothing_that_could_be_committed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(world.git("add", "-A", "--dry-run")))
    fix(world.repo / ".env")
    assert seen == [""]


def failing(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_rules_as_they_were(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ignore("*.log")
    before = snapshot(world.home)
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(UnsafeDestinationError, match="cannot be written") as refusal:
        fix(world.repo / ".env")
    assert refusal.value.not_done == "No rule was added"
    assert snapshot(world.home) == before


def test_a_mode_that_cannot_be_tightened_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ignore(".env")
    world.write(".env").chmod(0o644)
    monkeypatch.setattr(os, "fchmod", failing)
    with pytest.raises(UnsafeDestinationError, match="cannot be tightened") as refusal:
        fix(world.repo / ".env")
    assert refusal.value.remedy == f"chmod 600 {world.repo / '.env'}"


def test_both_ends_of_a_link_are_mended(world: World) -> None:
    file = link_that_is_not_ignored(world)
    target = Path(os.path.realpath(file))
    target.chmod(0o664)
    fix(file)
    assert file.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
