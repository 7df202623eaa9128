"""Secrets of the lab: one login key and one password per lab, one host key per host."""

import base64
import hashlib
import os
import secrets
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


def ensure_password(path: Path) -> str:
    """Write a new password to ``path`` (0600) unless there is one, and return it."""
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{secrets.token_urlsafe(12)}\n")
    return path.read_text().strip()


def fingerprint(public: str) -> str:
    """Return the fingerprint of a public key's line as OpenSSH prints it (``SHA256:…``)."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
