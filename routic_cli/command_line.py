"""What Typer is taught here: commands loaded when they run, global options before and after them, plain help."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import typer
from typer._click.core import Command, Context, Parameter  # Typer carries its own click and exports none of these
from typer._click.formatting import HelpFormatter
from typer.core import TyperCommand, TyperGroup, TyperOption

from routic_cli import __version__
from routic_cli.config import Flags
from routic_cli.output.help import HelpContext
from routic_cli.session import Session


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the command table: the words that are typed, the module whose `run` does it, one line of help."""

    words: tuple[str, ...]
    module: str
    summary: str


class RouticCommand(TyperCommand):
    """A command with the global options beside its own, and our help."""

    context_class = HelpContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *global_options()]

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Required arguments bare, as gh writes them: Typer's braces look like a choice."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Arguments, the command's own options, then what every command takes."""
        _write_options(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:
        """The examples as they are written, not refilled."""
        del ctx
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.strip().splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class LazyCommand(TyperCommand):
    """Stands in the table for a command whose module is imported only when it is called or asked for help."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(name=entry.words[-1], help=entry.summary)
        self._entry = entry

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        """Load the command; the context is the real one's, so that it is what gets invoked."""
        return load(self._entry).make_context(info_name, args, parent, **extra)


class RouticGroup(TyperGroup):
    """Commands under a word; shows its help when it is called alone, as gh does."""

    context_class = HelpContext

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name=name, help=summary, rich_markup_mode=None)
        self.params = [*self.params, *global_options()]

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """The commands first: they are what one looks for here."""
        self.format_commands(ctx, formatter)
        _write_options(self.get_params(ctx), ctx, formatter)

    def invoke(self, ctx: Context) -> Any:
        """The chosen command, or this group's help where there is none."""
        if ctx._protected_args:  # noqa: SLF001  # click's way to say that a command follows
            return super().invoke(ctx)
        session_of(ctx).console.data(ctx.get_help() + "\n")
        return 0


def _write_options(parameters: Sequence[Parameter], ctx: Context, formatter: HelpFormatter) -> None:
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Global options": []}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None:
            shared = parameter.name in _GLOBAL_NAMES
            title = "Global options" if shared else f"{parameter.param_type_name.capitalize()}s"
            sections[title].append(record)
    for title, records in sections.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def build(name: str, summary: str, groups: dict[str, str], entries: Sequence[Entry]) -> RouticGroup:
    """The tree of commands that the table describes; `groups` has one line of help for each word above commands."""
    root = RouticGroup(name, summary)
    root.params = [*root.params, *typer.main.get_install_completion_arguments()]
    for word, text in groups.items():
        root.add_command(RouticGroup(word, text))
    for entry in entries:
        parent = root
        for word in entry.words[:-1]:
            parent = cast("RouticGroup", parent.commands[word])
        parent.add_command(LazyCommand(entry))
    return root


def load(entry: Entry) -> Command:
    """The real command of an entry: its module's `run`, with `EXAMPLES` below the help."""
    module = importlib.import_module(entry.module)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    epilog = getattr(module, "EXAMPLES", None)
    cls = getattr(module, "COMMAND", RouticCommand)
    app.command(entry.words[-1], cls=cls, short_help=entry.summary, epilog=epilog)(module.run)
    return typer.main.get_command(app)


def session_of(ctx: Context) -> Session:
    """The session of this run."""
    return cast("Session", ctx.find_root().obj)


_GLOBAL_NAMES: Final = frozenset({"store", "profile", "json", "fields", "quiet", "no_input", "version", "help"})


def global_options() -> list[Parameter]:
    """New copies of the options that every command takes, wherever they stand on the line."""

    def text(flag: str, metavar: str, help_text: str) -> TyperOption:
        return TyperOption(
            param_decls=[f"--{flag}"], metavar=metavar, help=help_text, expose_value=False, callback=_remember(flag)
        )

    def switch(flag: str, help_text: str, *more: str) -> TyperOption:
        return TyperOption(
            param_decls=[f"--{flag}", *more],
            is_flag=True,
            default=False,
            help=help_text,
            expose_value=False,
            callback=_remember(flag),
        )

    version = TyperOption(
        param_decls=["--version"],
        is_flag=True,
        default=False,
        is_eager=True,
        help="Print the version.",
        expose_value=False,
        callback=_print_version,
    )
    return [
        text("store", "URL", "The store of keys: a path, sqlite:///relative.db, or https://HOST."),
        text("profile", "NAME", "The profile of the configuration to use."),
        switch("json", "Data and errors as JSON."),
        text("fields", "F,…", "Only these fields, as JSON."),
        switch("quiet", "No success messages and notices.", "-q"),
        switch("no-input", "Never ask."),
        version,
    ]


def _remember(flag: str) -> Callable[[Context, Parameter, Any], Any]:
    attribute = flag.replace("-", "_")

    def callback(ctx: Context, parameter: Parameter, value: Any) -> Any:
        del parameter
        session = ctx.find_root().obj
        if value not in {None, False} and isinstance(session, Session):
            setattr(session.flags, attribute, value)
        return value

    return callback


def _print_version(ctx: Context, parameter: Parameter, value: Any) -> Any:
    del parameter
    if value and not ctx.resilient_parsing:
        Session(Flags()).console.data(f"routic {__version__}\n")
        ctx.exit()
    return value
