"""SSH keys of the lab: one login key per lab, one host key per host, made on the machine."""

import base64
import hashlib
from pathlib import Path

from orchestrator.lab.commands import run


def ensure_key(path: Path, comment: str) -> str:
    """Make an Ed25519 key pair at ``path`` (0600) and ``path.pub`` unless it is there.

    Returns the public key's line.
    """
    public = path.with_name(f"{path.name}.pub")
    if not public.exists():
        path.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return public.read_text()


def fingerprint(public: str) -> str:
    """Return the fingerprint of a public key's line as OpenSSH prints it (``SHA256:…``)."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
