"""Runs on a lab host: kill the agent at every single step of its work and look at what is left.

``crash_driver.py PHASE AGENT_ZIP STRIDE`` tells, as JSON, how many deaths were died and what went
wrong. A step is whatever changes the host: the interpreter's audit events name them all. STRIDE is
the distance from one death to the next.
"""

import json
import marshal
import os
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[2])

from agent import arm, change, converge, plan, rollback, runs, undo
from agent.host import Host, Refused, Unreadable
from agent.runs import Run

STEPS = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link"),
    *("os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr"),
    *("os.fork", "os.posix_spawn"),
}
ROOM = Path("/root/crash")
ETC = Path("/etc/systemd/system")
ROOTS = (ROOM, ETC, Path("/etc/sysctl.d"), Path("/run/motd.d"), Path("/etc/luytre"))
SYSCTL = "net.ipv4.conf.all.log_martians"
UNITS = ("crash-probe.service", "crash-other.service")
FIREWALL = "luytre-firewall.service"
RULES = "table inet luytre {\n\tchain new {\n\t}\n}\n"
FORMER_RULES = "table inet luytre {\n\tchain old {\n\t}\n}\n"
CONTROLS = [
    {"file": {"path": f"{ROOM}/file", "content": "new\n", "mode": "0600"}},
    {"file": {"path": f"{ROOM}/dressed", "mode": "0600"}},
    {"file": {"path": f"{ROOM}/a/b/new", "content": "x", "restart": ["crash-other.service"]}},
    {"file": {"path": f"{ROOM}/gone", "state": "absent"}},
    {"sysctl": {SYSCTL: 1}},
    {"unit": {"name": "crash-probe.service", "enabled": False, "active": False}},
    {"nft": {"ruleset": RULES}},
]
MANIFEST = {
    "controls": [
        {"id": f"c{number}", "desired": [{"kind": kind, "want": want}]}
        for number, control in enumerate(CONTROLS)
        for kind, want in control.items()
    ]
}
SETUP = f"""
rm -rf {ROOM} /etc/sysctl.d/zz-luytre-*; mkdir -p {ROOM}
cd {ROOM}; echo old > file; chmod 644 file; echo log > dressed; chmod 666 dressed; echo x > gone
sysctl -qw {SYSCTL}=0
for unit in {" ".join(UNITS)}; do
  printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=crash.target\\n' \
    > /etc/systemd/system/$unit
done
systemctl daemon-reload; systemctl -q enable --now {" ".join(UNITS)}
nft -f - <<'END'
add table inet luytre
delete table inet luytre
{FORMER_RULES}END
"""
CLEAN = """
for t in $(systemctl list-units --plain --no-legend 'luytre-*' | cut -d' ' -f1); do
  systemctl stop $t 2>/dev/null || true  # it may just have ended by itself
done
rm -rf /var/lib/luytre /run/luytre /run/motd.d/luytre /etc/systemd/system/luytre-* \
  /etc/systemd/system/*/luytre-* /etc/luytre
systemctl daemon-reload
"""


def shell(script: str) -> str:
    """Run a script that must succeed."""
    return subprocess.run(
        ["/bin/sh", "-ec", script], check=True, capture_output=True, text=True
    ).stdout


def seen() -> dict[str, str]:
    """Return everything that the changes could touch."""
    found = {unit: shell(f"systemctl is-active {unit} || true") for unit in UNITS}
    found[SYSCTL] = shell(f"sysctl -n {SYSCTL}")
    found["rules"] = rules()
    for root in ROOTS:
        for place in sorted(root.rglob("*")):
            told = place.lstat()
            content = str(place.readlink()) if place.is_symlink() else ""
            if place.is_file() and not place.is_symlink():
                content = place.read_text()
            owner = f"{told.st_uid}:{told.st_gid}"
            found[str(place)] = f"{oct(told.st_mode)} {owner} {content}"
    return found


def rules() -> str:
    """Return our table as it runs."""
    return shell("nft list table inet luytre 2>/dev/null || true")


def armed(run: Run) -> dict[str, bool]:
    """Return which parts of the armed way back are there."""
    return {
        "timer": bool(arm.timers(run, Host())),
        "boot": Path("/etc/systemd/system/luytre-revert.service").exists(),
        "motd": Path("/run/motd.d/luytre").exists(),
    }


def sources() -> bytes:
    """Return the agent as the controller packs it."""
    with zipfile.ZipFile(sys.argv[2]) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return zlib.compress(marshal.dumps(files, 2))


def planned(name: str) -> dict[str, Any]:
    """Plan on this host and leave the secrets as a preflight does; return begin's request."""
    host = Host()
    changes = plan.plan(MANIFEST, host, b"k" * 16, None)["changes"]
    assert len(changes) == len(CONTROLS), changes
    runs.private_directory(runs.SECRETS)
    secret = json.dumps({"digest_key": (b"k" * 16).hex()})
    runs.write_private(f"{runs.SECRETS}/{name}", secret.encode())
    return {
        "run": name,
        "operator": "test",
        "controller": "test",
        "witness": "",
        "window": 60,
        "journal_days": 90,
        "prunes": [],
        "manifest": MANIFEST,
        "install": {},
        "remove": [],
        "changes": {each["control"]: each["before"] for each in changes},
    }


def dies(step: int, work: Callable[[], object]) -> bool:
    """Let a child do the work and die before its ``step``-th change; return whether it died."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), 9)

        sys.addaudithook(count)
        try:
            work()
        except (Refused, Unreadable) as problem:
            print(problem, file=sys.stderr)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9


def saved_agent(run: Run, verb: str) -> None:
    """Do what timer, boot unit or undo would: run the agent that was saved with the run."""
    done = subprocess.run(arm.command(run, verb), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{verb}: {done.stderr}"


def free_for_another(run: Run) -> str:
    """Return why another run could not begin, once an abandoned lock has grown old."""
    lock = Path(runs.LOCK)
    if lock.exists():
        held = json.loads(lock.read_text())
        held["uptime"] = time.monotonic() - runs.STALE_SECONDS - 1
        lock.write_text(json.dumps(held))
    other = Run(run.name + "-other")
    try:
        runs.acquire(other, "o", "c")
    except Refused as problem:
        return str(problem)
    runs.release(other)
    return ""


def in_begin(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Die in begin: nothing has been changed, and the host is free after a while."""
    run = Run(f"begin-{step}")
    request = planned(run.name)
    died = dies(step, lambda: change.begin(request, sources(), {}, Host()))
    wrong = [] if seen() == before else ["begin changed the host"]
    wrong += [why for why in [free_for_another(run)] if why]
    following = Run(run.name + "-following")
    change.begin(planned(following.name), sources(), {}, Host())
    if died and not run.exists() and Path(run.directory).exists():
        wrong.append("what it left is kept for good")
    rollback.drop(following, Host())
    return died, wrong


def in_converge(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Die in converge: the host is as it was, or it is armed and the timer brings it back."""
    run = Run(f"converge-{step}")
    change.begin(planned(run.name), sources(), {}, Host())
    died = dies(step, lambda: converge.converge(run, Host()))
    state, parts = run.record()["state"], armed(run)
    if state == "begun":
        wrong = [] if {**seen(), **before} == seen() else ["changed before it was armed"]
    else:
        wrong = [f"{state} without {part}" for part, there in parts.items() if not there]
    saved_agent(run, "expire")
    return died, wrong + aftermath(run, before)


def in_expire(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Die on the way back: it is armed still, and the next attempt takes the work on."""
    run = Run(f"expire-{step}")
    change.begin(planned(run.name), sources(), {}, Host())
    converge.converge(run, Host())
    died = dies(step, lambda: rollback.expire(run, Host()))
    wrong = []
    if run.record()["state"] not in ("rolled_back", "converged"):
        wrong = [f"not {part}" for part, there in armed(run).items() if not there]
    saved_agent(run, "expire")
    return died, wrong + aftermath(run, before)


def in_confirm(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Die in confirm: unconfirmed goes back, confirmed stays so and can be confirmed again."""
    run = Run(f"confirm-{step}")
    change.begin(planned(run.name), sources(), {}, Host())
    converge.converge(run, Host())
    died = dies(step, lambda: change.confirm({"run": run.name}, Host()))
    state = run.record()["state"]
    saved_agent(run, "expire")
    if state == "converged":
        return died, aftermath(run, before)
    change.confirm({"run": run.name}, Host())
    wrong = [] if run.record()["state"] == "confirmed" else ["confirmed no more"]
    wrong += [f"{part} is left" for part, there in armed(run).items() if there]
    wrong += [why for why in [free_for_another(run)] if why]
    undo.undo(run, Host(), "rollback", force=False)
    return died, wrong + aftermath(run, before)


def in_power(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Die in confirm and lose the power: unconfirmed goes back, confirmed has its rules again."""
    run = Run(f"power-{step}")
    change.begin(planned(run.name), sources(), {}, Host())
    converge.converge(run, Host())
    died = dies(step, lambda: change.confirm({"run": run.name}, Host()))
    kept = run.record()["state"] == "confirmed"
    lose_power()
    if (ETC / "luytre-revert.service").exists():
        saved_agent(run, "boot")
    boot_rest()
    if not kept:
        shell(f"nft -f - <<'END'\n{FORMER_RULES}END")
        return died, aftermath(run, before)
    wrong = [] if rules() == RULES else [f"the rules are lost: {rules()!r}"]
    wrong += [f"{part} is left" for part, there in armed(run).items() if there]
    wrong += [why for why in [free_for_another(run)] if why]
    undo.undo(run, Host(), "rollback", force=False)
    return died, wrong + aftermath(run, before)


def confirmed(name: str) -> Run:
    """Bring a run as far as its confirmation."""
    run = Run(name)
    change.begin(planned(run.name), sources(), {}, Host())
    converge.converge(run, Host())
    change.confirm({"run": run.name}, Host())
    return run


def in_undo(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Die while a confirmed run is taken back: systemd starts it again, which takes it on."""
    run = confirmed(f"undo-{step}")
    died = dies(step, lambda: undo.undo(run, Host(), "rollback", force=False))
    saved_agent(run, "rollback")
    return died, aftermath(run, before)


def in_undo_power(step: int, before: dict[str, str]) -> tuple[bool, list[str]]:
    """Lose the power while a confirmed run is taken back: the boot takes it on."""
    run = confirmed(f"undo-power-{step}")
    died = dies(step, lambda: undo.undo(run, Host(), "rollback", force=False))
    wrong = []
    if run.record()["state"] == "rolling_back" and not armed(run)["boot"]:
        wrong = ["half taken back, and no boot knows of it"]
    lose_power()
    if (ETC / "luytre-revert.service").exists():
        saved_agent(run, "boot")
    boot_rest()
    if run.record()["state"] == "confirmed":
        undo.undo(run, Host(), "rollback", force=False)
    else:
        shell(f"nft -f - <<'END'\n{FORMER_RULES}END")
        # A boot starts what its links name.
        shell(f"cd {ETC}/crash.target.wants; systemctl daemon-reload; systemctl start *")
    return died, wrong + aftermath(run, before)


def lose_power() -> None:
    """Forget what lives in memory only: timers, loaded rules, what preflight left."""
    timers = shell("systemctl list-units --plain --no-legend 'luytre-*' | cut -d' ' -f1").split()
    for unit in timers:
        shell(f"systemctl stop {unit}")
    shell("rm -rf /run/luytre /run/motd.d/luytre; nft delete table inet luytre")
    shell(f"sysctl -qw {SYSCTL}=0")


def boot_rest() -> None:
    """Start what the boot starts of ours after the boot unit, and wait until nothing works."""
    link = ETC / "sysinit.target.wants" / FIREWALL
    shell("/lib/systemd/systemd-sysctl")
    if link.exists():
        shell(f"systemctl start {FIREWALL}")
    working = "systemctl list-units --plain --no-legend 'luytre-expire-*'; systemctl list-jobs"
    while "luytre-" in shell(working):
        time.sleep(0.05)


def aftermath(run: Run, before: dict[str, str]) -> list[str]:
    """Return what is wrong on a host that has gone back."""
    now, state = seen(), run.record()["state"]
    wrong = [
        f"{key}: was {before.get(key)}, is {now.get(key)}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    wrong += [f"{part} is left" for part, there in armed(run).items() if there]
    if state not in ("rolled_back", "dropped"):
        wrong.append(f"the run is {state}: {run.record().get('reason')}")
    if run.path("reserve") and Path(run.path("reserve")).exists():
        wrong.append("the reserve is left")
    return wrong + [why for why in [free_for_another(run)] if why]


PHASES = {
    "begin": in_begin,
    "converge": in_converge,
    "expire": in_expire,
    "confirm": in_confirm,
    "power": in_power,
    "undo": in_undo,
    "undo-power": in_undo_power,
}


def main() -> None:
    """Die at every step of one phase until it comes to its end alive."""
    wrong: dict[int, list[str]] = {}
    step, stride, died, deaths = 1, int(sys.argv[3]), True, -1
    while died:
        deaths += 1
        shell(CLEAN + SETUP)
        died, found = PHASES[sys.argv[1]](step, seen())
        if found:
            wrong[step] = found
        step += stride
    shell(CLEAN)
    print(json.dumps({"deaths": deaths, "wrong": wrong}))


if __name__ == "__main__":
    main()
