"""The lines of docs/admin-api.md, pasted in their order into a shell beside a real `routic serve`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

from tests.support.gateways import routic_serve
from tests.support.sandbox import SECRET, Sandbox

PAGE: Final = (Path(__file__).parents[2] / "docs/admin-api.md").read_text()
BLOCKS: Final = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
_HOME: Final = "http://127.0.0.1:8787/"


def test_every_example_works_when_they_are_pasted_in_their_order(sandbox: Sandbox) -> None:
    assert shutil.which("curl"), "the page is for people with curl"
    token = sandbox.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    with routic_serve(sandbox) as serving:
        prologue, *examples = BLOCKS
        assert _HOME in prologue
        script = "\n".join(
            [
                "shopt -s expand_aliases",
                prologue.replace(_HOME, f"{serving.url}/"),
                "alias api=\"${BASH_ALIASES[api]} --fail-with-body -w '\\n'\"",
                *examples,
            ]
        )
        # Line by line from a file, as it is pasted: an alias counts from the next line on.
        (sandbox.cwd / "examples.sh").write_text(script)
        (sandbox.cwd / "typed").write_text(f"{token}\n")
        done = sandbox.shell(". ./examples.sh < typed", interpreter=("bash", "-e", "-u", "-c"))

    assert done.code == 0, done.out + done.err
    replies: list[Any] = [json.loads(line) for line in done.out.splitlines() if line]
    assert len(replies) == sum(len(re.findall(r"^api ", block, re.MULTILINE)) for block in examples)
    assert not [reply for reply in replies if "error" in reply]
    minted, *rest = replies
    assert SECRET.fullmatch(minted["value"])
    assert not SECRET.search(json.dumps(rest))
    assert token not in done.out + done.err
    ended = {key["name"]: key["status"] for key in sandbox.ok("keys", "list", "--all", "--json").data["data"]}
    assert ended == {"nightly": "revoked", "ops": "active", "prod-backend": "active", "prod-worker": "revoked"}
