"""Controls for tests, small and quick."""

from typing import Any


def control(name: str, *desired: dict[str, Any], risk: str = "none", **more: Any) -> dict[str, Any]:
    """Return one control as its YAML would hold it."""
    return {
        "id": name,
        "title": {"en": name, "vi": name},
        "why": {"en": "A test wants it.", "vi": "Bài kiểm thử cần."},
        "severity": "medium",
        "risk": risk,
        "desired": list(desired),
        **more,
    }


def content(path: str, text: str = "ours\n", **more: Any) -> dict[str, Any]:
    """Return the wish for a file with a content."""
    return {"file": {"path": path, "content": text, **more}}


# Every new connection to SSH is dropped; those that stand go on.
LOCK_OUT = """\
table inet luytre {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 22 tcp flags & (syn | ack) == syn drop
	}
}
"""
# Nothing comes in and nothing goes out.
CUT_OFF = """\
table inet luytre {
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
	}
	chain output {
		type filter hook output priority filter; policy drop;
		oifname "lo" accept
	}
}
"""
BANNER = control("own-banner", content("/etc/issue.net"))
MARTIANS = control("own-martians", {"sysctl": {"net.ipv4.conf.all.log_martians": 1}})
GRACE = control("own-grace", {"sshd": {"LoginGraceTime": 45}})
DAEMON = control(
    "own-daemon",
    {"unit": {"name": "own-daemon.service", "enabled": False, "active": False, "masked": True}},
)
WALL = control("own-wall", {"nft": {"template": "nftables/luytre.nft.j2"}}, risk="lockout")
TRAP = control("own-trap", {"nft": {"ruleset": LOCK_OUT}}, risk="lockout")
DEAD_END = control("own-dead-end", {"nft": {"ruleset": CUT_OFF}}, risk="lockout")
