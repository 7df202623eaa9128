"""Work with the agent inside a lab host: single functions of it, or the whole of it as sent."""

import io
import json
import secrets
import subprocess
import textwrap
import zipfile
import zlib
from typing import Any

from orchestrator.fleet import pack
from orchestrator.lab import Lab
from orchestrator.lab.commands import ENVIRONMENT, entrance

PLACE = "/root/t/agent.zip"
_PRELUDE = f"""\
import json, os, sys, time
sys.path.insert(0, {PLACE!r})
given = json.loads(sys.stdin.read() or "null")
from agent.host import Host
host = Host()
def tell(value):
    print(json.dumps(value))
"""
KEY = "0b" * 16


class Inside:
    """One host, with the agent's sources on it for calls of single functions."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.name = name
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for module, source in pack.sources().items():
                archive.writestr(module, source)
        lab.write(name, PLACE, stream.getvalue())

    def python(self, code: str, given: Any = None, timeout: float = 300) -> Any:
        """Run code in the host beside the agent's modules; return what it tells (plain data).

        The code finds ``host``, ``given`` (the data handed in) and ``tell``.
        """
        done = self.unchecked(code, given, timeout)
        assert done.returncode == 0, done.stderr.decode()
        lines = done.stdout.decode().splitlines()
        return json.loads(lines[-1]) if lines else None

    def unchecked(
        self, code: str, given: Any = None, timeout: float = 300
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run code like ``python``, however it ends."""
        argv = ["python3", *pack.OPTIONS, "-c", _PRELUDE + textwrap.dedent(code)]
        return self.lab.run(
            self.name, argv, stdin=json.dumps(given).encode(), timeout=timeout, check=False
        )

    def sh(self, script: str, stdin: bytes = b"", timeout: float = 240) -> str:
        """Run a shell script that must succeed and return what it says."""
        done = self.lab.run(self.name, ["sh", "-ec", script], stdin=stdin, timeout=timeout)
        return done.stdout.decode("utf-8", "replace")

    def status(self, *argv: str) -> int:
        """Return the exit status of a command."""
        return self.lab.run(self.name, argv, check=False).returncode

    def ask(self, operation: str, **request: Any) -> Any:
        """Send a request as the controller does and return the whole answer."""
        marker = f"luytre-{secrets.token_hex(8)}"
        message = pack.message(marker, {"operation": operation, **request}, {"digest_key": KEY})
        with subprocess.Popen(
            [
                *entrance(self.lab.leader(self.name)),
                *("/usr/bin/python3", *pack.OPTIONS, "-c", pack.BOOT, marker),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write(message)
            process.stdin.flush()
            question, sources = pack.sources_reply(marker, operation)
            out = b""
            while part := process.stdout.read1(65536):  # type: ignore[attr-defined]
                out += part
                if out == question:
                    process.stdin.write(sources)
                    process.stdin.flush()
            err = process.stderr.read().decode()
        head = f"\n{marker}\n".encode()
        assert head in out, err
        size, _, data = out.partition(head)[2].partition(b"\n")
        return json.loads(zlib.decompress(data[: int(size)]))
