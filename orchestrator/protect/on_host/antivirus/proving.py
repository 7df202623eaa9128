"""The proof that malware would be found: the harmless test file, through the real scanner."""

import os
import shutil
import time

from .. import places
from . import layout, scanning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# Put together when it is written: a scanner must not find this program.
_TEST_FILE = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*")


def prove() -> "Dict[str, Any]":
    """Write the test file, scan it, take it away; keep and return what came of it.

    ``state`` is ``found``, ``missed`` or ``failed`` (nothing could be scanned). Nothing else is in
    the directory, which is root's alone.
    """
    shutil.rmtree(layout.PROVING, ignore_errors=True)
    places.directory(layout.PROVING)
    try:
        path = os.path.join(layout.PROVING, "eicar")
        with open(path, "w", encoding="ascii") as file:
            file.write("".join(_TEST_FILE))
        scan = scanning.scan({"paths": [path], "excludes": [], "quarantine": False})
    finally:
        shutil.rmtree(layout.PROVING, ignore_errors=True)
    found = [one for one in scan["detections"] if one["path"] == path]
    state = "found" if found else ("missed" if scan["state"] == "done" else "failed")
    told = {
        "state": state,
        "at": time.time(),
        "engine": scan["engine"],
        "signature": found[0]["signature"] if found else "",
        "why": "; ".join(one["why"] for one in scan["problems"]),
    }
    places.save(layout.PROOF, told)
    return dict(told, detections=found)
