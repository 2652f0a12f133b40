"""The `.env` sink on a real file system: what is written, and who may read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from routic_cli.delivery.dotenv_text import read_variables
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.delivery.sink import Placement, Sink
from routic_cli.domain.secret import Secret, fingerprint_of
from tests.support.env_files import (
    OTHER,
    SECRET,
    deliver,
    names_in,
    sink_for,
)

# --- what is written --------------------------------------------------------------------------------------------------


def test_it_is_a_sink() -> None:
    sink: Sink = sink_for(Path(".env"))
    assert sink.kind == "env_file"


def test_a_new_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0o000, 0o022, 0o777):
        path = tmp_path / f"{umask:o}.env"
        before = os.umask(umask)
        try:
            sink = sink_for(path)
            sink.prepare(Secret(SECRET))
            assert stat.S_IMODE(Path(sink.record()["staged"]).stat().st_mode) == 0o600
            sink.commit()
        finally:
            os.umask(before)
        assert path.read_bytes() == f"K={SECRET}\n".encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sink.notices == []


def test_commit_names_the_placement_and_can_be_asked_again(tmp_path: Path) -> None:
    sink = deliver(tmp_path / ".env")
    expected = Placement("env_file", str((tmp_path / ".env").resolve()), "K")
    assert sink.commit() == sink.commit() == sink.placement() == expected


def test_nothing_is_replaced_before_the_commit(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"K=old\n")
    sink = sink_for(path)
    sink.preflight()
    record = sink.record()
    assert names_in(tmp_path) == [".env"]
    sink.prepare(Secret(SECRET))
    assert path.read_bytes() == b"K=old\n"
    staged = Path(record["staged"])
    assert read_variables(staged.read_bytes())["K"] == SECRET
    assert stat.S_IMODE(staged.stat().st_mode) == 0o600
    assert sink.holds(fingerprint_of("old"))
    sink.commit()
    assert path.read_bytes() == f"K={SECRET}\n".encode()
    assert names_in(tmp_path) == [".env"]
    assert sink.holds(fingerprint_of(SECRET))
    assert not sink.holds(fingerprint_of("old"))


@pytest.mark.parametrize(
    ("mode", "after", "notice"),
    [
        (0o600, 0o600, None),
        (0o400, 0o400, None),
        (0o644, 0o600, "was readable by others (0644); it is 0600 now"),
        (0o666, 0o600, "was readable by others (0666); it is 0600 now"),
        (0o440, 0o400, "was readable by others (0440); it is 0400 now"),
        (0o620, 0o600, "had mode 0620; it is 0600 now"),
        (0o700, 0o600, "had mode 0700; it is 0600 now"),
    ],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="0400 is refused without root; test_rights… covers that side")
def test_a_wider_mode_is_tightened_and_said(tmp_path: Path, mode: int, after: int, notice: str | None) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    path.chmod(mode)
    sink = deliver(path)
    assert stat.S_IMODE(path.stat().st_mode) == after
    assert sink.notices == ([f"{path} {notice}"] if notice else [])
    sink.undo()
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"A=1\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to someone else")
def test_root_leaves_the_file_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    os.chown(path, 1234, 5678)
    sink = deliver(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)
    sink.undo()
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "env").write_bytes(b"A=1\n")
    (tmp_path / ".env").symlink_to("real/env")
    placement = deliver(tmp_path / ".env").commit()
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real" / "env").read_bytes() == f"A=1\nK={SECRET}\n".encode()
    assert placement.location == str((tmp_path / "real" / "env").resolve())
    assert names_in(tmp_path / "real") == ["env"]


def test_a_dangling_link_creates_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("not-yet")
    sink = deliver(tmp_path / ".env")
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "not-yet").read_bytes() == f"K={SECRET}\n".encode()
    sink.undo()
    assert names_in(tmp_path) == [".env"]


def test_the_other_names_of_a_hard_link_are_mentioned(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\n")
    (tmp_path / ".env").chmod(0o600)
    (tmp_path / "other").hardlink_to(tmp_path / ".env")
    sink = deliver(tmp_path / ".env")
    assert sink.notices == [f"{tmp_path / '.env'} has 2 names (hard links); the others keep the old content"]
    assert (tmp_path / "other").read_bytes() == b"A=1\n"


def test_holds_tells_the_real_files_present_state(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    sink = sink_for(path)
    ours = fingerprint_of(SECRET)
    assert not sink.holds(ours)
    for content, held in (
        (f"export K='{SECRET}' # quoted by hand\n", True),
        (f"K={SECRET}\nK={OTHER}\n", False),
        (f"K={SECRET}\nK\n", False),
        (f"#K={SECRET}\n", False),
        (f"L={SECRET}\n", False),
    ):
        path.write_text(content)
        assert sink.holds(ours) is held
        assert EnvFileSink.from_record(sink.record()).holds(ours) is held
