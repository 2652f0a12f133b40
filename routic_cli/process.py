"""What this process must not leave behind, and what it gives back before it becomes another program."""

from __future__ import annotations

import signal
import sys

_core_limit: list[tuple[int, int]] = []


def forbid_core_dumps() -> None:
    """A core dump would have the secret in it."""
    if sys.platform != "win32":
        import resource

        before = resource.getrlimit(resource.RLIMIT_CORE)
        _core_limit.append(before)
        resource.setrlimit(resource.RLIMIT_CORE, (0, before[1]))


def become_ordinary() -> None:
    """Undo, right before an exec, what the child would inherit: our core limit, and Python's deafness to SIGPIPE."""
    if sys.platform != "win32":
        import resource

        if _core_limit:
            resource.setrlimit(resource.RLIMIT_CORE, _core_limit[0])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
