"""The command table, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import typer
from typer.exceptions import TyperException

from routic_cli.command_line import Entry, build
from routic_cli.domain.errors import InterruptedByUserError, InvalidRequestError, RouticError, SecretInArgumentError
from routic_cli.domain.key_format import contains_secret_shape
from routic_cli.output.console import ReaderGoneError
from routic_cli.session import Session

RUN_FAILED: Final = 125  # of env, timeout and docker run: the wrapper itself, not the command, failed

SUMMARY: Final = "Administer the API keys of an LLM gateway."

GROUPS: Final = {
    "keys": "Create, list, change, revoke and import keys.",
    "env": "Keep secrets in .env files, and out of git.",
    "account": "The balance that keys share, and how many there are.",
    "auth": "The credential for a store behind an admin API.",
    "usage": "Who used which key, from where, and who should not have.",
    "config": "Profiles and settings, and where each comes from.",
}

COMMANDS: Final = (
    Entry(("keys", "create"), "routic_cli.commands.keys.create", "Mint a key, deliver it once, register it."),
    Entry(("keys", "list"), "routic_cli.commands.keys.list", "List keys; the live ones unless told otherwise."),
    Entry(("keys", "show"), "routic_cli.commands.keys.show", "Show one key, its versions and where it is."),
    Entry(("keys", "rename"), "routic_cli.commands.keys.rename", "Give a key another name."),
    Entry(("keys", "update"), "routic_cli.commands.keys.update", "Change a key's end, limit or tags."),
    Entry(("keys", "revoke"), "routic_cli.commands.keys.revoke", "End keys, at once and for good."),
    Entry(("keys", "verify"), "routic_cli.commands.keys.verify", "Say what a secret is, and whether it is let in."),
    Entry(("keys", "import"), "routic_cli.commands.keys.import_", "Adopt keys that were minted elsewhere."),
    Entry(("keys", "rotate"), "routic_cli.commands.rotate", "The same as routic rotate."),
    Entry(("rotate",), "routic_cli.commands.rotate", "Give a key its next version, and let the old one retire."),
    Entry(("export",), "routic_cli.commands.export", "Print keys as a shell, CI or a service reads them."),
    Entry(("run",), "routic_cli.commands.run", "Run a command with keys in its environment."),
    Entry(("scan",), "routic_cli.commands.scan", "Find our keys in files and in git history."),
    Entry(("serve",), "routic_cli.commands.serve", "Serve the admin API and the auth endpoint of a gateway."),
    Entry(("doctor",), "routic_cli.commands.doctor", "Say what is wrong on this machine, and how to mend it."),
    Entry(("env", "check"), "routic_cli.commands.env.check", "Say whether a file is a safe place for a secret."),
    Entry(("account", "show"), "routic_cli.commands.account.show", "Show what is left of the balance, and the keys."),
    Entry(("account", "set"), "routic_cli.commands.account.set", "Set the balance, or the currency of amounts."),
    Entry(("auth", "login"), "routic_cli.commands.auth.login", "Keep the credential of a remote store in the keyring."),
    Entry(("auth", "logout"), "routic_cli.commands.auth.logout", "Remove the credential of a remote store."),
    Entry(("auth", "status"), "routic_cli.commands.auth.status", "Say whose credential is used, and if it works."),
    Entry(("usage", "show"), "routic_cli.commands.usage.show", "Show who called how often, and at what cost."),
    Entry(("usage", "audit"), "routic_cli.commands.usage.audit", "Find calls that should not be there."),
    Entry(("usage", "report"), "routic_cli.commands.usage.report", "Write a page with charts of who used which key."),
    Entry(("usage", "import"), "routic_cli.commands.usage.import_", "Read logs of gateways into the usage log."),
    Entry(("usage", "log"), "routic_cli.commands.usage.log", "Show single calls, the latest last."),
    Entry(("usage", "prune"), "routic_cli.commands.usage.prune", "Forget the calls of long ago."),
    Entry(("config", "list"), "routic_cli.commands.config.list", "List the settings and where each comes from."),
    Entry(("config", "get"), "routic_cli.commands.config.get", "Print the value of a setting."),
    Entry(("config", "set"), "routic_cli.commands.config.set", "Write a setting into the configuration file."),
    Entry(("config", "unset"), "routic_cli.commands.config.unset", "Remove a setting from the configuration file."),
    Entry(("config", "path"), "routic_cli.commands.config.path", "Print where the configuration file is."),
)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    session = Session()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _refuse_secrets(arguments)
        root = build("routic", SUMMARY, GROUPS, COMMANDS)
        code = root.main(list(arguments), prog_name="routic", standalone_mode=False, obj=session)
        if code == InterruptedByUserError.exit_code:  # Typer's translation of KeyboardInterrupt
            raise InterruptedByUserError("Interrupted")
    except ReaderGoneError:
        return _die_of_broken_pipe()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the last resort: its text may hold a secret
        return _fail(session, _translated(error), arguments)
    finally:
        session.close()
    return code if isinstance(code, int) else 0


def _translated(error: BaseException) -> RouticError:
    if isinstance(error, RouticError):
        return error
    if isinstance(error, TyperException):
        return _usage_error(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return InterruptedByUserError("Interrupted")
    if isinstance(error, FileNotFoundError) and not _has_current_folder():
        return RouticError("The current folder has been removed", not_done="Nothing was done", remedy="cd")
    return _internal_error(error)


def _has_current_folder() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _refuse_secrets(arguments: Sequence[str]) -> None:
    if any(contains_secret_shape(argument) for argument in arguments):
        raise SecretInArgumentError(
            "An argument has the shape of a key",
            why="Arguments are seen by every user of this machine, and your shell's history keeps them",
            not_done="Nothing was done",
            remedy="the same command without it: keys are read from standard input or a hidden prompt. If it is a real"
            " key, revoke it",
        )


def _fail(session: Session, error: RouticError, arguments: Sequence[str]) -> int:
    # A line that could not be parsed may not have got as far as its --json.
    as_json = session.wants_json or any(a == "--json" or a.startswith("--fields") for a in arguments)
    error.remedy = session.with_its_flags(error.remedy)
    if isinstance(error, InvalidRequestError) and not error.not_done:
        error.not_done = "Nothing was done"
    command = _command_word(arguments)
    if command == "export":
        from routic_cli.commands.exporting import failing_text

        with suppress(RouticError, ReaderGoneError):  # there is an error to tell already
            session.console.data(failing_text(arguments))
    session.console.error(error, as_json=as_json)
    if command == "run" and not isinstance(error, SecretInArgumentError | InterruptedByUserError):
        return RUN_FAILED
    return error.exit_code


def _command_word(arguments: Sequence[str]) -> str:
    """The first word that is neither a global option nor its value."""
    words = iter(arguments)
    for word in words:
        if word in {"--store", "--profile", "--fields"}:
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""


def _usage_error(error: TyperException) -> InvalidRequestError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "routic"
    return InvalidRequestError(error.format_message().rstrip("."), not_done="Nothing was done", remedy=f"{path} --help")


def _internal_error(error: BaseException) -> RouticError:
    """Where it happened and of which type; never the text of the exception, which may quote what it choked on."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "routic_cli" in f.filename), frames[-1])
    return RouticError(
        f"Internal error: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}",
        why="This is a mistake in routic, not in what you typed",
        remedy="routic keys list --all, to see what holds now, and report the line above",
    )


def _die_of_broken_pipe() -> int:
    """End as other programs do when `head` has seen enough: by SIGPIPE, silently."""
    if sys.platform != "win32":
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    return 1
