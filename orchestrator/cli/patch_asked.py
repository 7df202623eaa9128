"""What servers say of their updates, kept in the store, and told when updates were installed."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.cli.context import Output
from orchestrator.model.errors import HostError
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

# Beside an answer: why the sources could not be asked the last time that somebody tried.
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
    Of a host whose sources failed it, nothing is known until all of them answer: apt goes on with
    those that do, and does not tell afterwards which these were.
    """
    from orchestrator.drift.watch import open_store  # noqa: PLC0415 - start-up time

    found = _found(scope, output)
    if holes is not None:
        found = [holes.told(one) if isinstance(one, Patches) else one for one in found]
    with open_store(workspace) as store:
        whys = (
            {error.host: error.message for error in failed}
            if failed is not None
            else _failed_before(store, scope)
        )
        told: list[Patches | HostError] = []
        for one in found:
            if isinstance(one, HostError):
                told.append(one)
                continue
            why = whys.get(one.host, "")
            known = replace(one, unknown=why or one.unknown)
            store.save_answer(one.host, Topic.PATCHES, {**document(known), _FAILED: why})
            told.append(known)
    return told


def _failed_before(store: "Store", scope: "Scope") -> dict[str, str]:
    """Return why the sources of hosts failed the last time; nobody asks those only audited."""
    names = [host.name for host in scope.hosts if host.management is Management.MANAGED]
    return {one.host: one.answer.get(_FAILED, "") for one in store.answers(Topic.PATCHES, names)}


def _found(scope: "Scope", output: Output) -> list[Patches | HostError]:
    """Ask the hosts of a scope for their updates."""
    from orchestrator.cli.views.output import progress  # noqa: PLC0415 - start-up time
    from orchestrator.protect.patching import look  # noqa: PLC0415

    with progress(_("ask"), len(scope.hosts), output) as done:
        return look(scope.fleet, scope.hosts, scope.manifests, done)


def tell_taken_back(workspace: "Workspace", scope: "Scope", output: Output) -> None:
    """Ask what waits after updates were taken back; tell where it would be installed again."""
    from orchestrator.cli.planning import tell  # noqa: PLC0415 - start-up time
    from orchestrator.drift.watch import open_store  # noqa: PLC0415

    names = [host.name for host in scope.hosts]
    with open_store(workspace) as store:
        before = {
            one.host: {each["name"] for each in one.answer["updates"]}
            for one in store.answers(Topic.PATCHES, names)
        }
    for one in asked(workspace, scope, output, None, holes_of(workspace)):
        if not isinstance(one, Patches) or not one.by_itself:
            continue
        known = before.get(one.host, set())
        if again := [each.name for each in one.updates if not each.held and each.name not in known]:
            message = _(
                "{host}: unattended-upgrades would install this again; what keeps it from that is"
                " (as root): {command}"
            )
            told = message.format(host=one.host, command=shlex.join(["apt-mark", "hold", *again]))
            tell(output, told, {"note": {"message": told, "hosts": [one.host]}})


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
