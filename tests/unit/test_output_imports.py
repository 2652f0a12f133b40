"""What a script waits for: the output room costs a pipe nothing that only a terminal needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_KEY = """
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyTraits, KeyVersion
from routic_cli.domain.secret import Fingerprint
version = KeyVersion(1, Fingerprint("0" * 64), "sk-AbCd…WxYz", 0)
key = Key(KeyId("key_" + "0" * 16), KeyTraits("数据"), KeyStatus.ACTIVE, (version,), 0)
"""


_PRINT_KEYS = """
from routic_cli.output.console import Console
from routic_cli.output.tables import print_keys
print_keys(Console(), [key], 0)
"""

_PRINT_KEY = """
from routic_cli.output.console import Console
from routic_cli.output.panel import print_key
print_key(Console(), key, [], 0)
"""

_SHORT_WORK = """
from routic_cli.output.console import Console
from routic_cli.output.progress import progress
with progress(Console(), "Reading", 10) as bar:
    bar.advance(10)
"""


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import routic_cli.output.console", ["rich", "dataclasses", "inspect", "json", "typer", "getpass"]),
        ("import routic_cli.output.json_out", ["rich", "dataclasses", "inspect", "typer", "getpass"]),
        (_KEY + _PRINT_KEYS, ["rich", "typer", "json"]),
        (_KEY + _PRINT_KEY, ["rich", "typer", "json"]),
        ("import routic_cli.output.help", ["rich"]),
        (_SHORT_WORK, ["rich"]),
    ],
    ids=["console", "json", "keys in a pipe", "a key in a pipe", "help", "short work"],
)
def test_is_not_imported(code: str, absent: list[str]) -> None:
    check = f"{code}\nimport sys\nsys.stderr.write(' '.join(set({absent!r}) & set(sys.modules)))"

    # A measured child would have imported what the measuring needs.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, env=env)

    assert answer.stderr == ""
