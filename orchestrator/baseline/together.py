"""What the states of one path have to know of each other.

A directory that becomes a file system has all of its options from the start: the controls of the
options find nothing to change before it is one, and afterwards the run is over.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def join_mounts(controls: Sequence[Mapping[str, Any]]) -> None:
    """Tell each compiled ``mount`` state that may make a file system the options of its others.

    They stand in its ``new_options``, which say nothing about what is right, only how to make it.
    """
    wants = list(_mounts(controls))
    for want in wants:
        if "type" in want:
            others = [other for other in wants if other["path"] == want["path"]]
            options = dict.fromkeys(flag for other in others for flag in other.get("options", ()))
            want["new_options"] = sorted(options)


def _mounts(controls: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for control in controls:
        for wish in control["desired"]:
            if wish.get("kind") == "mount":
                yield wish["want"]
