"""`python -m tests.bench.bench_revoke_from [KEYS]`: a report with so many keys of ours, on a file, through a server."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from routic_cli.domain.minting import mint_key_id, mint_secret
from tests.bench.timing import seconds
from tests.support.gateways import routic_serve
from tests.support.sandbox import ROUTIC, Sandbox

_KEYS = 10_000


def main(count: int) -> None:
    for remote in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            server = Sandbox(Path(folder) / "server", measured=False)
            _stock(server, count)
            if not remote:
                _measure("on a file", server, server.environ)
                continue
            token = server.ok("keys", "create", "--name", "ci", "--scope", "keys:revoke").secret
            with routic_serve(server) as serving:
                _measure(
                    "through a server", server, server.environ | {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
                )


def _measure(where: str, sandbox: Sandbox, env: dict[str, str]) -> None:
    command = [str(ROUTIC), "keys", "revoke", "--from", "report.json"]
    for name, more in (("dry run", ["--dry-run"]), ("revoking", ["--yes"]), ("again", ["--yes"])):
        took = seconds([*command, *more], env=env, cwd=sandbox.cwd)
        print(f"{where:<18} {name:<10} {took:7.2f} s")


def _stock(sandbox: Sandbox, count: int) -> None:
    """The keys in the store, and a report of gitleaks in which each stands twice, among others' secrets."""
    now = int(time.time())
    report, lines = [], []
    for n in range(count):
        secret = mint_secret()
        record = {"id": mint_key_id(), "name": f"service-{n}", "sha256": secret.fingerprint, "hint": secret.hint}
        lines.append(json.dumps(record | {"created_at": now}))
        report += [_finding(secret.reveal(), n), _finding(secret.reveal(), n + 1), _finding(f"hunter{n}", n)]
    (sandbox.cwd / "keys.jsonl").write_text("\n".join(lines))
    (sandbox.cwd / "report.json").write_text(json.dumps(report, indent=1))
    sandbox.ok("keys", "import", "--from", "keys.jsonl")


def _finding(secret: str, line: int) -> dict[str, object]:
    return {
        "RuleID": "routic-api-key",
        "Description": "Routic API key",
        "StartLine": line,
        "EndLine": line,
        "StartColumn": 1,
        "EndColumn": 48,
        "Match": f'key = "{secret}"',
        "Secret": secret,
        "File": "config.py",
        "SymlinkFile": "",
        "Commit": "66e160ecb971f3a9552a19180824dfae7ce21234",
        "Entropy": 5.05,
        "Author": "Ada",
        "Email": "ada@example.org",
        "Date": "2026-10-12T09:30:00Z",
        "Message": "Begin",
        "Tags": [],
        "Fingerprint": "66e160ecb971f3a9552a19180824dfae7ce21234:config.py:routic-api-key:1",
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _KEYS)
