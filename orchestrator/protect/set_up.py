"""Set vaults and clients up: two plays, then each client is let in and tries its way."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.fleet.agent import Fleet
from orchestrator.fleet.playbooks import Event
from orchestrator.fleet.pool import over_hosts
from orchestrator.model.backup import BackupWish, wish_digest
from orchestrator.model.errors import AgentError, HostError, UnreachableError
from orchestrator.model.host import ManagedHost
from orchestrator.model.i18n import _
from orchestrator.protect import told
from orchestrator.protect.host_program import call
from orchestrator.protect.program import program
from orchestrator.protect.setup_play import Program, play_setup
from orchestrator.protect.wish import copies, port_of
from orchestrator.protect.written import Written
from orchestrator.workspace.directory import Workspace

# restic makes a key of a password in a second, and twice for each new client.
_ENROLL_SECONDS = 60.0
_SETTLE_SECONDS = 120.0
# Debian's names of the keys that a vault is pinned by: its door shows the same one.
_KEY_FILES = {
    "ssh-ed25519": "/etc/ssh/ssh_host_ed25519_key",
    "ecdsa-sha2-nistp256": "/etc/ssh/ssh_host_ecdsa_key",
    "ecdsa-sha2-nistp384": "/etc/ssh/ssh_host_ecdsa_key",
    "ecdsa-sha2-nistp521": "/etc/ssh/ssh_host_ecdsa_key",
    "ssh-rsa": "/etc/ssh/ssh_host_rsa_key",
}
_PUBLIC_KEY = "Public key"
# Debian's packages of the servers that dumps are loaded into; SQLite comes with Python.
_SERVERS = {"postgresql": "postgresql", "mariadb": "mariadb-server"}


@dataclass(frozen=True)
class SetUp:
    """How one host was left: ``ready``, or why it is not.

    ``unreached`` says that this host, or the vault that it needs, was not there.
    """

    host: str
    role: str
    why: str = ""
    unreached: bool = False

    @property
    def ready(self) -> bool:
        """Say whether it can be used."""
        return not self.why


class _Trouble(NamedTuple):
    """Why a host cannot be used: empty where it can."""

    why: str = ""
    unreached: bool = False


_NONE = _Trouble()


def _of(problem: HostError) -> _Trouble:
    return _Trouble(problem.message, isinstance(problem, UnreachableError))


@dataclass
class _Heard:
    """What the plays told: what they wrote, public keys by client, what went wrong by host."""

    written: Written
    keys: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, _Trouble] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        self.written.hear(event)
        if event.kind in ("failed", "unreachable") and not event.ignored:
            said = str(event.result.get("msg", ""))[:500]
            lost = event.kind == "unreachable"
            self.troubles[event.host] = _Trouble(f"{event.task}: {said}", lost)
        elif event.task == _PUBLIC_KEY:
            whole = base64.b64decode(str(event.result.get("content", ""))).decode(
                "ascii", "replace"
            )
            self.keys[event.host] = " ".join(whole.split()[:2])


class SettingUp:
    """One set-up of some clients and their vaults; it says what it wrote."""

    def __init__(
        self,
        workspace: Workspace,
        fleet: Fleet,
        hosts: Mapping[str, ManagedHost],
        report: Callable[[str], None],
        written: Written,
    ) -> None:
        self._workspace = workspace
        self._fleet = fleet
        self._hosts = hosts
        self._report = report
        self._written = written

    def go(self, wishes: Sequence[BackupWish], passwords: Mapping[str, str]) -> list[SetUp]:
        """Set up; return how each vault and each client was left. Raises ControllerError."""
        vaults = list(dict.fromkeys(wish.vault for wish in wishes))
        # Who pulls from one of these may pull from others as well, and must go on.
        pulling = copies(list(self._hosts.values()), self._hosts)
        pullers = list(dict.fromkeys(pulling[name] for name in vaults if name in pulling))
        copying = self._play("copy.yml", pullers, {name: {} for name in pullers})
        keys = {
            name: copying.keys.get(pulling[name], "") if name in pulling else None
            for name in vaults
        }
        variables = {name: self._of_vault(name, keys[name]) for name in vaults}
        heard = self._play("vault.yml", vaults, variables)
        done = [SetUp(name, "vault", *heard.troubles.get(name, _NONE)) for name in vaults]
        standing = {one.host for one in done if one.ready}
        usable = [wish for wish in wishes if wish.vault in standing]
        lost = [wish for wish in wishes if wish.vault not in standing]
        gone = {one.host for one in done if one.unreached}
        for wish in lost:
            why = _("its vault {vault} is not ready").format(vault=wish.vault)
            done.append(SetUp(wish.host, "client", why, wish.vault in gone))
        for name in pullers:
            mine = [vault for vault, puller in pulling.items() if puller == name]
            trouble = copying.troubles.get(name) or self._settle_copy(
                name, mine, [vault for vault in mine if vault in standing]
            )
            done.append(SetUp(name, "copy", *trouble))
        return done + self._clients(usable, passwords) + self._scratch(wishes)

    def _settle_copy(self, name: str, vaults: Sequence[str], tried: Sequence[str]) -> _Trouble:
        """Tell a host from which vaults it pulls; return why it cannot.

        Vaults that nobody has enrolled yet are left out.
        """
        hosts = [self._hosts[vault] for vault in vaults if vault in self._fleet.pins]
        asked = {
            "tried": list(tried),
            "sources": [
                {"vault": one.name, "address": one.endpoint.address, "port": port_of(one)}
                for one in hosts
            ],
            "known_hosts": "".join(
                known_hosts_line(self._fleet, one.name, one.endpoint.address, port_of(one))
                for one in hosts
            ),
        }
        try:
            with self._fleet.login(self._hosts[name]) as login:
                (answer,) = call(login, "copy-settle", stdin=asked, seconds=_SETTLE_SECONDS)
            self._written.add(name, answer)
        except HostError as problem:
            return _of(problem)
        return _NONE if answer.get("state") == "ready" else _Trouble(str(answer.get("why")))

    def _clients(self, wishes: Sequence[BackupWish], passwords: Mapping[str, str]) -> list[SetUp]:
        variables = {wish.host: self._of_client(wish) for wish in wishes}
        heard = self._play("backup.yml", list(variables), variables)
        keyless = _Trouble(_("it told no key"))
        troubles = {w.host: keyless for w in wishes if w.host not in heard.keys}
        troubles |= heard.troubles
        going = [wish for wish in wishes if wish.host not in troubles]
        accounts: dict[str, str] = {}
        for vault in dict.fromkeys(wish.vault for wish in going):
            mine = [wish for wish in going if wish.vault == vault]
            let_in, refused = self._enroll(vault, mine, heard.keys, passwords)
            accounts |= let_in
            troubles |= refused
        troubles |= self._settle([w for w in going if w.host in accounts], accounts, passwords)
        return [SetUp(wish.host, "client", *troubles.get(wish.host, _NONE)) for wish in wishes]

    def _scratch(self, wishes: Sequence[BackupWish]) -> list[SetUp]:
        """Give every scratch host what the drills of its servers need."""
        packages: dict[str, set[str]] = {}
        for wish in wishes:
            if wish.drill is not None:
                engines = {engine for one in wish.databases for engine in one}
                needed = [_SERVERS[engine] for engine in engines & _SERVERS.keys()]
                packages.setdefault(wish.drill.scratch, set()).update(wish.drill.packages, needed)
        variables = {
            name: {"luytre_drill_packages": sorted(wanted)} for name, wanted in packages.items()
        }
        heard = self._play("scratch.yml", list(variables), variables)
        return [SetUp(name, "scratch", *heard.troubles.get(name, _NONE)) for name in variables]

    def _enroll(
        self,
        vault: str,
        wishes: Sequence[BackupWish],
        keys: Mapping[str, str],
        passwords: Mapping[str, str],
    ) -> tuple[dict[str, str], dict[str, _Trouble]]:
        """Let clients into a vault; return their accounts, and what went wrong, by client."""
        asked = [
            {"client": w.host, "public_key": keys[w.host], "password": passwords[w.host]}
            for w in wishes
        ]
        try:
            with self._fleet.login(self._hosts[vault]) as login:
                seconds = _ENROLL_SECONDS * (1 + len(asked))
                answers = call(login, "enroll", stdin=asked, seconds=seconds)
            for answer in answers:
                self._written.add(vault, answer)
        except HostError as problem:
            trouble = _of(problem)._replace(why=f"{vault}: {problem.message}")
            return {}, {wish.host: trouble for wish in wishes}
        accounts: dict[str, str] = {}
        ignored = _Trouble(_("its vault did not let it in"))
        refused = {wish.host: ignored for wish in wishes}
        for answer in answers:
            client = str(answer.get("client"))
            if "account" in answer:
                accounts[client] = str(answer["account"])
                refused.pop(client, None)
            else:
                refused[client] = _Trouble(f"{vault}: {answer.get('why')}")
        return accounts, refused

    def _settle(
        self,
        wishes: Sequence[BackupWish],
        accounts: Mapping[str, str],
        passwords: Mapping[str, str],
    ) -> dict[str, _Trouble]:
        by_host = {wish.host: wish for wish in wishes}

        def work(host: ManagedHost) -> None:
            wish = by_host[host.name]
            client = {
                "host": wish.host,
                "vault": wish.vault,
                "wish": wish_digest(host.variables),
                "address": wish.address,
                "port": wish.port,
                "user": accounts[wish.host],
                "paths": list(wish.paths),
                "excludes": list(wish.excludes),
                "databases": [dict(one) for one in wish.databases],
            }
            asked = {"client": client, "password": passwords[wish.host]}
            with self._fleet.login(host) as login:
                (answer,) = call(login, "settle", stdin=asked, seconds=_SETTLE_SECONDS)
            self._written.add(host.name, answer)
            if told.reached(host.name, answer).get("state") != "ready":
                message = _("it does not get into its vault: {why}")
                raise AgentError(host.name, message.format(why=answer.get("why")))

        hosts = [self._hosts[wish.host] for wish in wishes]
        results = over_hosts(
            hosts, work, self._fleet.concurrency, lambda host, _result: self._report(host.name)
        )
        return {one.host: _of(one) for one in results if isinstance(one, HostError)}

    def _play(
        self, name: str, hosts: Sequence[str], variables: Mapping[str, Mapping[str, Any]]
    ) -> _Heard:
        heard = _Heard(self._written)
        play_setup(
            self._workspace,
            self._fleet,
            name,
            Program("backup", program()),
            [self._hosts[one] for one in hosts],
            variables,
            heard.hear,
        )
        return heard

    def _of_vault(self, name: str, copy_key: str | None) -> dict[str, Any]:
        pin = self._fleet.pins[name]
        return {
            "luytre_backup_port": port_of(self._hosts[name]),
            "luytre_backup_host_key": _KEY_FILES[pin.type],
            # Empty: who pulls told no key now, and what the vault knows of it stays.
            "luytre_backup_copies": copy_key is not None,
            "luytre_backup_copy_keys": [copy_key] if copy_key else [],
        }

    def _of_client(self, wish: BackupWish) -> dict[str, Any]:
        line = known_hosts_line(self._fleet, wish.vault, wish.address, wish.port)
        return {"luytre_backup_known_hosts": line, "luytre_backup_time": wish.time}


def known_hosts_line(fleet: Fleet, vault: str, address: str, port: int) -> str:
    """Return the line of known hosts by which a vault's own sshd is recognised."""
    pin = fleet.pins[vault]
    key = base64.b64encode(pin.blob).decode()
    return f"[{address}]:{port} {pin.type} {key}\n"
