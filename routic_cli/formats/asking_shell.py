"""Which shell asks. It costs one read of /proc on Linux, and one `ps` elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_PS: Final = "/bin/ps"
_FORMAT_OF_PROGRAM: Final = {
    **dict.fromkeys(("sh", "ash", "bash", "busybox", "dash", "ksh", "ksh93", "mksh", "rbash", "yash", "zsh"), "sh"),
    "fish": "fish",
    "pwsh": "powershell",
    "powershell": "powershell",
    "cmd": "cmd",
    "nu": "nushell",
}


def detect(environ: Mapping[str, str], parent_process_name: Callable[[], str | None]) -> str:
    """The name of the format for the shell that asks; `sh` when nothing says.

    The process that started us knows best. Variables are inherited through any number of other shells and can only
    guess: NU_VERSION is exported by nushell alone, SHELL is the login shell (Git Bash sets it on Windows too). Without
    it we are on Windows, where PSModulePath is set for all, and PROMPT by cmd for its children.
    """
    told = _format_of(parent_process_name() or "")
    if told:
        return told
    if "NU_VERSION" in environ:
        return "nushell"
    if "SHELL" in environ:
        return _format_of(environ["SHELL"]) or "sh"
    if "PSModulePath" in environ:
        return "cmd" if "PROMPT" in environ else "powershell"
    return "sh"


def parent_process_name() -> str | None:
    """The program that started this one, as a path or a name; None when the system does not say."""
    parent = os.getppid()
    return _from_proc(Path("/proc") / str(parent)) or _from_ps(parent)


def _from_proc(process: Path) -> str | None:
    try:
        # Before `comm`, which has the script's name when the parent runs one that begins with `#!/bin/bash`.
        return str((process / "exe").readlink()).removesuffix(" (deleted)")
    except OSError:
        pass  # another user's process: its `comm` is open to all
    try:
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:
        return None


def _from_ps(parent: int) -> str | None:
    if not os.access(_PS, os.X_OK):
        return None
    import subprocess

    try:
        answer = subprocess.run(
            [_PS, "-o", "comm=", "-p", str(parent)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=2,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _format_of(program: str) -> str | None:
    """`-zsh`, `/usr/bin/zsh` and `C:\\…\\PWSH.EXE` are programs too."""
    name = program.replace("\\", "/").rsplit("/", 1)[-1]
    return _FORMAT_OF_PROGRAM.get(name.removeprefix("-").lower().removesuffix(".exe"))
