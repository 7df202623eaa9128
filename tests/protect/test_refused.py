"""What rclone logs of a deletion or an overwriting that it refused (1.60.1, as it was said)."""

from typing import Any

import pytest

from orchestrator.protect.on_host import refused

NAME = "580b13606ab51bd8e3c30f5fa2265c884057448bb385a50e64ed27c86cdc1e27"
LOGGED = "Local file system at /srv/luytre-vault/web/repository: "


def entry(message: Any) -> dict[str, Any]:
    return {"MESSAGE": message, "__REALTIME_TIMESTAMP": "1795994733000000", "_UID": "999"}


@pytest.mark.parametrize(
    ("message", "what", "path"),
    [
        (f"{LOGGED}DELETE /snapshots/{NAME}", "delete", f"snapshots/{NAME}"),
        (f"{LOGGED}DELETE /data/{NAME}", "delete", f"data/58/{NAME}"),
        (f"{LOGGED}DELETE /config", "delete", "config"),
        (
            f"data/58/{NAME}: Post request: file already exists, refusing to overwrite in"
            " append-only mode",
            "overwrite",
            f"data/58/{NAME}",
        ),
        ("config: Post request: file already exists, refusing to overwrite", "overwrite", "config"),
    ],
)
def test_an_attempt_is_read(message: str, what: str, path: str) -> None:
    assert refused.attempt(entry(message)) == {"at": 1795994733.0, "what": what, "path": path}


@pytest.mark.parametrize(
    "message",
    [
        f"{LOGGED}DELETE /locks/{NAME}",
        f"{LOGGED}POST /data/{NAME}",
        f"{LOGGED}DELETE /snapshots/../../../etc/passwd",
        f"{LOGGED}DELETE /snapshots/{NAME}/x",
        [68, 69],
        None,
    ],
)
def test_anything_else_is_none(message: Any) -> None:
    assert refused.attempt(entry(message)) is None
