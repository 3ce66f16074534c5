"""The judge where no traffic server is installed: OpenSSL as a client with the peer's CA list, and the traffic server's name rule."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from OpenSSL import SSL, crypto

from remediate.lab.verdict import JudgeAnswer, Settings, Target
from remediate.model.certificate import Certificate

_TIMEOUT_S = 5.0
# X509_verify_cert_error_string() of OpenSSL 3; pyOpenSSL does not offer it.
_TEXTS = {
    2: "unable to get issuer certificate",
    7: "certificate signature failure",
    9: "certificate is not yet valid",
    10: "certificate has expired",
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    22: "certificate chain too long",
    24: "invalid CA certificate",
    26: "unsuitable certificate purpose",
    79: "invalid CA certificate",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    handshake: bool
    leaf: Certificate | None
    error: int
    depth: int


class OpensslJudge:
    """Judges by a handshake of its own each time."""

    def ask(self, settings: Settings, target: Target) -> JudgeAnswer:
        """Shake hands with the endpoint and say what the traffic server would do and log."""
        seen = _handshake(settings, target)
        line = _log_line(seen, settings, target)
        ok = seen.handshake and (line is None or not settings.enforced)
        return JudgeAnswer(200 if ok else 502, line, "openssl")

    def stop(self) -> None:
        """Nothing runs."""


def _handshake(settings: Settings, target: Target) -> _Seen:
    failures: list[tuple[int, int]] = []

    def keep_the_first(_connection: SSL.Connection, _certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
        if not ok and not failures:
            failures.append((error, depth))
        return True  # go on, so that a handshake that fails for other reasons can be told apart

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(f"{settings.ciphers}:@SECLEVEL=1".encode())
    context.set_max_proto_version(SSL.TLS1_3_VERSION if settings.tls13 else SSL.TLS1_2_VERSION)
    context.set_verify(SSL.VERIFY_PEER, keep_the_first)
    store = context.get_cert_store()
    for certificate in settings.trusted:
        if store is not None:
            store.add_cert(crypto.X509.from_cryptography(load_der_x509_certificate(certificate.der)))
    leaf = _leaf_of(context, target)
    error, depth = failures[0] if failures else (0, 0)
    return _Seen(leaf is not None, leaf, error, depth)


def _leaf_of(context: SSL.Context, target: Target) -> Certificate | None:
    """Return what the endpoint presents; None when there is no handshake."""
    try:
        plain = socket.create_connection((target.connect_to, target.port), _TIMEOUT_S)
    except OSError:
        return None
    with plain:
        plain.settimeout(None)  # pyOpenSSL wants a blocking socket
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(target.address.encode())
        connection.set_connect_state()
        try:
            connection.do_handshake()
        except SSL.Error:
            return None
        presented = connection.get_peer_certificate()
        with contextlib.suppress(SSL.Error):
            connection.shutdown()
        return None if presented is None else Certificate.from_der(presented.to_cryptography().public_bytes(Encoding.DER))


def _log_line(seen: _Seen, settings: Settings, target: Target) -> str | None:
    """Return what the traffic server would log: the chain first, and only on a good chain the name."""
    action = "Terminate" if settings.enforced else "Continue"
    server = f"server={target.address}({target.connect_to})"
    if seen.leaf is None:
        return None
    if seen.error:
        text = _TEXTS.get(seen.error, f"error number {seen.error}")
        return (
            f"WARNING: Core server certificate verification failed for ({target.address}). "
            f"Action={action} Error={text} {server} depth={seen.depth}"
        )
    if not name_accepted(seen.leaf, target.address):
        return f"WARNING: SNI ({target.address}) not in certificate. Action={action} {server}"
    return None


def name_accepted(leaf: Certificate, address: str) -> bool:
    """The traffic server's name rule: dNSNames, then the first CN, SAN or not; IP addresses as text; IP SANs never."""
    return any(_matches(pattern.lower(), address.lower()) for pattern in (*leaf.san_dns, leaf.common_name))


def _matches(pattern: str, name: str) -> bool:
    """One ``*``, first or last in the first label, stands for a part of one label; the pattern has two dots or more."""
    if "*" not in pattern:
        return pattern == name and bool(name)
    first, _, rest = pattern.partition(".")
    label, _, parent = name.partition(".")
    if first.count("*") != 1 or "*" in rest or rest != parent or pattern.count(".") < 2:
        return False
    if label.startswith("xn--") and first != "*":
        return False
    before, after = first.split("*")
    return not (before and after) and len(label) >= len(first) and label.startswith(before) and label.endswith(after)
