"""A small signed repository of real packages, on a host of the lab, which may serve it."""

import gzip
import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

from orchestrator.lab import Lab

_PLACE = "/srv/apt"
_KEYRING = "/etc/apt/keyrings/tiny.gpg"
_SOURCE = "/etc/apt/sources.list.d/tiny.sources"
_SERVER = "own-mirror.service"
_DAY = 86400


@dataclass(frozen=True)
class Deb:
    """One package: ``files`` are path → content, those below /etc its configuration files.

    ``scripts`` are its maintainer scripts by name, ``mebibytes`` the room that it says to take.
    """

    name: str
    version: str
    depends: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    mebibytes: int = 0

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return f"{self.name}_{self.version}_all.deb"

    @property
    def control(self) -> str:
        """Return its control file."""
        text = (
            f"Package: {self.name}\nVersion: {self.version}\nArchitecture: all\n"
            "Maintainer: Test <test@example.org>\nDescription: a small package\n"
        )
        text += f"Installed-Size: {self.mebibytes << 10}\n" if self.mebibytes else ""
        return text + (f"Depends: {self.depends}\n" if self.depends else "")

    def built(self, place: Path) -> bytes:
        """Return its file's content, built below a directory once for each version."""
        file = place / self.file
        if not file.exists():
            tree = place / f"{self.name}-{self.version}"
            (tree / "DEBIAN").mkdir(parents=True)
            (tree / "DEBIAN/control").write_text(self.control)
            kept = [path for path in self.files if path.startswith("/etc/")]
            (tree / "DEBIAN/conffiles").write_text("".join(f"{path}\n" for path in kept))
            for path, content in self.files.items():
                target = tree / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                target.chmod(0o755 if content.startswith(b"#!") else 0o644)
            for name, text in self.scripts.items():
                (tree / f"DEBIAN/{name}").write_text(f"#!/bin/sh\nset -e\n{text}\n")
                (tree / f"DEBIAN/{name}").chmod(0o755)
            build = ["dpkg-deb", "--root-owner-group", "--build", tree, file]
            subprocess.run(build, check=True, capture_output=True)
        return file.read_bytes()


class Signer:
    """A key of its own, in a directory that lives as long as this object is open."""

    def __init__(self, name: str) -> None:
        # The path of gpg's sockets must be short.
        self.home = Path(tempfile.mkdtemp(prefix="gk"))
        made = ["--quick-generate-key", f"{name} <{name}@example.org>", "ed25519", "sign", "never"]
        self._gpg("--batch", "--passphrase", "", *made)

    def sign(self, text: str) -> bytes:
        """Return the text with its signature, as InRelease has it."""
        return self._gpg("--batch", "--clearsign", "--digest-algo", "SHA256", given=text.encode())

    def public(self) -> bytes:
        """Return the public key."""
        return self._gpg("--export")

    def close(self) -> None:
        """Forget the key, and end gpg's own helpers."""
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def _gpg(self, *arguments: str, given: bytes = b"") -> bytes:
        argv = ["gpg", "--homedir", self.home, "--quiet", "--no-tty", *arguments]
        return subprocess.run(argv, input=given, check=True, capture_output=True).stdout


class Repository:
    """What lies on ``host`` of the lab: suites of packages, each with its label."""

    def __init__(self, lab: Lab, host: str, place: Path) -> None:
        self._lab, self._host, self._place = lab, host, place
        self._signer, self._stranger = Signer("mirror"), Signer("stranger")
        self._address = next(each.address for each in lab.hosts() if each.name == host)
        self._modified = int(time.time()) - 30 * _DAY

    def serve(self) -> None:
        """Answer requests over HTTP."""
        self._lab.run(self._host, ["mkdir", "-p", _PLACE])
        serve = ["python3", "-m", "http.server", "80", "--directory", _PLACE]
        self._lab.run(self._host, ["systemd-run", "-q", f"--unit={_SERVER}", "--collect", *serve])
        wait = "until ss -ltn | grep -q ':80 '; do sleep 0.1; done"
        self._lab.run(self._host, ["timeout", "50", "sh", "-c", wait])

    def serve_again(self) -> None:
        """Answer requests, if that was stopped."""
        if self._lab.run(self._host, ["systemctl", "is-active", _SERVER], check=False).returncode:
            self.serve()

    def stop(self) -> None:
        """Answer no more."""
        self._lab.run(self._host, ["systemctl", "stop", _SERVER])

    def publish(
        self, suite: str, debs: Sequence[Deb], *, days: float = 7, strange: bool = False
    ) -> None:
        """Make these packages the whole of a suite.

        Its word holds for ``days``; ``strange``: a key signs that nobody trusts.
        """
        index = []
        for deb in debs:
            data = deb.built(self._place)
            self._write(f"pool/{deb.file}", data)
            digest = hashlib.sha256(data).hexdigest()
            index.append(
                f"{deb.control}Filename: pool/{deb.file}\nSize: {len(data)}\nSHA256: {digest}\n"
            )
        packages = "\n".join(index).encode()
        parts = {"Packages": packages, "Packages.gz": gzip.compress(packages, mtime=0)}
        lines = []
        for name, data in parts.items():
            inside = f"main/binary-amd64/{name}"
            self._write(f"dists/{suite}/{inside}", data)
            lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {inside}\n")
        now = time.time()
        release = (
            f"Origin: Tiny\nLabel: Tiny\nSuite: {suite}\nCodename: {suite}\n"
            f"Date: {_date(now - 30 * _DAY)}\nValid-Until: {_date(now + days * _DAY)}\n"
            f"Architectures: amd64\nComponents: main\nSHA256:\n{''.join(lines)}"
        )
        signer = self._stranger if strange else self._signer
        place = f"dists/{suite}/InRelease"
        self._write(place, signer.sign(release))
        # A server tells apt in whole seconds when a file was modified.
        self._modified += 1
        moment = ["touch", "-d", f"@{self._modified}", f"{_PLACE}/{place}"]
        self._lab.run(self._host, moment)

    def introduce(self, host: str, *suites: str, alone: bool = True) -> None:
        """Let a host take its packages from these suites, and from no other source if ``alone``.

        The host on which the repository lies reads it from the disk.
        """
        address = f"file:{_PLACE}" if host == self._host else f"http://{self._address}"
        text = (
            f"Types: deb\nURIs: {address}\nSuites: {' '.join(suites)}\n"
            f"Components: main\nArchitectures: amd64\nSigned-By: {_KEYRING}\n"
        )
        self._lab.run(host, ["mkdir", "-p", "/etc/apt/keyrings"])
        self._lab.write(host, _KEYRING, self._signer.public())
        away = "mkdir -p /etc/apt/away; mv /etc/apt/sources.list.d/*debian* /etc/apt/away/ || true"
        if alone:
            self._lab.run(host, ["sh", "-c", away])
        self._lab.write(host, _SOURCE, text.encode())
        only = ["-o", f"Dir::Etc::sourcelist={_SOURCE}", "-o", "Dir::Etc::sourceparts=-"]
        # The lists of other sources stay as they are.
        self._lab.run(host, ["apt-get", "-q", *only, "-o", "APT::Get::List-Cleanup=0", "update"])

    def close(self) -> None:
        """Forget the keys."""
        self._signer.close()
        self._stranger.close()

    def _write(self, path: str, data: bytes) -> None:
        self._lab.write(self._host, f"{_PLACE}/{path}", data)


def _date(moment: float) -> str:
    return formatdate(moment, usegmt=True).replace("GMT", "UTC")
