"""Health checks that an operator declared of a host: whether its services still answer."""

from . import systemd
from .host import Host, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_SECONDS = 10.0


def failing(checks: "List[Dict[str, Any]]", host: Host) -> "List[str]":
    """Return what does not answer as declared, one sentence for each check; changes nothing."""
    told = []
    for check in checks:
        (kind,) = (key for key in check if key in _KINDS)
        try:
            problem = _KINDS[kind](check, host)
        except (Unreadable, OSError) as error:
            problem = str(error)
        if problem:
            told.append("{} {}: {}".format(kind, _shown(str(check[kind])), problem))
    return told


def _shown(what: str) -> str:
    """Return a check without what may be secret in it: a command's arguments, a URL's query."""
    words = what.split()
    return words[0].partition("?")[0] + (" …" if len(words) > 1 else "")


def _tcp(check: "Dict[str, Any]", host: Host) -> str:
    import socket

    place = (check.get("address", "localhost"), check["tcp"])
    socket.create_connection(place, timeout=_SECONDS).close()
    return ""


def _http(check: "Dict[str, Any]", host: Host) -> str:
    """Ask for a page. Who answers is not verified: this is no matter of secrets."""
    import http.client
    import ssl
    import urllib.error
    import urllib.request

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        opener.open(check["http"], timeout=_SECONDS).close()
    except urllib.error.HTTPError as answer:
        # From 400 on (RFC 9110, 15), and a redirection without end.
        return "answers {}".format(answer.code)
    except http.client.HTTPException as problem:
        return "no HTTP ({})".format(type(problem).__name__)
    return ""


def _unit(check: "Dict[str, Any]", host: Host) -> str:
    active = systemd.unit_states(host, [check["unit"]])[check["unit"]].active
    return "" if active == "active" else "is {}".format(active)


def _command(check: "Dict[str, Any]", host: Host) -> str:
    completed = host.run(["/bin/sh", "-c", check["command"]], seconds=_SECONDS)
    if completed.status == 0:
        return ""
    return "ended with {}: {}".format(completed.status, completed.complaint)


_KINDS = {"tcp": _tcp, "http": _http, "unit": _unit, "command": _command}
