"""Ask hosts how they stand, let them scan, update and prove; keep what they say."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.alert import Alert, AlertKind
from orchestrator.model.antivirus import ProofState, Standing, document
from orchestrator.model.errors import AgentError, HostError, Interrupted
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.model.told import Topic
from orchestrator.protect.antivirus import told
from orchestrator.protect.antivirus.program import ask_program
from orchestrator.protect.going_on import going_on

if TYPE_CHECKING:
    from orchestrator.store.repository import Store

# A scan of everything on a large server; the others end sooner (seconds).
_SECONDS = {"status": 120.0, "scan": 24 * 3600.0, "update": 2400.0, "prove": 600.0}
# Whoever asks may go: these have units of their own.
_LASTING = ("scan", "update", "prove")

Answer = tuple[Standing, list[Alert]]


class Asking:
    """Questions to some hosts; every answer is kept, what was found becomes alerts."""

    def __init__(
        self,
        fleet: Fleet,
        store: "Store",
        operator: str,
        on_done: Callable[[str], None] = lambda _host: None,
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._operator = operator
        self._on_done = on_done

    def ask(self, hosts: Sequence[ManagedHost], verb: str) -> list[Standing | HostError]:
        """Return how each host stands after ``status``, ``scan`` or ``update``, in their order."""

        def keep(answer: Answer) -> Standing:
            return self._keep(*answer)

        return self._each(hosts, verb, told.alerts, keep)

    def prove(self, hosts: Sequence[ManagedHost]) -> list[Standing | HostError]:
        """Return how each host stands after it looked for the test file.

        What was found must have arrived here as an alert; it is noted as seen, as it is our own.
        """

        def keep(answer: Answer) -> Standing:
            standing, alerts = answer
            self._keep(standing, alerts)
            self._arrived(standing, alerts)
            return standing

        return self._each(hosts, "prove", told.proof_alerts, keep)

    def _each(
        self,
        hosts: Sequence[ManagedHost],
        verb: str,
        alerts_of: Callable[[str, Mapping[str, Any]], list[Alert]],
        keep: Callable[[Answer], Standing],
    ) -> list[Standing | HostError]:
        begun: set[str] = set()

        def work(host: ManagedHost) -> Answer:
            with self._fleet.login(host) as login:
                begun.add(host.name)
                said = ask_program(login, verb, seconds=_SECONDS[verb])
            if len(said) != 1:
                raise AgentError(host.name, _("it said nothing of its antivirus"))
            return told.standing(host.name, said[0]), alerts_of(host.name, said[0])

        kept: dict[str, Standing | HostError] = {}

        def note(host: ManagedHost, result: Answer | HostError) -> None:
            try:
                kept[host.name] = result if isinstance(result, HostError) else keep(result)
            except HostError as problem:
                kept[host.name] = problem
            self._on_done(host.name)

        try:
            over_hosts(hosts, work, self._fleet.concurrency, note)
        except Interrupted as error:
            names = sorted(begun - kept.keys()) if verb in _LASTING else []
            message = _("interrupted here; these servers go on with it: {names}")
            hint = _("luytre antivirus status fetches what comes of it")
            raise going_on(error, names, message, hint) from error
        return [kept[host.name] for host in hosts]

    def _keep(self, standing: Standing, alerts: Sequence[Alert]) -> Standing:
        self._store.save_alerts(standing.host, alerts)
        self._store.save_answer(standing.host, Topic.ANTIVIRUS, document(standing))
        return standing

    def _arrived(self, standing: Standing, alerts: Sequence[Alert]) -> None:
        """Raise AgentError where a proof says that it found what did not arrive as an alert."""
        wanted = {one.identity for one in alerts}
        known = self._store.alerts([standing.host], {AlertKind.MALWARE})
        arrived = [one.number for one in known if one.alert.identity in wanted]
        found = standing.proof is not None and standing.proof.state is ProofState.FOUND
        if found and not standing.problem and not arrived:
            raise AgentError(standing.host, _("it found the test file, and told no alert of it"))
        self._store.mark_seen(arrived, self._operator, _("a proof of our own"))
