"""The controller's own certificate authority: it says who sends logs, and who collects them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.model.errors import ControllerError
from orchestrator.model.i18n import _
from orchestrator.workspace.directory import Workspace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

_KEY, _CERTIFICATE = "logs-ca.key", "logs-ca.pem"
_SUBJECT = "luytre logs"
_AUTHORITY_DAYS = 3650
_DAYS = 825
# A certificate that ends before this is made anew.
_RENEWED = timedelta(days=90)
# A clock that is behind must not refuse a fresh certificate.
_BEFORE = timedelta(hours=1)


class Issued(NamedTuple):
    """A key and its certificate, as PEM."""

    key: str
    certificate: str


class Authority:
    """The authority of one workspace; made when it is first needed.

    Its key lies in the state directory, which only its owner can enter, as those of the backups do.
    """

    def __init__(self, workspace: Workspace) -> None:
        from cryptography import x509  # noqa: PLC0415 - start-up time
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

        state = workspace.prepare_state()
        key, certificate = state / _KEY, state / _CERTIFICATE
        if not certificate.exists():
            made, signed = _made(None, None, _AUTHORITY_DAYS)
            _write(key, _private(made))
            _write(certificate, _public(signed))
        try:
            loaded = serialization.load_pem_private_key(key.read_bytes(), None)
            self.certificate = certificate.read_text("ascii")
            self._own = x509.load_pem_x509_certificate(self.certificate.encode())
        except (OSError, ValueError, TypeError) as problem:
            message = _("the certificate authority of the logs cannot be used: {why}")
            raise ControllerError(message.format(why=problem)) from problem
        self._key: EllipticCurvePrivateKey = loaded  # type: ignore[assignment]

    def issue(self, name: str) -> Issued:
        """Return a key and a certificate of a name, such as ``web1.client.luytre``."""
        made, signed = _made(name, (self._own, self._key), _DAYS)
        return Issued(_private(made), _public(signed))

    def holds(self, certificate: str, name: str, now: datetime) -> bool:
        """Return whether a certificate is ours, of that name, and good for a while yet.

        It came from a host, and may be anything.
        """
        from cryptography import x509  # noqa: PLC0415 - start-up time
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        try:
            found = x509.load_pem_x509_certificate(certificate.encode("ascii"))
            found.verify_directly_issued_by(self._own)
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            told = names.value.get_values_for_type(x509.DNSName)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        return told == [name] and found.not_valid_after_utc > now + _RENEWED


def _made(
    name: str | None, issuer: "tuple[Certificate, EllipticCurvePrivateKey] | None", days: int
) -> "tuple[EllipticCurvePrivateKey, Certificate]":
    from cryptography import x509  # noqa: PLC0415 - start-up time
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    # A common name holds 64 letters (RFC 5280): that of a host stands beside it alone.
    common = _SUBJECT if name is None else f"{_SUBJECT} sender or collector"
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if name is not None:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(names, critical=False)
    return key, builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _private(key: "EllipticCurvePrivateKey") -> str:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    plain = form.NoEncryption()
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, plain).decode()


def _public(certificate: "Certificate") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return certificate.public_bytes(Encoding.PEM).decode()


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
