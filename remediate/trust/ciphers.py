"""Cipher lists: which certificate a node presents under one, RSA or ECDSA.

Under TLS 1.2 a node that holds both presents the one that the first shared suite authenticates with, in the client's order or its
own. Under TLS 1.3 the list does not decide: signature algorithms do, and ECDSA wins (docs/verdict.md, *Which certificate*).
"""

from __future__ import annotations

import ssl
from functools import lru_cache

from remediate.model.expressway import CIPHERS_SINCE_X15_0_2, ECDSA_PREFIX, RSA_PREFIX
from remediate.model.identity import FAMILIES, CipherList, KeyFamily
from remediate.model.snapshot import Endpoint

AUTHENTICATION: dict[str, KeyFamily] = {"auth-rsa": "rsa", "auth-ecdsa": "ecdsa"}


_LEAST_BITS = 80
"""Of security level 1 (SSL_CTX_set_security_level(3))."""


@lru_cache(maxsize=256)
def families_in(ciphers: CipherList) -> tuple[KeyFamily, ...]:
    """Return the key families that `ciphers` offers under TLS 1.2, the preferred one first; none when OpenSSL refuses the list."""
    methods = [method for _, method in _expand(ciphers)]
    return tuple(dict.fromkeys(AUTHENTICATION[method] for method in methods if method in AUTHENTICATION))


@lru_cache(maxsize=256)
def suites_in(ciphers: CipherList) -> tuple[str, ...]:
    """Return the suites that `ciphers` offers up to TLS 1.2, in its order; none when OpenSSL refuses the list."""
    return tuple(name for name, _ in _expand(ciphers))


def means_the_same(first: CipherList, second: CipherList) -> bool:
    """Return whether both lists offer the same suites in the same order, however they are written."""
    return first == second or (suites_in(first) == suites_in(second) != ())


def list_new_suites(ciphers: CipherList, reference: CipherList) -> tuple[str, ...]:
    """Return the suites that `ciphers` offers and `reference` does not; none where OpenSSL refuses `reference`."""
    offered = frozenset(suites_in(reference))
    return tuple(suite for suite in suites_in(ciphers) if suite not in offered) if offered else ()


def is_default_since_x15(ciphers: CipherList) -> bool:
    """Return whether `ciphers` is the default since X15.0.2, with or without a prefix that prefers a key family."""
    stripped = ciphers.removeprefix(RSA_PREFIX).removeprefix(ECDSA_PREFIX)
    return means_the_same(CipherList(stripped), CIPHERS_SINCE_X15_0_2)


def _expand(ciphers: CipherList) -> list[tuple[str, str]]:
    """Return the name and the method of authentication of each suite up to TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # Level 1 is the appliance's; a distribution may have set a higher one that drops suites.
        context.set_ciphers(f"{ciphers}:@SECLEVEL=1")
    except (ssl.SSLError, ValueError):
        # ValueError: a NUL or a lone surrogate, which no peer can hold but a file may.
        return []
    # OpenSSL lists suites that its level then never offers: those without encryption, above all.
    return [
        (suite["name"], suite["auth"])
        for suite in context.get_ciphers()
        if suite["protocol"] != "TLSv1.3" and suite["strength_bits"] >= _LEAST_BITS
    ]


def prefer(family: KeyFamily, ciphers: CipherList) -> CipherList:
    """Return the smallest change of `ciphers` that asks for `family` first; `ciphers` itself where it does already or none would."""
    if families_in(ciphers)[:1] == (family,):
        return ciphers
    prefix, opposite = (RSA_PREFIX, ECDSA_PREFIX) if family == "rsa" else (ECDSA_PREFIX, RSA_PREFIX)
    stripped = CipherList(ciphers.removeprefix(opposite))
    # A list that rules a family out (`!aRSA`) does so for a prefix too: it then stays as it is.
    candidates = (stripped, CipherList(prefix + stripped))
    return next((candidate for candidate in candidates if candidate and families_in(candidate)[:1] == (family,)), ciphers)


def presented_families(endpoint: Endpoint, ciphers: CipherList | None) -> tuple[KeyFamily, ...]:
    """Return the families that `endpoint` may present to a peer with `ciphers`; the one expected under TLS 1.2 first.

    More than one means that it is not certain which: then every one of them must verify. None means no shared cipher. `ciphers`
    None means that the peer's list is not known.
    """
    held = tuple(filter(endpoint.presented.get, FAMILIES))
    if ciphers is None or not held:
        return held
    if len(held) == 1:
        return held if held[0] in families_in(ciphers) else ()
    offered = [family for family in families_in(ciphers) if family in held]
    expected = _expected(endpoint, ciphers, offered)
    # A node that accepts TLS 1.3, or was not tested for it, may present its ECDSA certificate under any list.
    return expected if endpoint.tls13 is False else tuple(dict.fromkeys((*expected, "ecdsa")))


def _expected(endpoint: Endpoint, ciphers: CipherList, offered: list[KeyFamily]) -> tuple[KeyFamily, ...]:
    preferred = endpoint.preferred
    if ciphers in preferred.measured:
        return (preferred.measured[ciphers],)
    if preferred.client_order:
        return tuple(offered[:1])
    if preferred.client_order is False and preferred.family in offered:
        return (preferred.family,)
    return tuple(offered)
