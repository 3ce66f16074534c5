"""How an HTTPS server is recognised: by its fingerprint, under a CA, or under the system's store."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from remediate.connectors.authorities import read_authorities
from remediate.connectors.text import reason_of
from remediate.model.access import TlsTrust
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, InventoryError
from remediate.model.identity import Fingerprint, KeyFamily

_FAMILY_CIPHERS: Mapping[KeyFamily, str] = {"rsa": "ECDHE+aRSA:DHE+aRSA:kRSA", "ecdsa": "ECDHE+aECDSA"}


@dataclass(frozen=True, slots=True)
class TlsCheck:
    """How a server is recognised: `context` verifies it, or `fingerprint` does alone. `what` says so in a message."""

    context: ssl.SSLContext
    what: str
    fingerprint: Fingerprint | None = None


def check_for(trust: TlsTrust) -> TlsCheck:
    """Return the check that an inventory asks for. Raises InventoryError when its CA file cannot be used."""
    if trust.fingerprint:
        return pinned(trust.fingerprint)
    if trust.ca is None:
        return _system_store()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        for certificate in read_authorities((trust.ca,)).certificates:
            context.load_verify_locations(cadata=certificate.der)
    except (CertificateError, InventoryError) as error:
        raise InventoryError(f"This CA file cannot be used: {error}", next_step=error.next_step) from error
    except ssl.SSLError as error:
        raise InventoryError(f"{trust.ca}: this CA file cannot be used: {reason_of(error)}.") from error
    return TlsCheck(context, f"the CA file {trust.ca}")


def _system_store() -> TlsCheck:
    """Return the check under the CA certificates where this OpenSSL was built to find them.

    Not `load_default_certs`, where the environment (SSL_CERT_FILE, SSL_CERT_DIR) names other ones; and not
    `create_default_context`, which would write the session's keys to where SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    built_in = ssl.get_default_verify_paths()
    stores = {"cafile": Path(built_in.openssl_cafile), "capath": Path(built_in.openssl_capath)}
    present = {kind: str(path) for kind, path in stores.items() if path.exists()}
    if not present:
        return TlsCheck(context, f"the system's CA store (there is none at {stores['cafile']} or {stores['capath']})")
    try:
        context.load_verify_locations(**present)
    except (OSError, ssl.SSLError) as error:
        shown = " and ".join(present.values())
        raise InventoryError(f"The system's CA store ({shown}) cannot be used: {reason_of(error)}.") from error
    return TlsCheck(context, "the system's CA store")


def pinned(fingerprint: Fingerprint, family: KeyFamily | None = None) -> TlsCheck:
    """Return the check for one certificate; with `family`, only certificates of that family are asked for.

    The chain and the name are not looked at: the SHA-256 of the DER says more than both.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if family:
        _only(family, context)
    return TlsCheck(context, f"the pinned certificate {fingerprint}", fingerprint)


def issued_under(authorities: Iterable[Certificate], family: KeyFamily) -> TlsCheck:
    """Return the check for servers that verify, name included, under `authorities` with a certificate of `family`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _only(family, context)
    for authority in authorities:
        try:
            context.load_verify_locations(cadata=authority.der)
        except ssl.SSLError:
            # This interpreter's OpenSSL cannot use it: then it vouches for nobody here.
            continue
    return TlsCheck(context, "the operator's CA certificates and those that a peer trusts")


def _only(family: KeyFamily, context: ssl.SSLContext) -> None:
    """A node has a certificate a family and shows one: by TLS 1.2 cipher suites we say which one we want to see."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_FAMILY_CIPHERS[family])
