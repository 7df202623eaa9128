"""What servers say of their updates, kept in the store, and told when updates were installed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestrator.cli.context import Output
from orchestrator.model.errors import HostError, SourcesError
from orchestrator.model.host import Management
from orchestrator.model.i18n import _
from orchestrator.model.patches import Patches, document
from orchestrator.model.told import Topic
from orchestrator.report.commands import to_type_for

if TYPE_CHECKING:
    from orchestrator.drift.scope import Scope
    from orchestrator.protect.cves import Holes
    from orchestrator.store.repository import Store
    from orchestrator.workspace.directory import Workspace

# Beside an answer: why the sources failed ("why", "at"), until all of them have answered.
_FAILED = "refresh_failed"


def holes_of(workspace: "Workspace") -> "Holes | None":
    """Return the known holes, where the settings name a file of them."""
    from orchestrator.protect.cves import load  # noqa: PLC0415 - start-up time

    file = workspace.settings.debsecan
    return load(file) if file else None


def asked(
    workspace: "Workspace",
    scope: "Scope",
    output: Output,
    failed: Sequence[HostError] | None,
    holes: "Holes | None",
) -> list[Patches | HostError]:
    """Return what the hosts of a scope say of their updates, and keep it.

    ``failed`` are the errors of those whose sources were asked just now, None where nobody asked.
    Of a host one of whose sources failed, nothing is known until all of them answer: apt goes on
    with the others, and does not tell afterwards which these were.
    """
    from orchestrator.drift.watch import open_store  # noqa: PLC0415 - start-up time

    found = _found(scope, output)
    if holes is not None:
        found = [holes.told(one) if isinstance(one, Patches) else one for one in found]
    with open_store(workspace) as store:
        since = _failing(store, scope, failed)
        now = {one.host: one.message for one in failed or ()}
        told: list[Patches | HostError] = []
        for one in found:
            if isinstance(one, HostError):
                told.append(one)
                continue
            failing = since.get(one.host)
            kept = replace(one, unknown=_words(failing)) if failing else one
            store.save_answer(one.host, Topic.PATCHES, {**document(kept), _FAILED: failing})
            told.append(replace(kept, unknown=now.get(one.host) or kept.unknown))
    return told


def _failing(
    store: "Store", scope: "Scope", failed: Sequence[HostError] | None
) -> dict[str, dict[str, str]]:
    """Return why the sources of hosts failed, and when, where they have not answered since.

    Nobody asks those of a host that is only audited.
    """
    names = [host.name for host in scope.hosts if host.management is Management.MANAGED]
    before = {one.host: one.answer.get(_FAILED) for one in store.answers(Topic.PATCHES, names)}
    if failed is not None:
        # Who could not ask at all, because apt was at work, say, has learnt nothing new.
        before = {one.host: before.get(one.host) for one in failed}
    at = datetime.now(UTC).isoformat()
    new = {one.host: one.message for one in failed or () if isinstance(one, SourcesError)}
    return {
        **{host: kept for host, kept in before.items() if kept},
        **{host: {"why": why, "at": at} for host, why in new.items()},
    }


def _words(failing: Mapping[str, str]) -> str:
    """Return why nothing is known of a host since its sources failed."""
    from orchestrator.cli.views.cells import local_time  # noqa: PLC0415 - start-up time

    at = local_time(datetime.fromisoformat(failing["at"]))
    return _("{why} (asked {time})").format(why=failing["why"], time=at)


def _found(scope: "Scope", output: Output) -> list[Patches | HostError]:
    """Ask the hosts of a scope for their updates."""
    from orchestrator.cli.views.output import progress  # noqa: PLC0415 - start-up time
    from orchestrator.protect.patching import look  # noqa: PLC0415

    with progress(_("ask"), len(scope.hosts), output) as done:
        return look(scope.fleet, scope.hosts, scope.manifests, done)


def tell_left(
    workspace: "Workspace",
    scope: "Scope",
    output: Output,
    failed: Sequence[HostError] | None = None,
) -> None:
    """Ask what is left after updates were installed, and tell what people have to see to.

    The store would still tell of updates that are installed now.
    """
    from orchestrator.cli.planning import tell  # noqa: PLC0415 - start-up time

    left = asked(workspace, scope, output, failed, holes_of(workspace))
    for one in left:
        if isinstance(one, Patches) and one.held_security:
            message = _("{host}: on hold, left alone, although they mend security: {names}")
            names = ", ".join(each.name for each in one.held_security)
            told = message.format(host=one.host, names=names)
            tell(output, told, {"note": {"message": told, "hosts": [one.host]}})
    if waiting := [one.host for one in left if isinstance(one, Patches) and one.reboot]:
        message = _("{hosts}: updates count after a reboot only: {command}")
        command = to_type_for(["patch", "reboot"], waiting, scope.selection.limit)
        told = message.format(hosts=", ".join(waiting), command=command)
        tell(output, told, {"note": {"message": told, "hosts": waiting}})
