"""What a drill asks of other hosts: the vault to let it in, the server to keep the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.told import text, well_formed
from orchestrator.model.drill import Drill, DrillState
from orchestrator.model.errors import AgentError, HostError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect.host_program import LONGEST, call

_SECONDS = 60.0


@dataclass(frozen=True)
class DrillWays:
    """The ways to every managed host, by name."""

    fleet: Fleet
    every: Mapping[str, ManagedHost]

    def key(self, scratch: str, drill: str) -> str:
        """Let a scratch host make the key of a drill; return the public one."""
        (answer,) = self._call(scratch, "drill-key", drill)
        with well_formed(scratch):
            return text(answer["public_key"])

    def let_in(self, vault: str, client: str, key: str) -> str:
        """Let a drill's key into a client's repository; return the account."""
        asked = {"client": client, "public_key": key, "seconds": int(LONGEST)}
        (answer,) = self._call(vault, "grant", stdin=asked)
        with well_formed(vault):
            if "why" in answer:
                raise AgentError(vault, text(answer["why"]))
            return text(answer["account"])

    def keep_out(self, vault: str, client: str, key: str) -> tuple[tuple[str, str], ...]:
        """Take the key back; what keeps us from it is no fault of the backup, but is told."""
        try:
            (answer,) = self._call(vault, "revoke", stdin={"client": client, "public_key": key})
            why = str(answer.get("why", ""))
        except HostError as problem:
            why = problem.message
        message = _("the drill's key stays until it expires by itself in a day: {why}")
        return ((vault, message.format(why=why)),) if why else ()

    def note(self, made: Drill) -> tuple[tuple[str, str], ...]:
        """Let the server itself keep the verdict, for its audits; a server may be lost by now."""
        if made.state is DrillState.UNDONE:
            return ()
        told = {"state": made.state.value, "at": made.started.timestamp()}
        try:
            self._call(made.host, "drilled", stdin=told)
        except HostError as error:
            message = _("it could not be told how its drill ended: {why}")
            return ((made.host, message.format(why=error.message)),)
        return ()

    def results(self, scratch: str, had: Sequence[str] = ()) -> Any:
        """Return what a scratch host holds of drills, but for those that are kept by now."""
        (answer,) = self._call(scratch, "drill-results", stdin=list(had))
        return answer.get("results")

    def _call(self, host: str, *words: str, stdin: Any = None) -> list[Mapping[str, Any]]:
        with self.fleet.login(self.every[host]) as login:
            return call(login, *words, stdin=stdin, seconds=_SECONDS)
