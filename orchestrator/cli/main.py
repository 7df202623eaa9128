"""The front door: the root command, and the one table from errors to exit codes."""

import gc
import gettext
import importlib
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import click
import click.shell_completion

from orchestrator import __version__
from orchestrator.cli.context import EXIT_CODES, Context, ExitCode
from orchestrator.model import errors
from orchestrator.model.i18n import _, language
from orchestrator.model.text import visible

PROGRAM = "luytre"
LOCALES = Path(__file__).resolve().parent.parent / "locales"


class Door(NamedTuple):
    """One subcommand: where it lives, and its help without importing it."""

    module: str
    attribute: str
    help: str


def _later(message: str) -> str:
    """Mark ``message`` for the catalogue; it is translated when it is shown."""
    return message


DOORS: Mapping[str, Door] = {
    "init": Door("init", "command", _later("Make a workspace: settings, inventory, store.")),
    "lab": Door("lab", "group", _later("Throwaway Debian hosts for rehearsal.")),
    "inventory": Door("inventory", "group", _later("Show and check the servers; pin host keys.")),
    "baseline": Door("baseline", "group", _later("Show and check controls and profiles.")),
    "status": Door("status", "command", _later("What matters now, and what to do first.")),
    "audit": Door("audit", "command", _later("Compare servers with the baseline, changing none.")),
    "drift": Door("drift", "group", _later("What changed since the audits before.")),
    "plan": Door("plan", "command", _later("Work out the changes that apply would make.")),
    "apply": Door("apply", "command", _later("Make changes; what locks you out is taken back.")),
    "rollback": Door("rollback", "command", _later("Take back a run, or every run on a server.")),
    "patch": Door("patch", "group", _later("Install the updates that wait; take them back.")),
    "backup": Door("backup", "group", _later("Back servers up to an append-only vault.")),
    "intrusion": Door(
        "intrusion", "group", _later("What servers saw of intruders; changed files.")
    ),
    "antivirus": Door("antivirus", "group", _later("Scan for malware; signatures, proofs.")),
    "runs": Door("runs", "group", _later("What was run, by whom, and how it ended.")),
    "explain": Door("explain", "command", _later("Tell everything about one control.")),
    "waiver": Door("waiver", "group", _later("Accept failures on some servers for a time.")),
    "report": Door("report", "group", _later("Write the report that the Department asked for.")),
    "store": Door("store", "group", _later("Verify what is remembered; forget what is old.")),
    "backup-self": Door("backup_self", "back_up", _later("Seal all that the controller knows.")),
    "restore-self": Door("backup_self", "restore", _later("Restore what backup-self wrote.")),
    "log": Door("log", "group", _later("Show and verify the audit log.")),
    "completion": Door("completion", "command", _later("Print the completion script of a shell.")),
}


class _LazyGroup(click.Group):
    """Imports a subcommand's module only when that subcommand runs or shows its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(DOORS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in DOORS and not ctx.resilient_parsing:
            near = ", ".join(get_close_matches(args[0], DOORS))
            if near:
                told = _("No such command {name!r}. Did you mean: {near}?")
                ctx.fail(told.format(name=args[0], near=near))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        door = DOORS.get(cmd_name)
        if door is None:
            return None
        module = importlib.import_module(f"orchestrator.cli.{door.module}")
        command: click.Command = getattr(module, door.attribute)
        return command

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        # click makes it once, before --lang was read.
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _("Show this message and exit.")
        return option

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_(self.help or ""))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(door.help)) for name, door in DOORS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write_paragraph()
        formatter.write_text(_(self.epilog or ""))

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        doors = [
            click.shell_completion.CompletionItem(name, help=_(door.help))
            for name, door in DOORS.items()
            if name.startswith(incomplete)
        ]
        return doors + click.Command.shell_complete(self, ctx, incomplete)


class _TranslatedOption(click.Option):
    """An option whose help is translated when shown: ``--lang`` was not yet read at import."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0], _(record[1]))


def _choose_language(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value:
        os.environ["LUYTRE_LANG"] = value
    _translate_click()


def _translate_click() -> None:
    """Have click's own sentences translated too: it asks gettext's default domain."""
    os.environ["LANGUAGE"] = language()
    gettext.bindtextdomain(PROGRAM, LOCALES)
    gettext.textdomain(PROGRAM)


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"{PROGRAM} {__version__}")
        ctx.exit()


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    help=_later("Harden, watch and roll back the servers of a province, safely."),
    epilog=_later("Example: luytre --lang vi audit --limit web"),
)
@click.option(
    "--workspace",
    cls=_TranslatedOption,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=_later("The workspace to work in (otherwise the nearest one upwards)."),
)
@click.option(
    "--lang",
    cls=_TranslatedOption,
    type=click.Choice(["vi", "en"]),
    is_eager=True,
    expose_value=False,
    callback=_choose_language,
    help=_later("The language to speak (otherwise LUYTRE_LANG, then the locale)."),
)
@click.option(
    "--version",
    cls=_TranslatedOption,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help=_later("Show the version."),
)
@click.pass_obj
def root(context: Context, workspace: Path | None) -> None:
    """Keep the global options for the command that follows."""
    context.workspace_directory = workspace


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code.

    A command returns an ExitCode (None counts as done) or raises; what it raises is told on
    stderr, and the table ``EXIT_CODES`` decides the code.
    """
    _translate_click()
    try:
        code = root.main(list(arguments), PROGRAM, standalone_mode=False, obj=Context())
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_went_away()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.FAILED
    except BaseException as error:  # noqa: BLE001 - the last door: every error becomes a code
        return _tell(error, as_json=_wants_json(arguments))
    return ExitCode.DONE if code is None else int(code)


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot say "Lũy Tre"
            stream.reconfigure(errors="backslashreplace")
    _end_in_order()
    code = run(sys.argv[1:])
    gc.freeze()  # the system takes the memory back: looking for garbage in it costs 0.15 s
    sys.exit(code)


def _end_in_order() -> None:
    """Let SIGTERM, and SIGHUP of a terminal that is gone, end the work as Ctrl-C does.

    What is armed is taken back then, and no secrets stay behind. Under nohup SIGHUP stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _reader_went_away() -> int:
    """Keep the interpreter from complaining at exit about a pipe that nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether errors go out as JSON, even where the command line cannot be parsed."""
    return "--output=json" in arguments or ("--output", "json") in pairwise(arguments)


def _tell(error: BaseException, *, as_json: bool) -> int:
    code = next((code for kind, code in EXIT_CODES if isinstance(error, kind)), None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    message, hint = _words_for(error, known=code is not None)
    code = ExitCode.FAILED if code is None else code
    if as_json:
        click.echo(json.dumps(_document(error, message, hint, code)), err=True)
    else:
        click.echo(f"{PROGRAM}: {visible(message)}", err=True)
        for line in hint.splitlines():
            click.echo(f"  {visible(line)}", err=True)
    return code


def _words_for(error: BaseException, *, known: bool) -> tuple[str, str]:
    """Return what to tell of an error: the message and the way to mend it."""
    if isinstance(error, errors.LuytreError):
        return str(error), error.hint
    if isinstance(error, click.UsageError) and error.ctx:
        hint = _("Try '{command} {option}' for help.")
        # click breaks a list of choices into lines; ours are told on one.
        told = " ".join(error.format_message().split())
        return told, hint.format(command=error.ctx.command_path, option="--help")
    if isinstance(error, click.ClickException):
        return error.format_message(), ""
    if known:
        return _("interrupted"), ""
    kept = _keep_traceback(error)
    return _("unexpected {kind}: {error}").format(kind=type(error).__name__, error=error), kept


def _keep_traceback(error: BaseException) -> str:
    """Write the traceback to the user's state directory; return a line that says where.

    Where it cannot be written, the line says so and the traceback itself follows.
    """
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    directory = Path(state).expanduser() / PROGRAM
    path = directory / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.txt"
    text = "".join(traceback.format_exception(error))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as failure:
        return _("its traceback could not be written ({why}):").format(why=failure) + "\n" + text
    return _("its traceback is in {path}").format(path=path)


def _document(
    error: BaseException, message: str, hint: str, code: ExitCode
) -> Mapping[str, Mapping[str, Any]]:
    """Return the JSON form of an error; host and position only where it has them."""
    told: dict[str, Any] = {
        "kind": type(error).__name__,
        "message": message,
        "hint": hint,
        "exit_code": int(code),
    }
    if isinstance(error, errors.HostError):
        told["host"] = error.host
    if isinstance(error, errors.ConfigurationError) and error.position:
        told["position"] = asdict(error.position)
    return {"error": told}
