"""Options that several commands share, declared once."""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

import click

from orchestrator.cli.context import Output
from orchestrator.model.i18n import _
from orchestrator.model.impact import ImpactName
from orchestrator.model.selection import Consent, Selection, Terms
from orchestrator.model.waves import MANY, OnFailure, Waves

Command = TypeVar("Command", bound=Callable[..., Any])


def output_option(command: Command) -> Command:
    """Add ``--output human|json``; the command gets ``output: Output``."""
    help_ = _("For people, or for programs (errors then come as JSON on stderr too).")
    return _output((Output.HUMAN, Output.JSON), help_)(command)


def audit_output_option(command: Command) -> Command:
    """Add ``--output`` with the forms of an audit; the command gets ``output: Output``."""
    help_ = _("For people; for programs; for spreadsheets, CI servers, security scanners.")
    return _output(tuple(Output), help_)(command)


def _output(modes: tuple[Output, ...], help_: str) -> Callable[[Command], Command]:
    return click.option(
        "--output",
        type=click.Choice([mode.value for mode in modes]),
        default=Output.HUMAN.value,
        callback=lambda _ctx, _param, value: Output(value),
        help=help_,
    )


def limit_option(command: Command) -> Command:
    """Add ``--limit``; the command gets ``limit: str | None``, Ansible's host pattern."""
    return click.option(
        "--limit",
        metavar=_("PATTERN"),
        help=_("Only these hosts or groups, as Ansible's --limit; matching nothing is an error."),
    )(command)


def stale_option(command: Command) -> Command:
    """Add ``--stale``; the command gets ``stale: int``, hours."""
    return click.option(
        "--stale",
        type=click.IntRange(1, 24 * 365),
        default=24,
        show_default=True,
        metavar=_("HOURS"),
        help=_("After how many hours an audit is too old."),
    )(command)


def moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Return the aware moment that ISO 8601 names; local unless it says otherwise."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError) as error:
        message = _("{value!r} is not a day or time: write 2026-11-23, or '2026-11-23 14:30'")
        raise click.BadParameter(message.format(value=value)) from error


def chapter_option(command: Command) -> Command:
    """Add ``--chapter`` (repeatable); the command gets ``chapter: tuple[str, ...]``."""
    return click.option(
        "--chapter",
        multiple=True,
        metavar=_("CHAPTER"),
        help=_("Only this chapter of the baseline (repeatable)."),
    )(command)


def control_option(command: Command) -> Command:
    """Add ``--control`` (repeatable); the command gets ``control: tuple[str, ...]``."""
    return click.option(
        "--control",
        multiple=True,
        metavar=_("CONTROL"),
        help=_("Only this control of the baseline (repeatable)."),
    )(command)


def selection_options(command: Command) -> Command:
    """Add ``--limit``, ``--chapter``, ``--control``; the command gets ``selection: Selection``."""

    @functools.wraps(command)
    def selecting(*args: Any, **options: Any) -> Any:
        picked = (options.pop("limit"), options.pop("chapter"), options.pop("control"))
        return command(*args, selection=Selection(*picked), **options)

    return limit_option(chapter_option(control_option(cast("Command", selecting))))


def consent_options(command: Command) -> Command:
    """Add ``--yes`` and ``--count``; the command gets ``consent: Consent``."""

    @functools.wraps(command)
    def consenting(*args: Any, **options: Any) -> Any:
        given = Consent(options.pop("yes"), options.pop("count"))
        return command(*args, consent=given, **options)

    return yes_option(count_option(cast("Command", consenting)))


def terms_options(command: Command) -> Command:
    """Add what is agreed to with a change: waves, consent, impacts, backups; it gets ``terms``."""

    @functools.wraps(command)
    def agreeing(*args: Any, **options: Any) -> Any:
        names = ("consent", "accepted", "without_backup", "waves")
        given = (options.pop(name) for name in names)
        return command(*args, terms=Terms(*given), **options)

    agreed = accept_impact_option(without_backup_option(cast("Command", agreeing)))
    return wave_options(consent_options(agreed))


def without_backup_option(command: Command) -> Command:
    """Add ``--without-backup``; the command gets ``without_backup``: the reason, or nothing."""
    return click.option(
        "--without-backup",
        default="",
        metavar=_("REASON"),
        callback=lambda _ctx, _param, reason: " ".join(reason.split()),
        help=_("Also change servers that have no young whole backup, or no drill that passed."),
    )(command)


def accept_impact_option(command: Command) -> Command:
    """Add ``--accept-impact`` (repeatable); the command gets ``accepted``, a set of ImpactName."""
    all_ = "all"
    return click.option(
        "--accept-impact",
        "accepted",
        multiple=True,
        type=click.Choice([*(name.value for name in ImpactName), all_]),
        callback=lambda _ctx, _param, names: frozenset(
            ImpactName if all_ in names else map(ImpactName, names)
        ),
        help=_("Go on although somebody loses what the plan shows as this impact (repeatable)."),
    )(command)


def wave_options(command: Command) -> Command:
    """Add the options of waves; the command gets ``waves: Waves``."""

    @functools.wraps(command)
    def waving(*args: Any, **options: Any) -> Any:
        names = ("canary", "batch", "max_fail", "on_failure")
        canaries, batch, most, then = (options.pop(name) for name in names)
        waves = Waves(canaries, batch, most, OnFailure(then))
        return command(*args, waves=waves, **options)

    number = click.IntRange(min=0)
    then = click.Choice([each.value for each in OnFailure])
    few = _("1 where many are changed (over {n}), otherwise 0").format(n=MANY)
    stay_or_go = _("What becomes of confirmed hosts when too many failed: they stay, or go back.")
    stop = OnFailure.STOP.value
    # The last one that is added stands first in the help.
    for option in (
        click.option("--on-failure", type=then, default=stop, show_default=True, help=stay_or_go),
        click.option(
            "--max-fail",
            type=number,
            default=0,
            show_default=True,
            help=_("Begin no other wave once more hosts than this have failed."),
        ),
        click.option(
            "--batch",
            type=number,
            default=0,
            show_default=True,
            help=_("Change the others so many at a time; 0: all at once."),
        ),
        click.option(
            "--canary",
            type=number,
            show_default=few,
            help=_("Change so many hosts first; the others only if these hold."),
        ),
    ):
        waving = option(waving)
    return cast("Command", waving)


def yes_option(command: Command) -> Command:
    """Add ``--yes``; the command gets ``yes: bool`` for ``Context.confirm``."""
    return click.option("--yes", is_flag=True, help=_("Go on without being asked."))(command)


def count_option(command: Command) -> Command:
    """Add ``--count``; the command gets ``count: int | None`` for ``Context.confirm_hosts``."""
    return click.option(
        "--count",
        type=click.IntRange(min=1),
        metavar=_("N"),
        help=_("The number of hosts that you expect within the limit; another number refuses."),
    )(command)
