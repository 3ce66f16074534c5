"""OpenSSL's own answer for one presented chain and one trusted list: the built chain, the first error, its code and depth.

The set-up is a TLS client's (ssl_verify_cert_chain in OpenSSL's ssl/ssl_cert.c): purpose and trust of ``ssl_server``, no flags (so
no partial chains, not strict), and what the appliance adds: security level 1 (1.1.1's default) and the traffic server's depth limit.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int, c_void_p
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from remediate.model.certificate import Certificate
from remediate.openssl import extensions
from remediate.openssl.libcrypto import Libcrypto, appliance
from remediate.openssl.x509 import X509, Unreadable, x509

SECURITY_LEVEL: Final = 1
DEPTH_LIMIT: Final = 7
"""proxy.config.ssl.client.verify depth; measured: seven intermediates pass, eight give error 22 at depth 8."""

V_OK: Final = 0
V_UNSPECIFIED: Final = 1  # x509_vfy.h: X509_V_ERR_UNSPECIFIED
V_CA_MD_TOO_WEAK: Final = 68
V_INVALID_CA: Final = 24
V_INVALID_CA_3X: Final = 79
V_EC_KEY_EXPLICIT_PARAMS: Final = 94

_NO_FLAGS: Final = 0
_PARTIAL_CHAIN: Final = 0x80000  # x509_vfy.h: X509_V_FLAG_PARTIAL_CHAIN
_PURPOSE_SSL_SERVER: Final = 2  # x509v3.h
_TRUST_SSL_SERVER: Final = 3  # x509.h
_SHA1_SIGNATURE_NIDS: Final = frozenset({65, 113, 416, 115})  # sha1WithRSA, dsaWithSHA1, ecdsa-with-SHA1, sha1WithRSA (OIW)

_VERIFY_CALLBACK = ctypes.CFUNCTYPE(c_int, c_int, c_void_p)


@dataclass(frozen=True, slots=True)
class Built:
    """What X509_verify_cert came to.

    Attributes:
        code: ``X509_V_ERR_*`` of the first error; 0 when the chain is good.
        depth: where the first error is; 0 when the chain is good.
        chain: the certificates it put together, leaf first, as far as it came.
    """

    code: int
    depth: int
    chain: tuple[Certificate, ...]


class TrustedList:
    """A peer's trusted CA list, loaded in its order. Reusable for any number of chains, from several threads.

    Attributes:
        broken: the number of the first entry that OpenSSL cannot read, counted from 1; None where it reads them all.
    """

    def __init__(
        self,
        trusted: Sequence[Certificate],
        openssl: Libcrypto | None = None,
        *,
        as_the_appliance: bool = True,
        ends_anywhere: bool = False,
    ) -> None:
        """Load `trusted` into `openssl` (None: the one that answers for the appliance).

        With `as_the_appliance` False, an OpenSSL 3.x answers for itself where it differs from 1.1.1. With `ends_anywhere`, a chain
        may end in any trusted certificate, which no traffic server allows: a question for `trust.beyond`.
        """
        self._openssl = openssl or appliance()
        self._as_the_appliance = as_the_appliance
        self._lib = self._openssl.lib
        self.broken: int | None = None
        self._members: dict[int, tuple[Certificate, X509]] = {}
        self._store = self._lib.X509_STORE_new()
        self._ask_as_a_tls_client()
        if ends_anywhere:
            self._lib.X509_VERIFY_PARAM_set_flags(self._lib.X509_STORE_get0_param(self._store), _PARTIAL_CHAIN)
        for number, certificate in enumerate(trusted, start=1):
            self._add(number, certificate)

    def _ask_as_a_tls_client(self) -> None:
        """What every verification against this list takes over: OpenSSL's own defaults named ``ssl_server``, and the appliance's."""
        parameters = self._lib.X509_STORE_get0_param(self._store)
        self._lib.X509_VERIFY_PARAM_set_purpose(parameters, _PURPOSE_SSL_SERVER)
        self._lib.X509_VERIFY_PARAM_set_trust(parameters, _TRUST_SSL_SERVER)
        self._lib.X509_VERIFY_PARAM_set_auth_level(parameters, SECURITY_LEVEL)
        self._lib.X509_VERIFY_PARAM_set_depth(parameters, DEPTH_LIMIT)

    def _add(self, number: int, certificate: Certificate) -> None:
        try:
            handle = x509(self._openssl, certificate.der)
        except Unreadable:
            self.broken = self.broken or number
            return
        if handle.pointer in self._members:
            return
        self._members[handle.pointer] = (certificate, handle)
        self._lib.X509_STORE_add_cert(self._store, handle.pointer)

    def __del__(self) -> None:
        if getattr(self, "_store", None):
            self._lib.X509_STORE_free(self._store)

    def verify(self, presented: Sequence[Certificate], at: datetime) -> Built:
        """Return OpenSSL's answer for `presented` (leaf first, as sent) at the aware moment `at`.

        Raises:
            Unreadable: OpenSSL cannot parse one of the presented certificates.
        """
        handles = [x509(self._openssl, certificate.der) for certificate in presented]
        lib = self._lib
        context, untrusted = lib.X509_STORE_CTX_new(), lib.OPENSSL_sk_new_null()
        try:
            for handle in handles:
                lib.OPENSSL_sk_push(untrusted, handle.pointer)
            lib.X509_STORE_CTX_init(context, self._store, handles[0].pointer, untrusted)
            return self._verify(context, at, {handle.pointer: one for handle, one in zip(handles, presented, strict=True)})
        finally:
            lib.X509_STORE_CTX_free(context)
            lib.OPENSSL_sk_free(untrusted)

    def _verify(self, context: int, at: datetime, presented: dict[int, Certificate]) -> Built:
        lib = self._lib
        lib.X509_STORE_CTX_set_time(context, _NO_FLAGS, int(at.timestamp() // 1))
        if self._as_the_appliance and not self._openssl.is_appliance_like:
            lib.X509_STORE_CTX_set_verify_cb(context, _as_1_1_1(self._openssl))
        good = lib.X509_verify_cert(context) == 1
        if not good:
            lib.ERR_clear_error()
        code = V_OK if good else lib.X509_STORE_CTX_get_error(context) or V_UNSPECIFIED
        depth = 0 if good else max(0, lib.X509_STORE_CTX_get_error_depth(context))
        if self._as_the_appliance and code == V_INVALID_CA_3X:
            code = V_INVALID_CA
        return Built(code, depth, self._chain(context, presented))

    def _chain(self, context: int, presented: dict[int, Certificate]) -> tuple[Certificate, ...]:
        stack = self._lib.X509_STORE_CTX_get0_chain(context)
        count = self._lib.OPENSSL_sk_num(stack) if stack else 0
        pointers = [self._lib.OPENSSL_sk_value(stack, position) for position in range(count)]
        return tuple(presented.get(one) or self._members[one][0] for one in pointers)


@lru_cache(maxsize=1)
def _as_1_1_1(openssl: Libcrypto) -> object:
    """A verify callback that lets pass what 1.1.1 accepts at level 1 and 3.x does not: SHA-1 signatures, explicit EC parameters."""
    lib = openssl.lib

    def answer(ok: int, context: int) -> int:
        if ok:
            return ok
        code = lib.X509_STORE_CTX_get_error(context)
        if code == V_EC_KEY_EXPLICIT_PARAMS:
            return 1
        sha1 = lib.X509_get_signature_nid(lib.X509_STORE_CTX_get_current_cert(context)) in _SHA1_SIGNATURE_NIDS
        return int(code == V_CA_MD_TOO_WEAK and sha1)

    return _VERIFY_CALLBACK(answer)


def error_text(code: int, openssl: Libcrypto | None = None) -> str:
    """Return the text of `openssl` (None: the one that answers for the appliance) for ``X509_V_ERR_*`` `code`."""
    return str((openssl or appliance()).lib.X509_verify_cert_error_string(code).decode())


def broken_list_text(number: int) -> str:
    """Return what is said of a list whose entry `number` cannot be read; OpenSSL has no number for it."""
    return f"the trusted CA list holds a certificate that cannot be read: number {number}"


def readable(certificate: Certificate) -> bool:
    """Whether OpenSSL can parse `certificate`."""
    return name_hashes(certificate) is not _UNREADABLE


@dataclass(frozen=True, slots=True)
class NameHashes:
    """OpenSSL's 32-bit hashes of a certificate's canonical subject and issuer names (``openssl x509 -subject_hash``)."""

    subject: int
    issuer: int


_UNREADABLE = NameHashes(-1, -1)


@lru_cache(maxsize=65_536)
def name_hashes(certificate: Certificate) -> NameHashes:
    """Return the name hashes of `certificate`; -1 twice where it cannot be parsed."""
    openssl = appliance()
    try:
        handle = x509(openssl, certificate.der)
    except Unreadable:
        return _UNREADABLE
    # The handle, not its pointer alone: what it points to is freed with it.
    return NameHashes(openssl.lib.X509_subject_name_hash(handle.pointer), openssl.lib.X509_issuer_name_hash(handle.pointer))


@lru_cache(maxsize=65_536)
def dns_names(certificate: Certificate) -> tuple[bytes, ...]:
    """Return the dNSNames of the subject alternative name, in order, as OpenSSL reads them; none where it cannot."""
    try:
        return extensions.dns_names(x509(appliance(), certificate.der))
    except Unreadable:
        return ()


@lru_cache(maxsize=65_536)
def common_name(certificate: Certificate) -> bytes | None:
    """Return the first common name of the subject in UTF-8, as OpenSSL reads it; None where there is none or it cannot."""
    try:
        return x509(appliance(), certificate.der).subject.common_name
    except Unreadable:
        return None
