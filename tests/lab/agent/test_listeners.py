"""What listens on a host, as its kernel tells it."""

import pytest

from .inside import Inside

pytestmark = pytest.mark.lab

BOTH_WAYS = """
import socket
from agent import sockets
from agent.kinds import listeners
opened = []
for family, address in given:
    one = socket.socket(family)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind((address, 0))
    one.listen()
    opened.append(one)
connected = socket.create_connection(opened[0].getsockname())
ports = [one.getsockname()[1] for one in opened]
plain = lambda found: sorted([one.port, one.inode] for one in found)
tell([ports, plain(listeners.heard(sockets.listening())), plain(listeners._table(host, "tcp"))])
"""
HERE, EVERYWHERE = "127.0.0.1", "0.0.0.0"


def test_the_kernel_is_asked_and_says_what_its_tables_say(each: Inside) -> None:
    given = [(2, HERE), (2, EVERYWHERE), (10, "::1"), (10, "::"), (10, "::ffff:" + HERE)]
    ports, asked, table = each.python(BOTH_WAYS, given)
    assert asked == table
    heard = {port for port, _inode in asked}
    assert 22 in heard
    assert [port in heard for port in ports] == [False, True, False, True, False]
