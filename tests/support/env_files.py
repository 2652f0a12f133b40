"""The `.env` sink, and a process of its own that uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import routic_cli
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.delivery.verdict import SafetyVerdict
from routic_cli.domain.secret import Secret

SECRET = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcd12"


OTHER = "sk-OTHERabcdefghijABCDEFGHIJ0123456789abcdefgh34"


ACTOR = Path(__file__).parents[1] / "e2e/env_file_actor.py"


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(routic_cli.__file__).parents[1])}


NOBODY = 65534


def safe(path: Path, _variable: str) -> SafetyVerdict:
    return SafetyVerdict(path, ())


def sink_for(path: Path, variable: str = "K", **options: Any) -> EnvFileSink:
    return EnvFileSink(path, variable, **{"judge": safe, "staging_token": "token", **options})


def deliver(path: Path, variable: str = "K", secret: str = SECRET, **options: Any) -> EnvFileSink:
    sink = sink_for(path, variable, **options)
    sink.preflight()
    sink.prepare(Secret(secret))
    sink.commit()
    return sink


def act(*arguments: object, **options: Any) -> list[Any]:
    command = [sys.executable, str(ACTOR), *map(str, arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True, text=True).stdout


def committable(repository: Path) -> str:
    return git(repository, "status", "--porcelain", "--untracked-files=all", "--ignored=no")


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())
