"""A line of JSON for each request: whole, inert, and no key in it, whatever a caller sent."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from routic_cli.output.log_lines import LONGEST_TEXT
from routic_cli.server.access_log import AccessLog

KEY = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"


def lines_of(capfd: pytest.CaptureFixture[str], *requests: Mapping[str, object]) -> list[str]:
    log = AccessLog()
    log.start()
    for fields in requests:
        log.request(fields)
    assert log.close() == 0
    return capfd.readouterr().err.splitlines()


def test_each_request_is_one_line_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(capfd, *({"n": n, "path": "/x", "key_id": None, "duration_ms": 0.5} for n in range(3000)))

    assert [json.loads(line)["n"] for line in lines] == list(range(3000))
    assert json.loads(lines[0]) == {"n": 0, "path": "/x", "key_id": None, "duration_ms": 0.5}


def test_a_key_in_any_field_is_masked(capfd: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(capfd, {"path": f"/v1/{KEY}", "address": KEY}, {"path": "x" * (LONGEST_TEXT - 10) + KEY})

    assert json.loads(lines[0]) == {"path": "/v1/sk-Ky9P…aSEj", "address": "sk-Ky9P…aSEj"}
    assert not any(KEY[:12] in line for line in lines)


def test_nothing_in_a_line_acts_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    evil = "/\x1b[31m\n{\u202e\x9b\ud800"
    (line,) = lines_of(capfd, {"path": evil})

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == evil


def test_a_line_fits_into_one_write_of_a_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    (line,) = lines_of(capfd, {"path": "/\u202e" * 50_000})

    assert len(line) < 4096
    assert json.loads(line)["path"].endswith("…")


def test_a_change_after_the_call_does_not_change_the_line(capfd: pytest.CaptureFixture[str]) -> None:
    log = AccessLog()
    fields: dict[str, object] = {"n": 1}
    log.request(fields)
    fields["n"] = 2
    log.close()

    assert capfd.readouterr().err == '{"n":1}\n'
