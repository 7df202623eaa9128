"""Login by password, for the one hour in which a host has nothing else. Imports paramiko."""

import paramiko

from orchestrator.fleet.reasons import KeyUnusable
from orchestrator.fleet.unspoken import methods_of
from orchestrator.model.host import Endpoint
from orchestrator.model.i18n import _


class PasswordLogin:
    """Authenticates one transport with one password, tried once: nobody shall be locked out."""

    def __init__(self, endpoint: Endpoint, password: str) -> None:
        self._endpoint = endpoint
        self._password = password

    def authenticate(self, transport: paramiko.Transport) -> list[str]:
        """Log in, or raise paramiko's AuthenticationException or KeyUnusable.

        Where the host asks questions instead of taking a password, one that asks for a single
        thing is answered with it.
        """
        more = transport.auth_password(self._endpoint.user, self._password)
        if more:
            message = _("it wants more than a password: {methods}")
            raise KeyUnusable(message.format(methods=methods_of(self._endpoint, more)))
        return []
