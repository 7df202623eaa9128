"""What reads a host's files and programs, on the host itself.

Each reader takes one text. Unreadable is what they declare, ValueError what the audit takes for it.
"""

from collections.abc import Callable, Iterable, Mapping

from orchestrator.agent import (
    accounts,
    audit_text,
    boot_mounts,
    chrony_conf,
    facts,
    grub,
    modprobe,
    mounts,
    pam_rules,
    pam_stack,
    rsyslog_conf,
    shell_files,
    sshd_config,
    sudoers,
)
from orchestrator.agent.host import Host, Unreadable
from orchestrator.agent.kinds import (
    apt,
    apt_sources,
    auditd,
    coredump,
    faillock,
    journald,
    limits,
    listeners,
    login_defs,
    nft,
    pwhistory,
    pwquality,
    sysctl,
    timesyncd,
    useradd,
)

_PLACE = "/etc/own"
_KEYED = (
    (auditd, "max_log_file"),
    (coredump, "ProcessSizeMax"),
    (faillock, "deny"),
    (journald, "Storage"),
    (limits, "hard/core"),
    (login_defs, "PASS_MAX_DAYS"),
    (pwhistory, "remember"),
    (pwquality, "minlen"),
    (timesyncd, "NTP"),
    (useradd, "INACTIVE"),
)


class Nowhere(Host):
    """A host on which there is nothing but some files."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self._files = files

    def read(self, path: str) -> bytes | None:
        """Return one of the files."""
        return self._files.get(path)

    def names(self, directory: str) -> list[str]:  # noqa: ARG002 - as Host has it
        """Return nothing: no directory holds anything."""
        return []


def files(data: bytes) -> None:
    """A file of a host: the first byte says for which reader it is."""
    if data:
        number, text = data[0] % len(READERS), data[1:].decode("utf-8", "surrogateescape")
        read([*READERS.values()][number], text)


def read(reader: Callable[[str], object], text: str) -> None:
    """Let a reader read; what it declares is passed over."""
    try:
        reader(text)
    except (Unreadable, audit_text.Broken):
        return
    except ValueError as problem:
        if "integer string conversion" not in str(problem):
            raise


def _sshd(text: str) -> None:
    list(sshd_config.matched(sshd_config.walk(text, _PLACE, lambda _pattern: [(_PLACE, text)])))
    facts.parse_sshd(_bytes(text))


def _accounts(text: str) -> None:
    data = _bytes(text)
    accounts.accounts(Nowhere(dict.fromkeys((accounts.PASSWD, accounts.SHADOW), data)))
    accounts.accounts(Nowhere({accounts.PASSWD: b"", accounts.SHADOW: b"", accounts.GROUP: data}))


def _pam(text: str) -> None:
    texts = {f"{pam_stack.DIRECTORIES[0]}/common-{one}": text for one in pam_stack.TYPES}
    stacks = pam_rules.stacks(texts)
    pam_rules.broken(stacks)
    for module in pam_rules.MODULES:
        pam_rules.wrong(module, stacks)


def _keyed(text: str) -> None:
    for kind, key in _KEYED:
        program = kind.PROGRAM
        settings = program.settings({program.main: text})
        program.values(program.canonical(key), settings, Nowhere({}))


def _mounts(text: str) -> None:
    for line in boot_mounts.lines(text):
        mounts.with_flags(line.options, ("nosuid", "nodev"))
    boot_mounts.value(text, "Mount", "Options")
    mounts.uncovered(mounts.parse(text))


def _modprobe(text: str) -> None:
    modprobe.parse([(_PLACE, text)])
    modprobe.parse_loaded(text)


def _apt(text: str) -> None:
    _all(apt_sources.one_line(text, _PLACE), apt_sources.deb822(text, _PLACE))
    apt.parse(_bytes(text))
    for parse in (facts.parse_dpkg_status, facts.parse_held, facts.parse_residue):
        parse(_bytes(text))
    facts.parse_unfinished(_bytes(text))


def _audit(text: str) -> None:
    audit_text.switches_of_status(text)
    for line in audit_text.merged([(_PLACE, text), (_PLACE, text)]):
        audit_text.parse(line.split())


def _shell(text: str) -> None:
    statements = list(shell_files.parse(text, _PLACE))
    for statement in statements:
        list(shell_files.assignments(statement))
    list(shell_files.umasks(statements))


def _all(*many: Iterable[object]) -> None:
    for one in many:
        list(one)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


READERS: Mapping[str, Callable[[str], object]] = {
    "sshd": _sshd,
    "sudoers": lambda text: sudoers.parse(_bytes(text)),
    "accounts": _accounts,
    "pam": _pam,
    "keyed": _keyed,
    "sysctl": lambda text: sysctl.at_boot(sysctl.in_effect(sysctl.parse(text, _PLACE)), "a.b"),
    "mounts": _mounts,
    "modprobe": _modprobe,
    "rsyslog": lambda text: rsyslog_conf.load(Nowhere({}), {rsyslog_conf.MAIN: text}),
    "chrony": lambda text: chrony_conf.load(Nowhere({}), {chrony_conf.MAIN: text}),
    "apt": _apt,
    "audit": _audit,
    "boot": lambda text: (grub.kernels(text), grub.guarded(text)),
    "shell": _shell,
    "nft": nft.declared_table,
    "listeners": lambda text: listeners.parse(text, "tcp"),
}
