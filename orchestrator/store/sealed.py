r"""Sealed files: encrypted and authenticated under a passphrase, read and written as a stream.

The form, version 1::

    luytre-sealed 1 \n
    {"chunk": 65536, "kdf": "scrypt", "log2_n": 17, "p": 1, "r": 8, "salt": "…"} \n
    HMAC-SHA256 of both lines, in hexadecimal \n
    chunks: 65536 bytes each but the last, AES-256-GCM, each with its tag of 16 bytes

The nonce is the chunk's number (11 bytes) and whether it is the last one (1 byte), so chunks can be
neither moved nor cut off. Keys come from scrypt (RFC 7914) through HKDF; that of the chunks depends
on both lines. A salt is never used twice, so no nonce is.
"""

import hashlib
import hmac
import json
import os
import unicodedata
from dataclasses import dataclass
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from orchestrator.model.errors import ConfigurationError, ControllerError
from orchestrator.model.i18n import _

MAGIC = b"luytre-sealed "
VERSION = 1
CHUNK = 64 * 1024
# 128 MiB and half a second: what OWASP asks of scrypt for passwords is N = 2**17, r = 8, p = 1.
COST = 17
_COSTS = range(14, 21)
_TAG = 16
_SALT = 16
_LONGEST_LINE = 1024


@dataclass(frozen=True)
class _Keys:
    header: bytes
    chunks: bytes


class SealedWriter:
    """Seals what is written to it; only ``close`` makes it whole."""

    def __init__(self, file: IO[bytes], passphrase: str, cost: int = COST) -> None:
        salt = os.urandom(_SALT)
        header = _header(cost, salt)
        keys = _keys(passphrase, cost, salt, header)
        self._file = file
        self._cipher = AESGCM(keys.chunks)
        self._number = 0
        self._waiting = bytearray()
        file.write(header + _mac(keys, header))

    def write(self, data: bytes) -> int:
        """Take more bytes and return their number; raises OSError where it cannot be written."""
        self._waiting += data
        # The last chunk is marked as such: a full one waits until more comes.
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk; the file itself stays open."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, plain: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), plain, None))
        self._number += 1


class SealedReader:
    """Gives back what was sealed, chunk by chunk, none that is not exactly what was written.

    Raises ConfigurationError for a file that is not sealed, a newer version's, and another
    passphrase; ControllerError for a damaged or cut one, then or while it is read.
    """

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        header = _read_line(file) + _read_line(file)
        cost, salt = _parse(header)
        keys = _keys(passphrase, cost, salt, header)
        if not hmac.compare_digest(_read_line(file), _mac(keys, header)):
            raise ConfigurationError(
                _("the passphrase is not the one that it was sealed with"),
                hint=_("or the first lines of the file are damaged"),
            )
        self._file = file
        self._cipher = AESGCM(keys.chunks)
        self._number = 0
        self._next = file.read(CHUNK + _TAG)
        self._plain = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; none at the end, which is as sure as the rest."""
        while len(self._plain) < size and not self._ended:
            self._plain += self._get()
        given, self._plain = self._plain[:size], self._plain[size:]
        return given

    def _get(self) -> bytes:
        packed, self._next = self._next, self._file.read(CHUNK + _TAG)
        self._ended = not self._next
        nonce = _nonce(self._number, last=self._ended)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, packed, None)
        except InvalidTag as error:
            raise ControllerError(_("the file is damaged, or not whole")) from error


def is_sealed(start: bytes) -> bool:
    """Tell whether a file that begins so is a sealed one, of any version."""
    return start.startswith(MAGIC)


def _header(cost: int, salt: bytes) -> bytes:
    told = {"chunk": CHUNK, "kdf": "scrypt", "log2_n": cost, "p": 1, "r": 8, "salt": salt.hex()}
    return MAGIC + f"{VERSION}\n{json.dumps(told, sort_keys=True)}\n".encode()


def _parse(header: bytes) -> tuple[int, bytes]:
    """Return cost and salt of a header; every other value must be as we write it."""
    if not is_sealed(header):
        raise ConfigurationError(_("is not a sealed file of luytre"))
    first, _newline, second = header.partition(b"\n")
    version = first.removeprefix(MAGIC)
    if version.isdigit() and int(version) > VERSION:
        raise ConfigurationError(
            _("was written by a newer version (form {version})").format(version=int(version)),
            hint=_("upgrade luytre on this controller"),
        )
    try:
        told = json.loads(second)
        cost, salt = int(told["log2_n"]), bytes.fromhex(told["salt"])
    except (ValueError, KeyError, TypeError) as error:
        raise ControllerError(_("the file is damaged, or not whole")) from error
    if cost not in _COSTS or len(salt) != _SALT or header != _header(cost, salt):
        raise ControllerError(_("the file is damaged, or not whole"))
    return cost, salt


def _keys(passphrase: str, cost: int, salt: bytes, header: bytes) -> _Keys:
    # The same word typed on two keyboards may be composed or not.
    secret = unicodedata.normalize("NFC", passphrase).encode()
    master = Scrypt(salt=salt, length=32, n=2**cost, r=8, p=1).derive(secret)

    def derive(purpose: bytes) -> bytes:
        info = b"luytre sealed " + purpose + b" " + hashlib.sha256(header).digest()
        return HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(master)

    return _Keys(derive(b"header"), derive(b"chunks"))


def _mac(keys: _Keys, header: bytes) -> bytes:
    return hmac.new(keys.header, header, hashlib.sha256).hexdigest().encode() + b"\n"


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _read_line(file: IO[bytes]) -> bytes:
    return file.readline(_LONGEST_LINE)
