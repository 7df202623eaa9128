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


# Every new connection to SSH is dropped; those that stand may go on.
LOCK_OUT = """\
table inet luytre {
	chain input {
		type filter hook input priority filter; policy accept;
		ct state established accept
		tcp dport 22 ct state new drop
	}
}
"""
BANNER = control("own-banner", content("/etc/issue.net"))
MARTIANS = control("own-martians", {"sysctl": {"net.ipv4.conf.all.log_martians": 1}})
GRACE = control("own-grace", {"sshd": {"LoginGraceTime": 45}})
WALL = control("own-wall", {"nft": {"template": "nftables/luytre.nft.j2"}}, risk="lockout")
TRAP = control("own-trap", {"nft": {"ruleset": LOCK_OUT}}, risk="lockout")
