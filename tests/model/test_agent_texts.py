"""Nothing that the agent's sources can say stays English before a Vietnamese operator."""

import re
from itertools import count
from pathlib import Path

import pytest

from orchestrator.agent import account_rules
from orchestrator.agent.accounts import Accounts, Group, Password, User
from orchestrator.agent.host import Host
from orchestrator.agent.kinds import Target, accounts
from orchestrator.agent.schema import KINDS
from orchestrator.locales.catalogue import read_po
from orchestrator.model.host_templates import TEMPLATES
from orchestrator.model.host_words import in_words

from .agent_texts import VALUE, texts

AGENT = Path(__file__).resolve().parents[2] / "orchestrator" / "agent"
# The schema's groups hold meanings of parameters, most of which only the JSON schema tells.
SOURCES = sorted({*AGENT.rglob("*.py")} - {*AGENT.glob("schema/[!_c]*.py")})
_FIELD = re.compile(r"\{\w+\}")
_TOKEN = re.compile(r"[A-Za-z]{2,}")


def words(text: str) -> set[str]:
    """Return the plain words of a text; what is part of a path or of a name is none."""
    return {word for token in text.split() if _TOKEN.fullmatch(word := token.strip("()'\",;:.?"))}


# What the translations leave as it is: names of programs, of settings, of accounts.
KEPT = frozenset(word for template in TEMPLATES for word in words(read_po()[template.text]))

MARKED = [_FIELD.sub(VALUE, template.text) for template in TEMPLATES]

# Names of programs before what they say themselves.
NAMES = {"augenrules", "chrony", "dpkg", "limits", "modprobe", "nft", "rsyslog", "systemctl"}

# No sentences: what is written into files and to the console, given to programs, looked for in what
# they print; keys of facts, of phases, of units of time.
NO_SENTENCES = re.compile(
    r"^(# |// |#!|%Y|usage: |keyed |A change of this host )|^\[\w+\]\n|umask 027\n|TMOUT="
    r"|\nsourcedir |^(Include|Defaults|Name:|Config:) |^server \0 iburst|tmpfs \0 tmpfs"
    r"|^-a always,|^(cd |/usr/sbin/nft |systemctl stop \0:|add table inet |from agent.entry )"
    r"|^(Local modifications|No rules|inet luytre|remote access)$|pool\.ntp\.org"
    r"|^\s*(table|chain|type) (\0 \{\{\n|inet luytre)?$|^ hook input $|^policy drop;$"
    r"|^(compare|before|(\+\+\+ )?after|blacklist) \0?\n?$|^(us|ms|m|h|d|w|M|y) \w+|^ s sec "
)
# Put together of sentences in ways that the sources alone do not show; no host reads them so.
IMPOSSIBLE = re.compile(
    r"^\(1[05] % of the file system\)$|^\0 \0: \0 in \0$|(differ|digest \0)another tool"
    r"|^unknown kind: |^the kernel refuses a rule that it has$"
)


@pytest.fixture(autouse=True)
def _vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")


def english(text: str) -> set[str]:
    """Return the words of a text that a Vietnamese operator still reads in English."""
    number = count(1)
    said = re.sub(VALUE, lambda _: f"x{next(number)}", text.strip(" ,;"))
    return words(said) & words(in_words(said)) - KEPT - NAMES


def is_part(text: str) -> bool:
    """Return whether a text stands, as it is, in one of the templates."""
    return any(text.strip(" ,;") in template for template in MARKED)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(AGENT)))
def test_every_sentence_of_the_agent_has_a_template(path: Path) -> None:
    missing = {
        text: left
        for text in texts(path)
        if " " in text.strip()
        and not NO_SENTENCES.search(text)
        and not IMPOSSIBLE.search(text)
        and not is_part(text)
        and (left := english(text))
    }
    assert missing == {}, "declare them in orchestrator/model/host_templates*.py"


def broken() -> Accounts:
    """Return accounts that break every rule."""
    users = [
        User(["root", "x", "0", "0", "", "/root", "/bin/bash"]),
        User(["a1", "x", "0", "0", "", "/root", "/bin/bash"]),
        User(["a2", "hash", "1000", "1000", "", "/home/a2", "/bin/bash"]),
        User(["a2", "x", "1001", "4242", "", "/home/a2", "/bin/bash"]),
        User(["a3", "x", "1", "42", "", "/", "/bin/sh"]),
        User(["a4", "x", "2", "2", "", "/", "/usr/sbin/nologin"]),
    ]
    hashes = {"root": "$y$1", "a2": "", "a4": "$y$2"}
    passwords = {
        name: Password([name, text, "99999", "", "", "", "", "", ""])
        for name, text in hashes.items()
    }
    rows = ["root:x:0:", "b1:x:0:", "shadow:x:42:a2", "b2:x:7:", "b2:x:8:"]
    return Accounts(users, passwords, [Group(row.split(":")) for row in rows])


@pytest.mark.parametrize("name", account_rules.RULES)
def test_every_rule_of_accounts_is_said_in_vietnamese(name: str) -> None:
    rule, want = account_rules.RULES[name], {"rule": name, "days": 30}
    offenders = rule.find(broken(), want)
    assert offenders, "nobody breaks this rule: say above how it is broken"
    judged, passed = accounts.judge(want, offenders), accounts.judge(want, [])
    told = [judged.expected, judged.observed, passed.observed]
    if rule.mend:
        told.append(accounts.propose(want, offenders, Target(Host(), name)).summary)
    else:
        told.append(f"{judged.observed}: {rule.decision}")
    assert {text: left for text in told if (left := english(text))} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_cannot_do_without_is_said_in_vietnamese(kind: str) -> None:
    meanings = [field.doc for field in (KINDS[kind].fields or {}).values() if field.required]
    assert [meaning for meaning in meanings if english(f"x1 needs 'x2' ({meaning})")] == []
