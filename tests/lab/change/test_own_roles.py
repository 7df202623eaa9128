"""Users' own roles before and after a change: told as not journaled, never taken for ours."""

import signal

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from orchestrator.fleet import playbooks

from . import tree
from .desk import APPLY, ended, until
from .processes import of_desk
from .wishes import BANNER

pytestmark = pytest.mark.lab

# What roles write there, a reboot forgets.
NOTES = "/run/own-notes"


def note(words, **more):
    """Return a task that writes a line on the host."""
    shell = f'printf "%s\\n" "{words}" >>{NOTES}'
    return {"name": "Note", "ansible.builtin.shell": shell, "changed_when": True, **more}


def notes(yard, host):
    """Return the lines that roles wrote, and forget them."""
    script = f"cat {NOTES} 2>/dev/null; rm -f {NOTES}"
    return yard.lab.run(host, ["sh", "-c", script]).stdout.decode().splitlines()


@pytest.fixture
def around(desk):
    """A desk whose roles note what they see of the change around which they run."""
    look = "$(cat /etc/issue.net | grep -c ours) $(ls /var/lib/luytre/lock 2>/dev/null)"
    desk.role("monitoring-off", note(f"off {look}"))
    desk.role("monitoring-on", note(f"on {look}"))
    desk.settle(own_roles={"before": ["monitoring-off"], "after": ["monitoring-on"]})
    desk.want(BANNER)
    return desk


def test_own_roles_run_around_the_change_of_the_hosts_that_change_and_nowhere_else(
    around, yard, c1, c2
):
    issue = yard.lab.read(c2, "/etc/issue.net")
    yard.lab.write(c2, "/etc/issue.net", b"ours\n")
    applied = around.apply(c1, c2)
    assert applied.code == 0, applied
    assert applied.host(c1)["outcome"] == "confirmed"
    assert applied.host(c1)["reason"] == ""
    assert notes(yard, c1) == ["off 0 ", "on 1 "]
    assert notes(yard, c2) == []
    assert around.apply(c1, c2).host(c1)["outcome"] == "unchanged"
    assert notes(yard, c1) == []
    assert around.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0
    assert notes(yard, c1) == []
    yard.lab.write(c2, "/etc/issue.net", issue)


def test_plan_and_apply_say_before_asking_that_own_roles_are_not_journaled(around, c1):
    told = "own roles are not journaled: a rollback does not take back what they do"
    for words in (("plan",), ("apply", "--accept-impact", "all")):
        asked = around.luytre(*words, "--limit", c1)
        assert "own roles before the change of each host: monitoring-off" in asked.out
        assert "own roles after it is confirmed: monitoring-on" in asked.out
        assert told in asked.out
    assert asked.code == 6
    assert "nobody is there to confirm" in asked.err
    own = {"before": ["monitoring-off"], "after": ["monitoring-on"], "journaled": False}
    assert around.ask("plan", "--limit", c1).document["own_roles"] == own
    applied = around.apply(c1)
    assert applied.document["own_roles"] == own
    shown = around.luytre("runs", "show", applied.document["run"])
    assert "monitoring-off" in shown.out
    assert around.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0
    around.lab.run(c1, ["rm", NOTES])


def test_own_roles_get_the_inventory_as_it_is_with_groups_and_vault(
    around, yard, c1, tmp_path, monkeypatch
):
    """The vault's password is named by an ansible.cfg that would also loosen what we check."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "password").write_text("correct horse\n")
    loose = "vault_password_file = password\nhost_key_checking = False\nroles_path = /\n"
    (elsewhere / "ansible.cfg").write_text(f"[defaults]\n{loose}")
    monkeypatch.chdir(elsewhere)
    vault = VaultLib([("default", VaultSecret(b"correct horse"))])
    sealed = vault.encrypt(yaml.safe_dump({"token": "sentinel-of-the-vault"})).decode()
    group_vars = around.inventory / "group_vars"
    kept = yaml.safe_load((group_vars / "all.yml").read_text())
    (group_vars / "all.yml").unlink()
    (group_vars / "all").mkdir()
    (group_vars / "all/plain.yml").write_text(yaml.safe_dump({**kept, "floor": 3}))
    (group_vars / "all/vault.yml").write_text(sealed)
    endpoint = next(one for one in yard.lab.hosts() if one.name == c1)
    around.declare(
        c1,
        ansible_host=endpoint.address,
        ansible_ssh_common_args="",
        site="{{ 'nha-' ~ floor }}",
    )
    seen = "{{ site }} {{ token | length }} {{ 'all' in groups }} {{ ansible_facts.distribution }}"
    way = "{{ ansible_ssh_args.split()[0] }} {{ ansible_host }} {{ ansible_distribution }}"
    around.role(
        "monitoring-off",
        note(f"{seen} {way}"),
        note("as $(id -un)", become_user="ops"),
        {
            "name": "Look at home",
            "ansible.builtin.command": "cat marker",
            "args": {"chdir": str(elsewhere)},
            "connection": "local",
            "become": False,
            "changed_when": False,
        },
    )
    (elsewhere / "marker").write_text("here")
    yard.lab.write(c1, NOTES, b"", 0o666)
    applied = around.apply(c1)
    assert applied.code == 0, applied
    assert notes(yard, c1)[:2] == [f"nha-3 21 True Debian -F {c1} Debian", "as ops"]
    assert around.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0
    for place in (around.directory / ".luytre").rglob("*"):
        assert not place.is_file() or b"sentinel-of-the-vault" not in place.read_bytes()


def test_own_roles_are_never_taken_for_steps_of_the_change(around, yard, c1):
    """Their tasks have our names, and they ship modules, variables and a role path of their own."""
    role = around.role(
        "monitoring-off",
        *(note(f"as {name}", name=name) for name in ("Begin", "Packages", "Converge")),
        {
            "name": "Converge",
            "ansible.builtin.set_fact": {"luytre_payloads": "/nowhere", "luytre_run": "other"},
        },
        {"name": "Wait for confirm", "luytre": {"payload": "x"}},
        {"name": "Own roles have ended", "ansible.builtin.debug": {"msg": "not so"}},
        {
            "name": "Converge",
            "ansible.builtin.fail": {"msg": "only here"},
            "ignore_errors": True,
        },
    )
    (role / "library").mkdir()
    module = (
        "from ansible.module_utils.basic import AnsibleModule\n"
        "module = AnsibleModule({'payload': {'type': 'str'}})\n"
        "module.exit_json(changed=True, luytre={'state': 'converged', 'changed': ['all of it']})\n"
    )
    (role / "library/luytre.py").write_text(module)
    applied = around.apply(c1)
    assert applied.code == 0, applied
    assert applied.host(c1)["changed"] == ["own-banner"]
    assert tree.record(yard.lab, c1)["run"] == applied.document["run"]
    assert len(notes(yard, c1)) == 4
    assert around.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def test_a_role_that_ends_the_play_for_a_host_has_not_come_to_its_end(around, yard, c1):
    """Else the roles behind it would be left out, and nobody told."""
    leave = {"name": "Leave", "ansible.builtin.meta": "end_host"}
    around.role("monitoring-off", leave)
    applied = around.apply(c1)
    assert applied.code == 1, applied
    assert applied.host(c1)["outcome"] == "failed"
    assert "they left the play before its end" in applied.host(c1)["reason"]
    assert tree.record(yard.lab, c1) == {}


def test_a_role_that_fails_before_leaves_its_host_alone_and_the_others_go_on(around, yard, c1, c2):
    around.role(
        "monitoring-off",
        note("began", name="Own roles have ended"),
        {
            "name": "Ask the duty officer",
            "ansible.builtin.shell": "printf 'nobody \\033[31mthere\\n' >&2; exit 4",
            "changed_when": True,
            "when": f"inventory_hostname == '{c1}'",
        },
    )
    applied = around.apply(c1, c2)
    assert applied.code == 1, applied
    assert applied.host(c2)["outcome"] == "confirmed"
    told = applied.host(c1)
    assert told["outcome"] == "failed"
    head = "the own role monitoring-off failed: Ask the duty officer: non-zero return code: nobody "
    assert told["reason"].startswith(head)
    stays = "what the own roles did before it stays: monitoring-off"
    assert told["reason"].endswith(f"{stays}; the own roles after it did not run: monitoring-on")
    shown = around.luytre("runs", "show", applied.document["run"])
    assert "nobody" in shown.out
    assert "\033" not in shown.out + applied.out
    assert tree.record(yard.lab, c1) == {}
    assert notes(yard, c1) == ["began"]
    assert notes(yard, c2) == ["began", "on 1 "]
    assert around.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def test_a_role_that_fails_after_leaves_the_change_confirmed_and_is_named(around, yard, c1):
    around.role(
        "monitoring-on",
        {
            "name": "Tell the monitoring",
            "ansible.builtin.shell": "echo sentinel-of-a-task >&2; exit 9",
            "changed_when": True,
            "no_log": True,
        },
    )
    applied = around.apply(c1)
    assert applied.code == 1, applied
    told = applied.host(c1)
    assert told["outcome"] == "failed"
    assert told["reason"].startswith(
        "confirmed, but the own role monitoring-on failed: Tell the monitoring: "
    )
    assert told["changed"] == ["own-banner"]
    assert tree.record(yard.lab, c1)["state"] == "confirmed"
    assert yard.lab.read(c1, "/etc/issue.net") == b"ours\n"
    for place in (around.directory / ".luytre").rglob("*"):
        assert not place.is_file() or b"sentinel-of-a-task" not in place.read_bytes()
    assert notes(yard, c1) == ["off 0 "]
    assert around.ask("rollback", "--yes", "--run", applied.document["run"]).code == 0


def test_a_role_that_touches_what_is_to_change_makes_begin_refuse(around, yard, c1):
    issue = yard.lab.read(c1, "/etc/issue.net")
    greet = "echo theirs >/etc/issue.net"
    task = {"name": "Greet", "ansible.builtin.shell": greet, "changed_when": True}
    around.role("monitoring-off", task)
    applied = around.apply(c1)
    told = applied.host(c1)
    assert applied.code == 6, applied
    assert told["outcome"] == "refused"
    assert "changed since the plan: path:/etc/issue.net" in told["reason"]
    assert "what the own roles did before it stays: monitoring-off" in told["reason"]
    assert yard.lab.read(c1, "/etc/issue.net") == b"theirs\n"
    yard.lab.write(c1, "/etc/issue.net", issue)


def test_a_role_that_cuts_the_connection_is_told_as_that(around, yard, c1):
    cut = "systemctl stop ssh.socket ssh.service; systemctl kill --signal=KILL 'session-*.scope'"
    around.role(
        "monitoring-off",
        {"name": "Cut", "ansible.builtin.shell": cut, "changed_when": True},
        note("never comes so far"),
    )
    applied = around.apply(c1)
    yard.lab.run(c1, ["systemctl", "start", "ssh.service"])
    assert applied.code == 4, applied
    told = applied.host(c1)
    assert told["outcome"] == "unreachable"
    assert "the connection was lost in the own role monitoring-off" in told["reason"]
    assert notes(yard, c1) == []
    assert tree.record(yard.lab, c1) == {}


def test_a_role_that_hangs_is_ended_and_nothing_was_begun(around, yard, c1, monkeypatch):
    # Ansible itself takes its time on a busy machine before it says anything.
    monkeypatch.setattr(playbooks, "_IDLE_SECONDS", 25)
    hang = {"name": "Hang", "ansible.builtin.command": "sleep 4716", "changed_when": True}
    around.role("monitoring-off", hang)
    applied = around.apply(c1)
    yard.lab.run(c1, ["pkill", "-f", "sleep 4716"], check=False)
    assert applied.code == 1, applied
    told = applied.host(c1)
    assert told["outcome"] == "failed"
    assert "monitoring-off did not come to their end: Ansible was ended" in told["reason"]
    assert tree.record(yard.lab, c1) == {}
    assert of_desk(around) == []


@pytest.fixture
def waiting(around, yard, c1):
    """A role that waits on c1 until its file is there."""
    go = "/run/own-go"
    wait = {
        "name": "Wait",
        "ansible.builtin.shell": f"until [ -e {go} ]; do sleep 0.1; done",
        "changed_when": True,
    }
    yield lambda role: around.role(role, note(f"{role} waits"), wait)
    yard.lab.run(c1, ["touch", go])
    waits = ["pgrep", "-f", "until . -e /run/own-go"]
    until(lambda: yard.lab.run(c1, waits, check=False).returncode, "nobody waits")
    yard.lab.run(c1, ["rm", "-f", go, NOTES])


def interrupted(desk, yard, host, words):
    """Apply, interrupt as soon as a role has noted these words, and return how it ended."""
    seen = ["grep", "-q", words, NOTES]
    with desk.started(*APPLY, "--limit", host, "--output", "json") as applying:
        until(lambda: yard.lab.run(host, seen, check=False).returncode == 0, words)
        applying.send_signal(signal.SIGINT)
        return ended(applying)


def test_fault_17_ctrl_c_in_a_role_before_begins_nothing_of_ours(around, yard, c1, waiting):
    waiting("monitoring-off")
    applied = interrupted(around, yard, c1, "monitoring-off waits")
    assert applied.code == 130, applied
    told = applied.host(c1)
    assert told["outcome"] == "interrupted"
    assert told["reason"].startswith("interrupted before anything was changed; what the own roles")
    assert of_desk(around) == []
    assert tree.record(yard.lab, c1) == {}
    assert tree.leftovers(yard.lab, c1) == []


def test_fault_18_ctrl_c_in_a_role_after_keeps_the_change_and_resume_tells_what_is_missing(
    around, yard, c1, waiting
):
    waiting("monitoring-on")
    applied = interrupted(around, yard, c1, "monitoring-on waits")
    assert applied.code == 130, applied
    told = applied.host(c1)
    assert told["outcome"] == "interrupted"
    missing = "nobody saw the end of the own roles after it: monitoring-on"
    assert told["reason"] == f"confirmed; {missing}"
    assert tree.record(yard.lab, c1)["state"] == "confirmed"
    run = applied.document["run"]
    resumed = around.ask("runs", "resume", run, "--yes")
    assert resumed.code == 1, resumed
    seen = around.ask("runs", "show", run).host(c1)
    assert (seen["outcome"], seen["reason"]) == ("failed", f"confirmed; {missing}")
    assert around.ask("rollback", "--yes", "--run", run).code == 0
