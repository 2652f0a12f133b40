"""Whatever is typed: a local file and the server of that file end with the same code and say the same words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.both_sides import NOW, Side, Step, both_sides
from tests.support.sandbox import Done

DAY: Final = 86_400
UNKNOWN: Final = "sk-000000000000000000000000000000000000000"


def record(name: str, number: int, **more: object) -> str:
    """A line of an import, with an id that is told by its number, from the time before routic."""
    at = NOW - (100 - number) * DAY
    told = {"id": f"key_0000aaaa0000000{number}", "name": name, "sha256": f"{number:064x}", "created_at": at}
    return json.dumps(told | {"tags": {"from": "elsewhere"}} | more) + "\n"


IMPORTED: Final = (
    record("old-one", 1, hint="sk-AAAA…zzzz", limits={"rpm": 10})
    + record("old-two", 2, expires_at=NOW + 3 * DAY)
    + record("old-three", 3, scopes=["keys:read"])
)

CREATING: Final = (
    Step("keys list"),
    Step("keys create --name web --expires 90d --tag env=prod --tag team=core --rpm 60 --json", learns="web"),
    Step("keys create --name worker", learns="worker"),
    Step("keys show worker --json", learns="worker"),
    Step("keys create --name reader --scope keys:read --scope keys:write --fields id,scopes", learns="reader"),
    Step("keys create --name filed --env-file .env --json", learns="filed"),
    Step("keys create --name shown --env-file .env.shown --var SHOWN --show", learns="shown"),
    Step("keys create --name maybe --dry-run"),
    Step("keys create --name quiet --quiet --expires 2099-01-01", learns="quiet"),
    Step("keys create --name web", 5),
    Step("keys create --name x --rpm 0", 2),
    Step(f"keys create --name x --tag a={'b' * 300}", 2),
    Step("keys create --name x --env-file app.py", 6),
)

IMPORTING: Final = (
    Step("keys import --from keys.jsonl --dry-run", files={"keys.jsonl": IMPORTED}),
    Step("keys import --from keys.jsonl"),
    Step("keys import --from keys.jsonl"),
    Step("keys import --from -", 8, record("web", 4) + record("old-five", 5)),
    Step("keys import --from - --json", 8, record("old-six", 6) + "no JSON\n" + record("bad name", 7)),
    Step("keys import --from - --json", 2, record("other", 1, sha256="f" * 64)),
    Step(
        "keys import --name legacy --tag from=vault --rpm 5 --expires 30d --scope usage:read",
        0,
        "hunter2-hunter2-hunter2\n",
    ),
    Step("keys import --name legacy-json --json", 0, "another-old-secret-of-ours\n", learns="legacy-json"),
    Step("keys import --name legacy", 5, "hunter2-hunter2-hunter2\n"),
    Step("keys import --name legacy", 5, "something-else-entirely\n"),
    Step("keys import --name again --json", 5, "{worker.secret}\n"),
    Step("keys import --name trial --dry-run", 0, "yet-another-old-secret\n"),
)

READING: Final = (
    Step("keys list --json"),
    Step("keys list --fields name,status,limits,tags,expires_at"),
    Step("keys list --status revoked"),
    Step("keys list --name '[abw]*' --json"),
    Step("keys list --tag env=prod --json"),
    Step("keys list --unused 30d"),
    Step("keys list --name used --sort -last_used_at"),
    Step("keys show used"),
    Step("keys list --unused 1d --expiring 7d"),
    Step("keys list --expiring 91d --sort expires_at --fields name,expires_at"),
    Step("keys list --tag from=elsewhere --sort created_at"),
    Step("keys list --tag from=elsewhere --sort -created_at --limit 2"),
    Step("keys show web"),
    Step("keys show web --json"),
    Step("keys show filed"),
    Step("keys show key_0000aaaa --json", 5),
    Step("keys show wbe --json", 3),
    Step("keys show 'sk-AAAA…zzzz'", 2),
    Step("keys show {web.secret}", 2),
    Step("keys show 'wéb/../?#%20'", 3),
)

CHANGING: Final = (
    Step("keys rename web api"),
    Step("keys rename {web.id} web --json"),
    Step("keys rename web worker --json", 5),
    Step("keys rename nobody somebody", 3),
    Step("keys rename worker wörker"),
    Step("keys rename wörker worker"),
    Step("keys update web --expires 10d --rpm 5 --tag team=edge --untag env"),
    Step("keys update web --expires never --rpm none --json"),
    Step("keys update web --rpm none"),
    Step("keys update nobody --rpm 5 --json", 3),
)

VERIFYING: Final = (
    Step("keys verify", 0, "{web.secret}\n"),
    Step("keys verify --json", 0, "{worker.secret}\n"),
    Step("keys verify --json", 3, "sk-none\n"),
    Step("keys verify --json", 3, "an-unknown-secret-of-somebody\n"),
)

ROTATING: Final = (
    Step("rotate worker --dry-run"),
    Step("rotate worker --grace 2h", learns="worker2"),
    Step("keys verify --json", 0, "{worker2.secret}\n"),
    Step("rotate worker --status --json"),
    Step("keys show worker"),
    Step("rotate worker --finish --yes"),
    Step("rotate worker --finish --yes", 5),
    Step("keys verify", 9, "{worker.secret}\n"),
    Step("rotate worker --abort --yes", 5),
    Step("rotate filed"),
    Step("rotate filed --status"),
    Step("rotate filed --abort --yes"),
    Step("rotate filed --grace 1h --yes"),
    Step("rotate filed --finish --yes --json"),
    Step("rotate web --now --yes --json"),
    Step("rotate web --grace 0s --env-file .env.web --yes"),
    Step("rotate web --env-file app.py", 6),
    Step("rotate used --grace 2h"),
    Step("rotate used --status"),
    Step("rotate key_0000aaaa", 5),
    Step("rotate old-three --wait 5s"),
)

REVOKING: Final = (
    Step("keys revoke shown --json", 2),
    Step("keys revoke shown --dry-run"),
    Step("keys revoke shown --reason 'laptop stolen' --yes"),
    Step("keys revoke shown --reason 'again' --yes"),
    Step("keys revoke shown --yes --json"),
    Step("keys verify --json", 9, "{shown.secret}\n"),
    Step("keys show shown"),
    Step("keys show shown --json"),
    Step("keys revoke quiet {reader.id} key_0000aaaa00000001 --yes --reason audit"),
    Step("keys revoke quiet old-two --yes --json"),
    Step("keys revoke legacy nobody --yes --json", 8),
    Step("keys revoke nobody --yes --json", 3),
    Step("keys revoke key_0000aaaa --yes", 5),
    Step("keys revoke legacy --yes --wait 5s"),
    Step("keys revoke used --dry-run"),
    Step(f"keys revoke filed --yes --reason '{'why ' * 200}'", 2),
    Step("keys update shown --rpm 5", 5),
    Step("rotate shown", 5),
    Step("rotate shown --status"),
    Step("keys list --all"),
    Step("keys list --status revoked --tag from=elsewhere"),
    # From here on two keys have had one name: a list would have them in the order of their ids, which are random.
    Step("keys create --name shown --json", learns="shown2"),
    Step("keys revoke shown --yes --reason 'the second of that name'"),
    Step("keys show shown --fields id,status,revoke_reason"),
    Step("keys import --name x", 5, "{shown.secret}\n"),
    Step("env check", 9),
)

SCRIPT: Final = CREATING + IMPORTING + READING + CHANGING + VERIFYING + ROTATING + REVOKING


@dataclass(frozen=True, slots=True)
class Played:
    """What was said, step by step, and the files that were left in the working directory."""

    said: list[Done]
    files: dict[str, str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Played]:
    """The whole script on a file, and beside it through a server."""
    root = tmp_path_factory.mktemp("both")

    def play(side: Side) -> Played:
        said = side.play(SCRIPT)
        left = sorted(path for path in side.sandbox.cwd.iterdir() if path.is_file())
        return Played(said, {path.name: side.plain(path.read_text()) for path in left})

    with both_sides(root) as (file, remote), ThreadPoolExecutor() as pool:
        mine, theirs = pool.map(play, (file, remote))
        return mine, theirs


@pytest.mark.parametrize("number", range(len(SCRIPT)), ids=[f"{n:03d} {step}" for n, step in enumerate(SCRIPT)])
def test_a_command_line_ends_and_says_the_same_on_a_file_and_through_a_server(
    both: tuple[Played, Played], number: int
) -> None:
    file, server = (side.said[number] for side in both)
    assert (file.code, file.err if file.code != SCRIPT[number].code else "") == (SCRIPT[number].code, "")
    assert server == file


def test_the_same_files_are_left_with_the_same_in_them(both: tuple[Played, Played]) -> None:
    file, server = both
    assert {".env", ".env.shown", ".env.web"} <= set(file.files)
    assert server.files == file.files
