"""The passwords of the backups: an ansible-vault file in the workspace, one word for each host.

The file can be copied and kept with the inventory. Its key lies in the state directory, which only
its owner can enter; ``luytre backup-self`` seals both.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.model.errors import ConfigurationError, Position
from orchestrator.model.i18n import _
from orchestrator.workspace.digest_key import read_or_create
from orchestrator.workspace.directory import Workspace
from orchestrator.workspace.editing import editing

FILE_NAME = "backup-passwords.yml"
KEY_NAME = "backup.key"
# 256 bits, in letters that can be typed from paper.
_BYTES = 32


class Passwords:
    """The password of each host's repository, by the host's name."""

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.directory / FILE_NAME
        self._key = workspace.prepare_state() / KEY_NAME

    def read(self) -> dict[str, str]:
        """Return host → password; nothing where there is no file yet.

        Raises ConfigurationError where it cannot be read, or was sealed with another key.
        """
        try:
            return self._opened(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeError) as error:
            raise self._wrong(str(error)) from error

    def ensure(self, hosts: Iterable[str]) -> Mapping[str, str]:
        """Return the password of each host; those that have none are given one, and it is kept.

        Of two at a time, both get the same. Raises ConfigurationError as ``read`` does, and where
        the file cannot be written.
        """
        import yaml  # noqa: PLC0415 - start-up time

        with editing(self.path, new_mode=0o600) as (text, write):
            known = self._opened(text) if text else {}
            missing = [host for host in hosts if host not in known]
            if missing:
                known |= {host: secrets.token_hex(_BYTES) for host in missing}
                sealed = self._vault().encrypt(yaml.safe_dump(known).encode(), vault_id="luytre")
                write(sealed.decode())
        return known

    def _opened(self, sealed: str) -> dict[str, str]:
        import yaml  # noqa: PLC0415 - start-up time
        from ansible.errors import AnsibleError  # noqa: PLC0415

        try:
            plain = yaml.safe_load(self._vault().decrypt(sealed))
        except (AnsibleError, yaml.YAMLError) as error:
            raise self._wrong(_("it was not sealed with the key of this workspace")) from error
        if not isinstance(plain, dict):
            raise self._wrong(_("it does not hold names and passwords"))
        return {str(host): str(password) for host, password in plain.items()}

    def _vault(self) -> Any:
        from ansible.parsing.vault import VaultLib, VaultSecret  # noqa: PLC0415 - start-up time

        secret = VaultSecret(read_or_create(self._key).hex().encode())
        return VaultLib([("luytre", secret)])

    def _wrong(self, reason: str) -> ConfigurationError:
        message = _("the passwords of the backups cannot be used: {reason}").format(reason=reason)
        hint = _("without them, nothing can be restored: bring file and key back from backup-self")
        return ConfigurationError(message, position=Position(str(self.path)), hint=hint)
