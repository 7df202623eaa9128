"""Nothing that a real host says of itself stays English before a Vietnamese operator."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from orchestrator.lab import HostSpec, Lab
from orchestrator.model.host_words import in_words
from tests.lab.change.desk import Desk
from tests.lab.controls import mutations, story

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

PROFILE = "cis-level2-server"
PRISTINE, BROKEN = HostSpec("v1"), HostSpec("v2", "trixie")
LIBRARY = Path(mutations.__file__).with_name("library.sh").read_text()
# Words that only sentences hold: no option, no value, no file is called so.
# "an" is Vietnamese as well (an ninh: security).
ENGLISH = {
    *("the", "is", "are", "not", "and", "or", "but", "with", "without", "than", "by"),
    *("installed", "absent", "becomes", "writes", "removes", "creates", "loaded", "persisted"),
    *("mode", "owner", "directory", "boot", "set", "runs", "starts", "more", "missing", "cannot"),
    *("has", "of", "to", "it", "that", "which", "every", "everybody", "asked", "refused", "sets"),
    *("account", "accounts", "belongs", "never", "wanted", "refuses", "line", "default", "others"),
    *("only", "now", "after", "before", "decide", "change", "correct", "reads"),
}


@pytest.fixture(scope="module")
def said(
    lab_factory: Callable[[str], Lab], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what two hosts answer to audit and plan, as plain data: one is broken all over."""
    lab = lab_factory("viet")
    lab.up([PRISTINE, BROKEN])
    lab.run(BROKEN.name, ["sh"], breaks(BROKEN.release).encode(), timeout=600)
    desk = Desk(tmp_path_factory.mktemp("viet") / "desk", lab)
    desk.declare(**story.settings())
    desk.settle(profile=PROFILE)
    told = {verb: desk.ask(verb).document for verb in ("audit", "plan")}
    lab.down()
    assert failing(told["audit"], BROKEN) > failing(told["audit"], PRISTINE)
    return told


def breaks(release: str) -> str:
    """Return a script that breaks as many controls as a host can be without before it."""
    chosen = mutations.load(mutations.CONTAINER).values()
    scripts = [found.run for one in chosen if (found := one.at(release, 0))]
    return "".join(f"sh -ec {quote(LIBRARY + script)} < /dev/null || true\n" for script in scripts)


def failing(told: dict[str, Any], spec: HostSpec) -> int:
    """Return how many controls fail on one of the hosts."""
    host = next(host for host in told["hosts"] if host["host"] == spec.name)
    return sum(finding["verdict"] == "fail" for finding in host["findings"])


def of_audit(told: dict[str, Any]) -> Iterator[str]:
    for host in told["hosts"]:
        for finding in host["findings"]:
            for state in finding["states"]:
                yield from (state["expected"], state["observed"], state["detail"])


def of_plan(told: dict[str, Any]) -> Iterator[str]:
    for host in told["hosts"]:
        yield from (*host["problems"], *host["unplanned"].values(), *host["by_hand"].values())
        for change in host["changes"]:
            yield from (*change["summary"], *change["activates"])


@pytest.mark.parametrize(("verb", "texts"), [("audit", of_audit), ("plan", of_plan)])
def test_what_hosts_say_is_said_in_vietnamese(
    said: dict[str, Any],
    verb: str,
    texts: Callable[[dict[str, Any]], Iterator[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUYTRE_LANG", "vi")
    found = set(texts(said[verb]))
    assert len(found) > 200
    first_lines = {text: "".join(in_words(text).splitlines()[:1]) for text in found}
    english = {
        text: line
        for text, line in first_lines.items()
        if ENGLISH & {word.strip(",.;:()") for word in line.split()}
    }
    assert english == {}
