"""Distinct types for strings that look alike, so that a type checker keeps them apart."""

from __future__ import annotations

import ipaddress
from typing import Literal, NewType

Fingerprint = NewType("Fingerprint", str)
"""``sha256:`` and 64 lower-case hex digits: the SHA-256 of a certificate's DER. The only identity of a certificate."""

Address = NewType("Address", str)
"""A connection address: the FQDN or IP address, as text, that a client asks the traffic server for."""

CipherList = NewType("CipherList", str)
"""An OpenSSL cipher list (``man ciphers``), as Expressway stores it."""

PlanId = NewType("PlanId", str)
"""``sha256:`` and the SHA-256 of a plan's canonical JSON without ``id`` and ``made_at``."""

Product = Literal["cucm", "imp", "unity"]
KeyFamily = Literal["rsa", "ecdsa"]
FAMILIES: tuple[KeyFamily, KeyFamily] = ("rsa", "ecdsa")

REVERSE_PROXY_CIPHERS = "ReverseProxyTLSCiphers"
"""The one cipher list that the traffic server uses towards Unified CM, IM&P and Unity (Expressway reference, X15.0)."""


def is_ip(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
