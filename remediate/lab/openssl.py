"""Judge without a traffic server: OpenSSL as a client with the peer's CA list, and the traffic server's name rule."""

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
class _HandshakeResult:
    handshake: bool
    leaf: Certificate | None
    error: int
    depth: int


class OpensslJudge:
    """Judge that makes a handshake for each question, from the address of its peer."""

    def __init__(self, address: str = "") -> None:
        self._address = address

    def ask(self, settings: Settings, target: Target) -> JudgeAnswer:
        """Make a handshake with the endpoint and return what the traffic server would answer and log."""
        result = _handshake(settings, target, self._address)
        line = _log_line(result, settings, target)
        ok = result.handshake and (line is None or not settings.enforced)
        return JudgeAnswer(200 if ok else 502, line, "openssl")

    def stop(self) -> None:
        """Do nothing: no process runs."""


def _handshake(settings: Settings, target: Target, source: str) -> _HandshakeResult:
    failures: list[tuple[int, int]] = []

    def keep_first_failure(_connection: SSL.Connection, _certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
        if not ok and not failures:
            failures.append((error, depth))
        return True  # continue, to recognise a handshake that fails for another reason

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(f"{settings.ciphers}:@SECLEVEL=1".encode())
    context.set_max_proto_version(SSL.TLS1_3_VERSION if settings.tls13 else SSL.TLS1_2_VERSION)
    context.set_verify(SSL.VERIFY_PEER, keep_first_failure)
    if settings.identity_file:
        context.use_certificate_chain_file(str(settings.identity_file))
        context.use_privatekey_file(str(settings.identity_file))
    store = context.get_cert_store()
    for certificate in settings.trusted:
        if store is not None:
            store.add_cert(crypto.X509.from_cryptography(load_der_x509_certificate(certificate.der)))
    leaf = _leaf_of(context, target, source)
    error, depth = failures[0] if failures else (0, 0)
    return _HandshakeResult(leaf is not None, leaf, error, depth)


def _leaf_of(context: SSL.Context, target: Target, source: str) -> Certificate | None:
    """Return the certificate that the endpoint presents; None without a handshake."""
    try:
        plain = socket.create_connection((target.connect_to, target.port), _TIMEOUT_S, (source, 0))
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


def _log_line(result: _HandshakeResult, settings: Settings, target: Target) -> str | None:
    """Return what the traffic server would log: on the chain, or, if the chain is good, on the name."""
    action = "Terminate" if settings.enforced else "Continue"
    server = f"server={target.address}({target.connect_to})"
    if result.leaf is None:
        return None
    if result.error:
        text = _TEXTS.get(result.error, f"error number {result.error}")
        return (
            f"WARNING: Core server certificate verification failed for ({target.address}). "
            f"Action={action} Error={text} {server} depth={result.depth}"
        )
    if not name_accepted(result.leaf, target.address):
        return f"WARNING: SNI ({target.address}) not in certificate. Action={action} {server}"
    return None


def name_accepted(leaf: Certificate, address: str) -> bool:
    """Apply the traffic server's name rule: dNSNames, then the first CN, SAN or not; IP addresses as text, IP SANs never."""
    return any(_matches(pattern.lower(), address.lower()) for pattern in (*leaf.san_dns, leaf.common_name))


def _matches(pattern: str, name: str) -> bool:
    """Match one ``*``, first or last in the first label, with a part of one label; the pattern needs two dots or more."""
    if "*" not in pattern:
        return pattern == name and bool(name)
    first, _, pattern_parent = pattern.partition(".")
    label, _, parent = name.partition(".")
    if first.count("*") != 1 or "*" in pattern_parent or pattern_parent != parent or pattern.count(".") < 2:
        return False
    if label.startswith("xn--") and first != "*":
        return False
    prefix, suffix = first.split("*")
    return not (prefix and suffix) and len(label) >= len(first) and label.startswith(prefix) and label.endswith(suffix)
