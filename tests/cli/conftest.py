"""Where servers would be: a door that tells whether anybody came."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """Return a listening socket where the servers would be."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def nobody_came(door: socket.socket) -> bool:
    """Say whether nobody has connected to the door so far."""
    try:
        door.accept()
    except BlockingIOError:
        return True
    return False
