"""Recognition of an HTTPS server: by its fingerprint, under a CA, or under the CA store of the system."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from remediate.connectors.authorities import read_authorities
from remediate.connectors.text import describe_failure
from remediate.model.access import TlsTrust
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, InventoryError
from remediate.model.identity import Fingerprint, KeyFamily

_FAMILY_CIPHERS: Mapping[KeyFamily, str] = {"rsa": "ECDHE+aRSA:DHE+aRSA:kRSA", "ecdsa": "ECDHE+aECDSA"}


@dataclass(frozen=True, slots=True)
class TlsCheck:
    """The way to recognise a server.

    Attributes:
        context: Verifies the server, unless `fingerprint` alone does.
        description: Names the check in messages.
        fingerprint: Of the one certificate that is accepted; None where `context` verifies.
    """

    context: ssl.SSLContext
    description: str
    fingerprint: Fingerprint | None = None


def _make_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python up to 3.11.3 takes a connection that is cut off for one that was closed: half an answer would be a whole one.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def make_tls_check(trust: TlsTrust) -> TlsCheck:
    """Return the check that an inventory asks for.

    Raises:
        InventoryError: Its CA file cannot be used.
    """
    if trust.fingerprint:
        return make_pin_check(trust.fingerprint)
    if trust.ca is None:
        return _make_system_check()
    context = _make_context()
    try:
        for certificate in read_authorities((trust.ca,)).certificates:
            context.load_verify_locations(cadata=certificate.der)
    except (CertificateError, InventoryError) as error:
        raise InventoryError(f"This CA file cannot be used: {error}", next_step=error.next_step) from error
    except ssl.SSLError as error:
        raise InventoryError(f"{trust.ca}: this CA file cannot be used: {describe_failure(error)}.") from error
    return TlsCheck(context, f"the CA file {trust.ca}")


def _make_system_check() -> TlsCheck:
    """Return the check under the CA certificates where this OpenSSL was built to find them.

    Not `load_default_certs`: the environment (SSL_CERT_FILE, SSL_CERT_DIR) could name others. Not `create_default_context`: it would
    write the keys of the session to the file that SSLKEYLOGFILE names.
    """
    context = _make_context()
    built_in = ssl.get_default_verify_paths()
    stores = {"cafile": Path(built_in.openssl_cafile), "capath": Path(built_in.openssl_capath)}
    present = {kind: str(path) for kind, path in stores.items() if path.exists()}
    if not present:
        return TlsCheck(context, f"the system's CA store (there is none at {stores['cafile']} or {stores['capath']})")
    try:
        context.load_verify_locations(**present)
    except (OSError, ssl.SSLError) as error:
        paths = " and ".join(present.values())
        raise InventoryError(f"The system's CA store ({paths}) cannot be used: {describe_failure(error)}.") from error
    return TlsCheck(context, "the system's CA store")


def make_pin_check(fingerprint: Fingerprint, family: KeyFamily | None = None) -> TlsCheck:
    """Return the check for one certificate; with `family`, only certificates of that family are requested.

    Neither the chain nor the name is verified: the SHA-256 of the DER identifies the certificate.
    """
    context = _make_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if family:
        _limit_to_family(family, context)
    return TlsCheck(context, f"the pinned certificate {fingerprint}", fingerprint)


def make_issuer_check(authorities: Iterable[Certificate], family: KeyFamily) -> TlsCheck:
    """Return the check for servers that verify, name included, under `authorities` with a certificate of `family`."""
    context = _make_context()
    _limit_to_family(family, context)
    for authority in authorities:
        try:
            context.load_verify_locations(cadata=authority.der)
        except ssl.SSLError:
            # This interpreter's OpenSSL cannot use it, so no server verifies under it here.
            continue
    return TlsCheck(context, "the operator's CA certificates and those that a peer trusts")


def _limit_to_family(family: KeyFamily, context: ssl.SSLContext) -> None:
    """Restrict the offer to TLS 1.2 cipher suites of one key family.

    A node has one certificate for each key family; the offer decides which one it presents.
    """
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_FAMILY_CIPHERS[family])
