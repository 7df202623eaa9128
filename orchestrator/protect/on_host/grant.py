"""The vault's side of a drill: another host may read one client's repository, for a while.

It comes in with a key of its own and the client's forced command: it can add, never delete. sshd
itself lets the key expire (``expiry-time`` of sshd(8)), whatever becomes of whoever granted it.
"""

import os
import time

from . import places, vault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

# sshd(8), AUTHORIZED_KEYS: in the vault's own time zone.
_EXPIRY = "%Y%m%d%H%M%S"
_LONGEST_SECONDS = 48 * 3600


def grant(client: str, public_key: str, seconds: int) -> "Dict[str, Any]":
    """Let a key in as a client for so many seconds; return the account. Raises VaultError."""
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise vault.VaultError("not a time to let somebody in for: {!r}".format(seconds))
    until = time.strftime(_EXPIRY, time.localtime(time.time() + seconds))
    line = vault.key_line(client, public_key, 'expiry-time="{}"'.format(until))
    _rewrite(client, lambda lines: [*lines, line])
    return {"client": client, "account": vault.accounts()[client].pw_name}


def revoke(client: str, public_key: str) -> "Dict[str, Any]":
    """Let such a key in no more; the client's own, which never expires, stays."""
    _rewrite(
        client,
        lambda lines: [one for one in lines if "expiry-time" not in one or public_key not in one],
    )
    return {"client": client}


def _rewrite(client: str, change: "Callable[[List[str]], List[str]]") -> None:
    if client not in vault.clients():
        raise vault.VaultError("the vault has no repository of {}".format(client))
    path = os.path.join(vault.KEYS, vault.accounts()[client].pw_name)
    with places.locked(vault.KEYS_LOCK, wait=True):
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            # access.py has taken the key away while root deletes in the repository.
            told = "the vault prunes the repository of {}: later".format(client)
            raise vault.VaultError(told) from None
        places.write(path, "".join(line + "\n" for line in change(lines)), 0o644)
