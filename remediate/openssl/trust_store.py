"""The trust store: a trusted CA list in OpenSSL's hands, and the verification of presented chains against it.

The set-up is a TLS client's (ssl_verify_cert_chain in OpenSSL's ssl/ssl_cert.c): purpose and trust of ``ssl_server``, no flags (so
no partial chains, not strict), and what the appliance adds: security level 1 (1.1.1's default) and the traffic server's depth limit.
Under an OpenSSL 3.x the answers are made those of 1.1.1 by `openssl111`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from remediate.openssl.callbacks import CALLBACK_LOCK, raising_from_callbacks
from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.openssl111 import (
    IssuerChoice,
    Traits,
    answer_as_111,
    may_choose_otherwise,
    pass_explicit_parameters,
    traits_of,
)
from remediate.openssl.x509 import X509, Unreadable, x509

SECURITY_LEVEL: Final = 1
DEPTH_LIMIT: Final = 7
"""proxy.config.ssl.client.verify depth; measured: seven intermediates pass, eight give error 22 at depth 8."""

V_OK: Final = 0
V_UNSPECIFIED: Final = 1  # x509_vfy.h: X509_V_ERR_UNSPECIFIED
V_EC_KEY_EXPLICIT_PARAMS: Final = 94

_NO_FLAGS: Final = 0
_PARTIAL_CHAIN: Final = 0x80000  # x509_vfy.h: X509_V_FLAG_PARTIAL_CHAIN
_PURPOSE_SSL_CLIENT: Final = 1  # x509v3.h
_PURPOSE_SSL_SERVER: Final = 2
_TRUST_SSL_CLIENT: Final = 2  # x509.h
_TRUST_SSL_SERVER: Final = 3


class TrustStore:
    """A trusted CA list, loaded in its order. Reusable for any number of chains, from several threads.

    Attributes:
        broken: The number of the first entry that OpenSSL cannot read, counted from 1; None where it reads them all.
    """

    def __init__(
        self,
        openssl: Libcrypto,
        trusted: Sequence[bytes],
        *,
        as_openssl_111: bool = True,
        partial_chains: bool = False,
        for_clients: bool = False,
    ) -> None:
        """Load the DER certificates `trusted` into `openssl`.

        Args:
            openssl: The library that keeps the list.
            trusted: The list, in its order.
            as_openssl_111: Correct the answers of an OpenSSL 3.x to those of 1.1.1.
            partial_chains: A chain may end in any trusted certificate, which no traffic server allows.
            for_clients: Judge the certificates of TLS clients, as a server does.
        """
        self._openssl = openssl
        self._purpose, self._trust = (
            (_PURPOSE_SSL_CLIENT, _TRUST_SSL_CLIENT) if for_clients else (_PURPOSE_SSL_SERVER, _TRUST_SSL_SERVER)
        )
        self._lib = openssl.lib
        self._is_corrected = as_openssl_111 and openssl.is_3_or_later
        self._partial_chains = partial_chains
        self.broken: int | None = None
        self._members: dict[int, X509] = {}
        self._ders: dict[int, bytes] = {}
        for number, der in enumerate(trusted, start=1):
            try:
                handle = x509(openssl, der)
            except Unreadable:
                self.broken = self.broken or number
            else:
                self._members[handle.pointer], self._ders[handle.pointer] = handle, der
        self._traits = self._traits_of(self._ders)
        self._choice_matters = may_choose_otherwise(self._traits.values())
        self._store = self._new_store()

    def __del__(self) -> None:
        if getattr(self, "_store", None):
            self._lib.X509_STORE_free(self._store)

    def verify(self, presented: Sequence[bytes], at: int) -> tuple[int, int, tuple[bytes, ...]]:
        """Return OpenSSL's answer for `presented` (DER, leaf first, as sent) at `at` (seconds since 1970, UTC).

        Returns:
            ``X509_V_ERR_*`` of the first error and its position, both 0 when the chain is good, and the DER of the certificates that
            were put together, leaf first, as far as OpenSSL came.

        Raises:
            Unreadable: OpenSSL cannot parse one of the presented certificates.
        """
        handles = [x509(self._openssl, der) for der in presented]
        pointers = [handle.pointer for handle in handles]
        ders = dict(zip(pointers, presented, strict=True))
        if self._is_corrected:
            code, depth, chain = self._verify_as_111(pointers, ders, at)
        else:
            code, depth, chain = self._verify(self._store, pointers, at)
        return code, depth, tuple(ders[pointer] if pointer in ders else self._ders[pointer] for pointer in chain)

    def _verify_as_111(self, presented: Sequence[int], ders: Mapping[int, bytes], at: int) -> tuple[int, int, list[int]]:
        traits = self._traits_of(ders)
        needs_callbacks = self._choice_matters or may_choose_otherwise(traits.values())
        answer = None if needs_callbacks else self._verify(self._store, presented, at)
        traits.update(self._traits)
        if answer is None or answer[0] == V_EC_KEY_EXPLICIT_PARAMS:
            answer = self._verify_with_callbacks(presented, traits, at)
        code, depth, chain = answer
        return (*answer_as_111(code, depth, [traits[pointer] for pointer in chain]), chain)

    def _verify_with_callbacks(
        self, presented: Sequence[int], traits: Mapping[int, Traits], at: int
    ) -> tuple[int, int, list[int]]:
        """Verify with 1.1.1's choice among several issuers, on a store of its own."""
        choice = IssuerChoice(self._openssl, list(self._members), presented, traits, at)
        store = self._new_store()
        try:
            with CALLBACK_LOCK, raising_from_callbacks():
                choice.install(store)
                return self._verify(store, presented, at, callback=pass_explicit_parameters(self._openssl))
        finally:
            self._lib.X509_STORE_free(store)

    def _verify(self, store: int, presented: Sequence[int], at: int, *, callback: object = None) -> tuple[int, int, list[int]]:
        """Return the first error, its depth, and the chain as pointers, which live as long as the certificates given."""
        lib = self._lib
        context, untrusted = lib.X509_STORE_CTX_new(), lib.OPENSSL_sk_new_null()
        try:
            for pointer in presented:
                lib.OPENSSL_sk_push(untrusted, pointer)
            lib.X509_STORE_CTX_init(context, store, presented[0], untrusted)
            lib.X509_STORE_CTX_set_time(context, _NO_FLAGS, at)
            if callback is not None:
                lib.X509_STORE_CTX_set_verify_cb(context, callback)
            is_good = lib.X509_verify_cert(context) == 1
            if not is_good:
                lib.ERR_clear_error()
            code = V_OK if is_good else lib.X509_STORE_CTX_get_error(context) or V_UNSPECIFIED
            depth = 0 if is_good else max(0, lib.X509_STORE_CTX_get_error_depth(context))
            stack = lib.X509_STORE_CTX_get0_chain(context)
            count = lib.OPENSSL_sk_num(stack) if stack else 0
            return code, depth, [lib.OPENSSL_sk_value(stack, position) for position in range(count)]
        finally:
            lib.X509_STORE_CTX_free(context)
            lib.OPENSSL_sk_free(untrusted)

    def _new_store(self) -> int:
        """Return a store of the list with the parameters of the party that judges; the caller frees it."""
        lib = self._lib
        store: int = lib.X509_STORE_new()
        parameters = lib.X509_STORE_get0_param(store)
        lib.X509_VERIFY_PARAM_set_purpose(parameters, self._purpose)
        lib.X509_VERIFY_PARAM_set_trust(parameters, self._trust)
        # At level 0 OpenSSL 3.x refuses no key and no digest; 1.1.1's own level 1 is applied to the chain that it built.
        lib.X509_VERIFY_PARAM_set_auth_level(parameters, 0 if self._is_corrected else SECURITY_LEVEL)
        lib.X509_VERIFY_PARAM_set_depth(parameters, DEPTH_LIMIT)
        if self._partial_chains:
            lib.X509_VERIFY_PARAM_set_flags(parameters, _PARTIAL_CHAIN)
        for pointer in self._members:
            lib.X509_STORE_add_cert(store, pointer)
        return store

    def _traits_of(self, ders: Mapping[int, bytes]) -> dict[int, Traits]:
        if not self._is_corrected:
            return {}
        return {pointer: traits_of(self._openssl, der) for pointer, der in ders.items()}
