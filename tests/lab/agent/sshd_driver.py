"""Runs on a lab host: random SSH configurations, and what sshd itself says of every login.

``sshd_driver.py AGENT_ZIP SEED ROUNDS`` tells, as JSON, where our judgement differs: ``missed`` (a
login gets what is not wanted, and we say pass), ``invented`` (we say fail, no login gets it) and
``undecided`` (our drop-in does not decide, and we name no Match block that does).
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from agent.host import Host
from agent.kinds import Target, sshd

ETC = Path("/etc/ssh")
WANT = {"X11Forwarding": "no", "MaxAuthTries": {"at_most": 4}, "ClientAliveInterval": 300}
OPTIONS = (
    *("X11Forwarding no", "X11Forwarding yes", "x11forwarding=yes # loose", 'X11Forwarding "yes"'),
    *("MaxAuthTries 3", "MaxAuthTries 6", "ClientAliveInterval 300", "ClientAliveInterval 5m"),
    *("# X11Forwarding yes", "PermitTTY yes", 'X11Forwarding = "no"', "MaxAuthTries 2"),
)
MATCHES = (
    *("Match User root", "Match User alice,bob", "match user a*,!alice # people", "Match all"),
    *("Match Address 192.0.2.0/24", "Match Group staff", "Match=User bob", "MATCH ALL"),
    *('Match User "alice"', "Match User root Address 10.0.0.0/8", "Match LocalPort 22"),
)
INCLUDES = (
    *("Include /etc/ssh/extra/*.conf", "Include extra/a.conf", "include=extra/b.cfg"),
    *('Include "extra/with space.conf"', "Include extra/*.conf extra/b.cfg", "Include extra/none"),
    *("Include e?tra/[ab].c*", "Include extra/[!a]*", "Include /etc/ssh/extra/../extra/a.conf"),
    *("Include extra/*", "Include extra/deep/*/*.conf", "Include 'extra/with space.conf'"),
    *("Include extra/with\\ space.conf", "Include extra/[^a].c*", "Include extra/deep"),
)
HEAD = "X11Forwarding no\nMaxAuthTries 4\nClientAliveInterval 300\n"
DEBIAN = "Include /etc/ssh/sshd_config.d/*.conf\n"
FILES = (
    *("sshd_config.d/10-a.conf", "sshd_config.d/x.conf", "sshd_config.d/.hidden.conf"),
    *("sshd_config.d/y.txt", "extra/a.conf", "extra/b.cfg", "extra/with space.conf"),
    *("extra/deep/1/c.conf", "extra/.z.conf"),
)
LOGINS = [
    f"user={user},host=h,addr={address},laddr=192.0.2.1,lport=22"
    for user in ("root", "alice", "bob", "aaron", "nobody")
    for address in ("192.0.2.7", "10.1.2.3")
]


def lines(dice: random.Random, depth: int) -> str:
    """Return some lines of a configuration; deeper files include less."""
    found = []
    for _ in range(dice.randrange(1, 5)):
        pools = (OPTIONS, OPTIONS, MATCHES, INCLUDES if depth < 2 else OPTIONS)
        found.append(dice.choice(("", "  ", "\t")) + dice.choice(dice.choice(pools)))
    return "\n".join(found) + dice.choice(("\n", ""))


def spread(dice: random.Random) -> None:
    """Write a random tree of configuration files."""
    for name in ("sshd_config", "sshd_config.d", "extra"):
        place = ETC / name
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    for name in dice.sample(FILES, 5):
        (ETC / name).parent.mkdir(parents=True, exist_ok=True)
        (ETC / name).write_text(lines(dice, 1 if name.startswith("sshd_config.d") else 2))
    head = dice.choice((HEAD, HEAD + DEBIAN, DEBIAN + HEAD))
    (ETC / "sshd_config").write_text(head + lines(dice, 0))


def given(login: str) -> dict[str, str] | None:
    """Return the options of one login, None where sshd takes no such configuration."""
    argv = ["/usr/sbin/sshd", "-T", *(["-C", login] if login else [])]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def good(options: dict[str, str]) -> bool:
    """Return whether a login gets what is wanted."""
    forwards, tries, alive = (options.get(name.lower(), "") for name in WANT)
    return forwards == "no" and int(tries or 99) <= 4 and alive == "300"


def tree() -> dict[str, str]:
    """Return the configuration as it stands."""
    places = [ETC / "sshd_config", *ETC.glob("sshd_config.d/*"), *ETC.glob("extra/**/*")]
    return {str(p): p.read_text() for p in places if p.is_file()}


def main() -> None:
    """Judge random configurations and compare with what sshd does."""
    dice = random.Random(int(sys.argv[2]))
    told: dict[str, list[object]] = {"missed": [], "invented": [], "undecided": []}
    judged = loose = 0
    while judged < int(sys.argv[3]):
        spread(dice)
        general = given("")
        if general is None:
            continue
        judged += 1
        logins = [given(login) or {} for login in LOGINS]
        bad = [login for login, options in zip(LOGINS, logins, strict=True) if not good(options)]
        loose += bool(bad)
        verdict = sshd.judge(WANT, sshd.observe(WANT, Host()))
        if bad and verdict.verdict == "pass":
            told["missed"].append([bad[0], tree()])
        elif not bad and verdict.verdict == "fail" and good(general):
            told["invented"].append([verdict.detail, tree()])
        sshd.converge(WANT, Target(Host(), "probe"))
        blocks = sshd.judge(WANT, sshd.observe(WANT, Host())).detail
        if not blocks and not good(given("") or {}):
            told["undecided"].append(["", tree()])
    print(json.dumps(dict(told, judged=judged, loose=loose)))


if __name__ == "__main__":
    os.umask(0o022)
    main()
