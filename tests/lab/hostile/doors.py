"""Runs on the hostile host: ports that answer as no SSH server should. Takes ``PORT=DOOR …``."""

import os
import socket
import struct
import sys
import threading
import time


def silent(_client):
    """Accept, and say nothing."""
    time.sleep(1000)


def greets(client):
    """Say hello, and hang at the exchange of keys."""
    client.sendall(b"SSH-2.0-Zoo\r\n")
    time.sleep(1000)


def drips(client):
    """Say one character after the other, never a whole line."""
    while True:
        client.sendall(b"x")
        time.sleep(0.1)


def floods(client):
    """Pour out a line that never ends."""
    while True:
        client.sendall(b"x" * 65536)


def swells(client):
    """Announce a packet of two gigabytes, and pour it out."""
    client.sendall(b"SSH-2.0-Zoo\r\n" + struct.pack(">IB", 0x7FFFFFF4, 4) + b"\x14")
    floods(client)


def garbles(client):
    """Offer algorithms whose names are no text."""
    client.sendall(b"SSH-2.0-Zoo\r\n")
    names = struct.pack(">I", 4) + b"\xff\xfe\xfd,"
    payload = b"\x14" + os.urandom(16) + names * 10 + b"\0" * 5
    padding = 8 - (len(payload) + 5) % 8 + 8
    packet = struct.pack(">IB", len(payload) + padding + 1, padding) + payload + b"\0" * padding
    client.sendall(packet)
    time.sleep(1000)


def serve(port, door):
    server = socket.create_server(("", port))
    while True:
        client, _address = server.accept()
        threading.Thread(target=hear, args=(door, client), daemon=True).start()


def hear(door, client):
    try:
        door(client)
    except OSError:
        client.close()


if __name__ == "__main__":
    for number, name in (word.split("=") for word in sys.argv[1:]):
        threading.Thread(target=serve, args=(int(number), globals()[name])).start()
