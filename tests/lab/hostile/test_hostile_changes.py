"""Changes beside hosts whose Python lies to Ansible: nothing that it says is evaluated."""

import json
from pathlib import Path

import pytest

from orchestrator.fleet import playbooks

from ..change.wishes import BANNER
from .zoo import GOOD, HOSTILE

pytestmark = pytest.mark.lab

OWNED = Path("/tmp/luytre-zoo-owned")
_DO = "{{ lookup('ansible.builtin.pipe', 'touch /tmp/luytre-zoo-owned') }}"
# Asked by us over SSH it is Python; of Ansible's modules it makes what it likes.
_TWO_FACES = """#!/bin/sh
[ $# -eq 0 ] || exec /usr/bin/python3 "$@"
cat >/dev/null
{answer}
"""


def answering(result):
    return _TWO_FACES.format(answer=f"cat <<'END'\n{json.dumps(result)}\nEND")


def result(state="begun", **more):
    told = {"state": state, "reason": _DO, "changed": [_DO]}
    return {"changed": True, "msg": _DO, "luytre": told, "invocation": {"x": _DO}} | more


LIARS = {
    "templates": answering(result()),
    "facts": answering(
        result(
            ansible_facts={
                "luytre_payloads": _DO,
                "luytre_install": [_DO],
                "luytre_remove": ["{{ luytre_run }}"],
                "ansible_host": _DO,
                "ansible_become_exe": "touch /tmp/luytre-zoo-owned;",
            },
            deprecations=[{"msg": _DO}],
            warnings=[_DO],
        )
    ),
    "fails": answering(result("failed", failed=True)),
    "number": answering(result(luytre=5)),
    "list": answering(result(luytre=[_DO])),
    "strange": answering(result(luytre={"state": ["begun"], "changed": {"a": 1}, "reason": 7})),
    "garbage": _TWO_FACES.format(answer="printf '\\377\\033[31m{\"changed\": tru'"),
    "pours": _TWO_FACES.format(answer="head -c 10485760 /dev/zero"),
    "complains": _TWO_FACES.format(answer="printf '\\033]0;owned\\007' >&2; exit 3"),
}


@pytest.fixture
def clean(zoo):
    """The honest host is as it was, before and after."""
    OWNED.unlink(missing_ok=True)
    zoo.want(BANNER)
    yield zoo
    zoo.luytre("rollback", "--yes", "--host", GOOD, "--force")
    zoo.lab.run(HOSTILE, ["sh", "-c", "rm -rf /var/lib/luytre/* /run/luytre"])


def outcomes(applied):
    return {one["host"]: one for one in applied.document["hosts"]}


def test_fault_20_26_27_hosts_that_lie_to_ansible_fail_alone_and_nothing_is_evaluated(clean):
    for name, script in LIARS.items():
        clean.put(f"lies-{name}", script)
    applied = clean.ask("apply", "--yes")
    told = outcomes(applied)
    assert applied.code == 1, applied
    assert set(told) == {GOOD, *(f"lies-{name}" for name in LIARS)}
    assert told[GOOD]["outcome"] == "confirmed"
    for name in LIARS:
        assert told[f"lies-{name}"]["outcome"] in ("failed", "unreachable"), told
    assert not OWNED.exists()
    shown = clean.luytre("runs", "show", applied.document["run"])
    assert all(line.isprintable() for line in (shown.out + applied.out).split("\n"))


@pytest.mark.parametrize(
    ("name", "answer"),
    [("hangs", "exec sleep 4715"), ("asks", "printf 'Token: ' >&2; read x </dev/tty; sleep 4715")],
)
def test_fault_16_19_a_host_that_hangs_under_ansible_is_ended_and_the_others_are_changed(
    clean, monkeypatch, name, answer
):
    monkeypatch.setattr(playbooks, "_IDLE_SECONDS", 25)
    clean.put(name, _TWO_FACES.format(answer=answer))
    applied = clean.ask("apply", "--yes")
    assert applied.code == 1, applied
    told = outcomes(applied)
    assert told[GOOD]["outcome"] == "confirmed"
    assert told[name]["outcome"] == "failed"
    assert "it had said nothing for 25 s" in told[name]["reason"]
