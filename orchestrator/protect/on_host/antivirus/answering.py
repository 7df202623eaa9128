"""Whether the mirror answers over HTTP, at the address that its clients have."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from urllib.request import OpenerDirector

_SECONDS = 10.0
# A web server that was told to read its settings anew does so a moment later.
_PATIENCE = 3.0
_PAUSE = 0.2


def unanswered(url: str, directory: str) -> str:
    """Return why clients would not get every file of a directory whole; empty: they would."""
    deadline = time.monotonic() + _PATIENCE
    problem = _problem(url, directory)
    while problem and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        problem = _problem(url, directory)
    return problem


def _problem(url: str, directory: str) -> str:
    import urllib.request

    # Clients inside the network ask no proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    # What a link names may be published anew meanwhile.
    served = os.path.realpath(directory)
    for name in sorted(os.listdir(served)) if os.path.exists(served) else []:
        place = "{}/{}".format(url, name)
        problem = _refusal(opener, place, os.path.getsize(os.path.join(served, name)))
        if problem:
            return "{}: {}".format(place, problem)
    return ""


def _refusal(opener: "OpenerDirector", place: str, size: int) -> str:
    """Return why a file of some size is not to be had at a place, empty where it is."""
    import http.client
    import urllib.error
    import urllib.request

    try:
        asked = urllib.request.Request(place, method="HEAD")
        with opener.open(asked, timeout=_SECONDS) as answer:
            told = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as refused:
        return "answers {}".format(refused.code)
    except urllib.error.URLError as lost:
        return str(getattr(lost.reason, "strerror", None) or lost.reason)
    except OSError as lost:
        return lost.strerror or str(lost)
    except http.client.HTTPException as problem:
        return "no HTTP ({})".format(type(problem).__name__)
    return "" if told == str(size) else "another file is served"
