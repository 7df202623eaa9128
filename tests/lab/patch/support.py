"""What tests of updates ask a host."""

from orchestrator.model.told import Topic
from orchestrator.store.repository import Store
from tests.lab.servers import wait_listening

from .conftest import PORT

APPLY = ("patch", "apply", "--yes")


def versions(lab, host):
    """Return the versions of the small packages by name."""
    shown = lab.run(host, ["dpkg-query", "-W", "-f=${Package} ${Version}\\n", "tiny-*"])
    return dict(line.split() for line in shown.stdout.decode().splitlines() if " " in line)


def answer(lab, host):
    """Return what the service answers, which is its version, once it listens."""
    wait_listening(lab, host, PORT)
    fetch = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{PORT}').read())"
    return lab.run(host, ["python3", "-c", fetch]).stdout.decode().strip()[2:-1]


def waiting(desk, host):
    """Return the updates that wait on a host, as the store knows without asking it."""
    with Store.open(desk.directory / ".luytre/store.sqlite") as store:
        (kept,) = store.answers(Topic.PATCHES, [host])
    return [one["name"] for one in kept.answer["updates"]]


def held(lab, host):
    """Return which processes of ours work with packages on a host."""
    found = lab.run(host, ["pgrep", "-a", "apt|dpkg"], check=False)
    return found.stdout.decode()
