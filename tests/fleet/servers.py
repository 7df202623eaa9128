"""SSH servers of our own, on real sockets, that do what no honest one does."""

# ruff: noqa: ARG002 - what paramiko calls is given by its names

import contextlib
import socket
import threading

import paramiko

from orchestrator.fleet.pins import HostKey
from orchestrator.model.host import Endpoint

HERE = "127.0.0.1"
NAME = "web1"
# What the end of the other side looks like.
ENDED = (OSError, EOFError, paramiko.SSHException)


class Server(paramiko.ServerInterface):
    """Lets everybody in. ``act`` gets the channel of a command, before the answer to it."""

    def __init__(self, act=lambda _channel: True, methods="publickey"):
        self._act = act
        self._methods = methods
        self.transport = None

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username):
        return self._methods

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        return self._act(channel)

    def check_channel_direct_tcpip_request(self, chanid, origin, destination):
        threading.Thread(target=self._pass_on, args=(destination,), daemon=True).start()
        return paramiko.OPEN_SUCCEEDED

    def _pass_on(self, destination):
        inner = self.transport.accept(10)
        with contextlib.suppress(*ENDED), socket.create_connection(destination) as outer:
            back = threading.Thread(target=_pump, args=(outer, inner), daemon=True)
            back.start()
            _pump(inner, outer)


def _pump(source, sink):
    with contextlib.suppress(*ENDED):
        while piece := source.recv(65536):
            sink.sendall(piece)


class Running:
    """A server that listens; ``sent`` counts what :meth:`pour` got rid of, in bytes."""

    def __init__(self, listening, host_key):
        self._listening = listening
        self._kept = []
        self.host_key = host_key
        self.sent = 0

    @property
    def pin(self):
        return HostKey(self.host_key.get_name(), self.host_key.asbytes())

    def endpoint(self, name=NAME, **changes):
        port = self._listening.getsockname()[1]
        return Endpoint(**{"name": name, "address": HERE, "port": port, "user": "ops", **changes})

    def pour(self, send, piece, most=256 << 20):
        """Send ``piece`` again and again until the other side hangs up, or it is ``most``."""
        with contextlib.suppress(*ENDED):
            while self.sent < most:
                send(piece)
                self.sent += len(piece)

    def serve(self, talk):
        while True:
            try:
                client, _address = self._listening.accept()
            except OSError:
                return
            self._kept.append(client)
            threading.Thread(target=self._hear, args=(talk, client), daemon=True).start()

    def _hear(self, talk, client):
        with contextlib.suppress(*ENDED):
            talk(self, client)

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for client in self._kept:
            client.close()


@contextlib.contextmanager
def running(talk):
    """Run a server; ``talk`` gets it and the socket of each client."""
    server = Running(socket.create_server((HERE, 0)), paramiko.ECDSAKey.generate())
    thread = threading.Thread(target=server.serve, args=(talk,))
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def speaking(server, client, interface):
    """Speak SSH to ``client``; return the transport."""
    transport = paramiko.Transport(client)
    transport.add_server_key(server.host_key)
    interface.transport = transport
    transport.start_server(server=interface)
    return transport
