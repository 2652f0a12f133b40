"""Lines for scripts, and the layout that the tables share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routic_cli.delivery.sink import Placement
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyTraits, KeyVersion, Scope
from routic_cli.domain.secret import Fingerprint
from routic_cli.output.cells import Span, columns_of, fold, line_columns
from routic_cli.output.panel import describe, key_lines, key_panel, pair_lines
from routic_cli.output.streams import Look
from routic_cli.output.tables import keys_lines, keys_table, simple_lines, simple_table

NOW = 1_790_000_000
DAY = 86400
PLAIN = Look(width=80, colour=False, unicode=True)
COLOURED = Look(width=80, colour=True, unicode=True)


def version(number: int, expires_at: int | None = None) -> KeyVersion:
    return KeyVersion(number, Fingerprint("0" * 64), f"sk-AbC{number}…WxYz", NOW - 30 * DAY, expires_at)


ROTATED = Key(
    id=KeyId("key_0h7tq9x2m4n5p6r7"),
    traits=KeyTraits("prod", {"env": "prod", "team": "core"}, (Scope.API, Scope.USAGE_READ), 600, NOW + 87 * DAY),
    status=KeyStatus.ACTIVE,
    versions=(version(1, NOW + 3600), version(2)),
    created_at=NOW - 30 * DAY,
    last_used_at=NOW - 60,
)
REVOKED = Key(
    id=KeyId("key_0h7tq9x2m4n5p6r8"),
    traits=KeyTraits("old"),
    status=KeyStatus.REVOKED,
    versions=(version(1),),
    created_at=NOW - 30 * DAY,
    revoked_at=NOW - DAY,
    revoke_reason="leaked\tin a log",
)


def test_lines_of_keys_are_tab_separated_without_header_or_relative_time() -> None:
    assert keys_lines([ROTATED, REVOKED]) == (
        "key_0h7tq9x2m4n5p6r7\tprod\tactive\tsk-AbC2…WxYz\t"
        "2026-08-22T14:13:20Z\t2026-12-17T14:13:20Z\t2026-09-21T14:12:20Z\n"
        "key_0h7tq9x2m4n5p6r8\told\trevoked\tsk-AbC1…WxYz\t2026-08-22T14:13:20Z\t\t\n"
    )


def test_nothing_is_printed_for_no_rows() -> None:
    assert keys_lines([]) == keys_table([], NOW, PLAIN) == simple_table(["a"], [], PLAIN) == simple_lines([]) == ""


def test_a_tab_or_newline_inside_of_a_cell_makes_no_new_cell_or_line() -> None:
    assert simple_lines([("a\tb", Span("c\nd", "bad"), [Span("e"), Span("f")])]) == "a\\tb\tc\\nd\tef\n"


def test_lines_of_one_key_are_complete_and_stable() -> None:
    place = (Placement("env", "/srv/app/.env", "ROUTIC_API_KEY"), "current")

    assert key_lines(ROTATED, [place], NOW).splitlines() == [
        "name:\tprod",
        "id:\tkey_0h7tq9x2m4n5p6r7",
        "status:\tactive",
        "hint:\tsk-AbC2…WxYz",
        "version:\t2",
        "created_at:\t2026-08-22T14:13:20Z",
        "expires_at:\t2026-12-17T14:13:20Z",
        "last_used_at:\t2026-09-21T14:12:20Z",
        "scopes:\tapi usage:read",
        "tags:\tenv=prod team=core",
        "rpm:\t600",
        "revoked_at:\t",
        "revoke_reason:\t",
        "usage_since:\t",
        "versions:\t1\tretiring\tsk-AbC1…WxYz\t2026-08-22T14:13:20Z\t2026-09-21T15:13:20Z\t",
        "versions:\t2\tcurrent\tsk-AbC2…WxYz\t2026-08-22T14:13:20Z\t\t",
        "placement:\tenv\t/srv/app/.env\tROUTIC_API_KEY\tcurrent",
    ]


def test_the_panel_shows_the_versions_of_a_rotated_key_newest_first() -> None:
    panel = key_panel(ROTATED, [], NOW, PLAIN)

    assert "Versions\n" in panel
    assert panel.index("2        current") < panel.index("1        retiring")
    assert "in 1 hour" in panel
    assert "Limit      600 requests per minute\n" in panel
    assert "Expires    in 87 days    2026-12-17T14:13:20Z\n" in panel
    assert "Placements" not in panel


def test_the_panel_of_a_revoked_key_says_when_and_why() -> None:
    panel = key_panel(REVOKED, [], NOW, PLAIN)

    assert "Revoked    24 hours ago  2026-09-20T14:13:20Z\n" in panel
    assert "Reason     leaked\\tin a log\n" in panel
    assert "Versions" not in panel
    assert "Last used  unknown\n" in panel


def test_the_caution_colour_warns_in_the_last_week_only() -> None:
    def table(days: int) -> str:
        soon = Key(ROTATED.id, KeyTraits("k", expires_at=NOW + days * DAY), KeyStatus.ACTIVE, (version(1),), NOW)
        return keys_table([soon], NOW, COLOURED)

    assert "\x1b[33min 7 days\x1b[0m" in table(7)
    assert "\x1b[33m" not in table(8)


def test_pairs_for_a_script_have_names_that_are_one_word() -> None:
    assert (
        pair_lines([("Last used", "never"), ("Name", Span("x\x1b", "strong"))]) == "last_used:\tnever\nname:\tx\\x1b\n"
    )


def test_values_are_aligned_and_fold_beside_their_names() -> None:
    assert describe([("A", "1"), ("Long", "word " * 4 + "end")], PLAIN._replace(width=30)) == (
        "A     1\nLong  word word word word end\n"
    )
    assert describe([("Long", "word " * 5 + "end")], PLAIN._replace(width=28)) == (
        "Long  word word word word\n      word end\n"
    )


def test_the_last_column_folds_and_narrow_rows_become_blocks() -> None:
    rows = [("tracked", "word " * 5 + "end"), ("other", "")]

    assert simple_table(["rule", "finding"], rows, PLAIN._replace(width=30)) == (
        "RULE     FINDING\ntracked  word word word word\n         word end\nother\n"
    )
    assert simple_table(["rule", "finding"], [("t" * 20, "word " * 5 + "end")], PLAIN._replace(width=30)) == (
        f"Rule     {'t' * 20}\nFinding  word word word word\n         word end\n"
    )


@given(st.text("ab -_数é", max_size=80), st.integers(2, 40))
def test_folding_keeps_to_the_width_and_loses_nothing_but_the_spaces_it_breaks_at(text: str, width: int) -> None:
    lines = fold([Span(text)], width)

    assert all(line_columns(line) <= width for line in lines)
    joined = "".join(span.text for line in lines for span in line)
    assert joined.replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.tuples(st.text("ab数-", max_size=9), st.sampled_from(["", "dim", "bad"])), max_size=5))
def test_folding_keeps_the_style_of_every_character(pieces: list[tuple[str, str]]) -> None:
    line = [Span(text, style) for text, style in pieces]

    folded = [(char, span.style) for part in fold(line, 7) for span in part for char in span.text]

    assert folded == [(char, style) for text, style in pieces for char in text]


def test_east_asian_characters_take_two_columns() -> None:
    assert columns_of("数a") == 3
