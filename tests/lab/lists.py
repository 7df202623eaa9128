"""apt's lists cut down to what tests can need: with all of Debian, each question takes a second.

apt trusts the lists that it has fetched; what is left in them is found on the mirrors as before.
"""

import hashlib
import re
from collections.abc import Iterable

from orchestrator.baseline.load import load_baseline
from orchestrator.lab import Lab
from orchestrator.model.control import Alternatives
from orchestrator.workspace.shipped import shipped
from tests.lab.change.tree import is_vm

_LISTS = "/var/lib/apt/lists"
_FIELD = re.compile(r"^(Package|Provides|Depends|Pre-Depends): (.*)$", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]+")


# What a list was cut down to, by its digest and what was kept: many hosts have the same lists.
_cut: dict[tuple[bytes, frozenset[str]], str] = {}


def cut_down(lab: Lab, host: str, wanted: Iterable[str]) -> None:
    """Keep of a host's lists what is installed, the wanted packages and all that they may need."""
    shown = lab.run(host, ["dpkg-query", "-W", "-f=${Package}\\n"]).stdout.decode().split()
    # A virtual machine's lists are those of its image as long as nobody has fetched others.
    root = lab.state_dir / f"hosts/{host}/image" if is_vm(lab, host) else lab.root(host)
    named = frozenset([*shown, *wanted])
    for path in (root / _LISTS[1:]).glob("*_Packages"):
        data = path.read_bytes()
        key = hashlib.sha256(data).digest(), named
        if key not in _cut:
            _cut[key] = _left(data.decode(), named)
        lab.write(host, f"{_LISTS}/{path.name}", _cut[key].encode())
    lab.run(host, ["apt-cache", "gencaches"])


def _left(text: str, named: frozenset[str]) -> str:
    needs = _needs([text])
    kept: set[str] = set()
    ahead = set(named)
    while ahead:
        kept |= ahead
        ahead = {need for name in ahead for need in needs.get(name, ())} - kept
    paragraphs = [each for each in text.split("\n\n") if _fields(each).get("Package") in kept]
    return "\n\n".join(paragraphs) + "\n"


def _needs(lists: Iterable[str]) -> dict[str, set[str]]:
    """Return name → what it may need; a virtual name needs each of its providers."""
    needs: dict[str, set[str]] = {}
    for text in lists:
        for paragraph in text.split("\n\n"):
            fields = _fields(paragraph)
            name = fields.get("Package", "")
            depends = f"{fields.get('Depends', '')},{fields.get('Pre-Depends', '')}"
            needs.setdefault(name, set()).update(_names(depends))
            for virtual in _names(fields.get("Provides", "")):
                needs.setdefault(virtual, set()).add(name)
    return needs


def _fields(paragraph: str) -> dict[str, str]:
    return dict(_FIELD.findall(paragraph))


def _names(relations: str) -> set[str]:
    """Return the names in a list of relations, alternatives included, without versions."""
    parts = [part.strip() for part in re.split(r"[,|]", relations)]
    return {found[0] for part in parts if (found := _NAME.match(part))}


def packages() -> set[str]:
    """Return the packages that the baseline names."""
    return {
        state.want["name"]
        for control in load_baseline([shipped("baselines")]).controls.values()
        for wish in control.desired
        for way in (wish.any_of if isinstance(wish, Alternatives) else [[wish]])
        for state in way
        if state.kind == "package"
    }
