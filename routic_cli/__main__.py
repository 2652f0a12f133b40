"""`routic` and `python -m routic_cli`: what has to be right before anything else is imported."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from routic_cli import __version__
from routic_cli.process import forbid_core_dumps


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code."""
    # In the C locale Python takes UTF-8 arguments for surrogates; names are UTF-8 wherever they are typed.
    arguments = [
        os.fsencode(each).decode("utf-8", "surrogateescape") for each in (sys.argv[1:] if argv is None else argv)
    ]
    _occupy_closed_descriptors()
    forbid_core_dumps()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until there is something to undo, an interrupt just ends the process: no traceback of our imports.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if arguments == ["--version"]:  # before Typer, which takes longer than the answer
        return _print_version()
    if arguments[:1] == ["export"]:
        from routic_cli.quick import try_export

        code = try_export(arguments[1:])
        if code is not None:
            return code
    from routic_cli.app import run

    return run(arguments)


def _occupy_closed_descriptors() -> None:
    """Put the null device, opened the wrong way round, where a standard stream is closed.

    The next file to be opened, a store perhaps, would become standard output otherwise, and be printed into. This way
    each use fails with EBADF, as it should.
    """
    for descriptor, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number, which is this one; a child such as git must find it in place, too.
            os.set_inheritable(os.open(os.devnull, flags), True)


def _print_version() -> int:
    try:
        os.write(1, f"routic {__version__}\n".encode())
    except OSError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
