"""Identities: distinct types for strings that look alike, the ids of endpoints and pairs, and how a host is spelled."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal, NewType

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


_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_same_address(first: str, second: str) -> bool:
    """Return whether two spellings are one address: an inventory may write a name in another case by now."""
    return first.casefold() == second.casefold()


def is_ip(text: str) -> bool:
    """Return whether `text` is an IPv4 or IPv6 address."""
    if ":" not in text and (text.count(".") != 3 or not text[-1].isdecimal()):
        return False  # the library raises an error for each of many names
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host(text: str) -> bool:
    """Return whether `text` is one host name or one IP address, with nothing around it and no dot at its end."""
    return is_ip(text) or (_HOST.fullmatch(text) is not None and ".." not in text)


def host_within(text: str) -> str | None:
    """Return the host in a text with a URL, a port, brackets, blanks or a dot at the end; None where there is none.

    An internationalised name is returned as DNS and certificates have it (``xn--…``).
    """
    without_scheme = _SCHEME.sub("", text.strip(), count=1)
    # The part before an @ may be a password, so it is dropped unread.
    authority = re.split(r"[/?#\\]", without_scheme, maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):
        host = authority[1:].partition("]")[0]
    elif authority.count(":") == 1:
        host = authority.partition(":")[0]
    else:
        host = authority
    try:
        host = host.strip().rstrip(".").encode("idna").decode()
    except UnicodeError:
        return None
    return host if is_host(host) else None


def host_and_port(host: str, port: int) -> str:
    """Return ``host:port``, with brackets round an IPv6 address (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True, order=True)
class EndpointId:
    """One port of one connection address; its text is ``address:port``, as a plan's ``because`` names it."""

    address: Address
    port: int

    def __str__(self) -> str:
        return host_and_port(self.address, self.port)


@dataclass(frozen=True, slots=True, order=True)
class PairId:
    """One endpoint as one peer sees it."""

    peer: Address
    endpoint: EndpointId


class AtEndpoint:
    """A value about one endpoint; the class that derives from it has the fields `address` and `port`."""

    __slots__ = ()
    address: Address
    port: int

    @property
    def endpoint(self) -> EndpointId:
        """The endpoint's identity."""
        return EndpointId(self.address, self.port)


class AtPair(AtEndpoint):
    """A value about one endpoint as one peer sees it; the class that derives from it has the field `peer` too."""

    __slots__ = ()
    peer: Address

    @property
    def pair(self) -> PairId:
        """The peer and the endpoint that it is about."""
        return PairId(self.peer, self.endpoint)
