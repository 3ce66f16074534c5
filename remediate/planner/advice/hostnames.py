"""A name that does not match: what the certificate has, what it lacks, and where to set which name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.model.certificate import Certificate
from remediate.model.expressway import SERVERS_PAGES, UNIFIED_CM_SERVERS_PAGE
from remediate.model.identity import Product, is_ip
from remediate.model.snapshot import Endpoint
from remediate.trust.hostnames import matching_addresses, name_matches

_HOST_NAME = re.compile(r"(?=.{4,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)+")
_MOST_NAMES = 6
_AS_TEXT = "The traffic server compares an IP address as text and never looks at IP SANs."
_IP_SAN = "Reissuing the certificate with an IP SAN does not help (upstream code)."
# Where the addresses that clients are told to use come from: IM and Presence nodes stand in System > Server as well.
_WHERE: dict[Product, str] = {
    "cucm": f"{UNIFIED_CM_SERVERS_PAGE} on Unified CM",
    "imp": f"{UNIFIED_CM_SERVERS_PAGE} on Unified CM",
    "unity": f"{SERVERS_PAGES['unity']} on the primary",
}


def on_the_name(endpoint: Endpoint, leaf: Certificate) -> tuple[str, tuple[str, ...]]:
    """Return what is said of a name that does not match, and the ways out."""
    found = ", ".join(matching_addresses(leaf)) or "no name at all"
    by_address = is_ip(endpoint.address)
    text = f"Clients use {'the IP address ' if by_address else ''}{endpoint.address}; the certificate is for {found}."
    if by_address:
        text += f" {_AS_TEXT}"
    return text, (*_another_address(endpoint, leaf), _reissue(endpoint, leaf, by_address=by_address))


def on_the_name_alone(address: str) -> tuple[str, tuple[str, ...]]:
    """Return what is said where a log tells that the name does not match: no certificate is at hand, nor what product it is."""
    where = f"{_WHERE['cucm']} (of Unity Connection: {_WHERE['unity']})"
    if is_ip(address):
        text = f"Clients use the IP address {address}, which is not among the names of the certificate. {_AS_TEXT}"
        return text, (f"Set {where} to the node's FQDN, then refresh the discovered servers.", _IP_SAN)
    return (
        f"Clients use {address}, which is not among the names of the certificate.",
        (
            f"Set {where} to a name that the certificate has, then refresh the discovered servers.",
            f"Or reissue the certificate with {address.rstrip('.')} among its SAN dNSNames.",
        ),
    )


def _another_address(endpoint: Endpoint, leaf: Certificate) -> tuple[str, ...]:
    """Let clients use a name that the certificate has, where one can be this node's."""
    names = _candidates(endpoint.address, leaf)
    # Under a wildcard of its own domain a node that is deeper in it has no name: `*` stands for one label.
    wild = [name for name in _wildcards(leaf) if not _is_below(endpoint.address, name)]
    if not names and not wild:
        return ()
    which = _or(names) if names else f"a name of its own under {_or(wild)}"
    own = ", whichever is this node's own name" if len(names) > 1 else ""
    return (f"Set {_WHERE[endpoint.product]} to {which}{own}, then refresh the discovered servers.",)


def _candidates(address: str, leaf: Certificate) -> list[str]:
    """The names that `leaf` would be accepted under and that can be those of the node at `address`, the first few."""
    bare = address.rstrip(".")
    names = _own_names(bare, _hosts_beside(bare, leaf))
    if not is_ip(bare) and "." not in bare:
        # A short name: with a wildcard's domain behind it, it is one.
        names = list(dict.fromkeys([*names, *(f"{bare}{name[1:]}" for name in _wildcards(leaf))]))
        same_host = [name for name in names if _host_part(name) == bare.casefold()]
        names = same_host or names
    elif bare != address and name_matches(leaf, bare):
        names = [bare]
    return [name for name in names if _HOST_NAME.fullmatch(name) and name_matches(leaf, name)][:_MOST_NAMES]


def _reissue(endpoint: Endpoint, leaf: Certificate, *, by_address: bool) -> str:
    if by_address and (host_names(leaf) or _wildcards(leaf)):
        return _IP_SAN
    if by_address:
        return (
            "Reissue the certificate with the node's FQDN as SAN dNSName, and use that FQDN instead of the IP address; an IP SAN does "
            "not help (upstream code)."
        )
    bare = endpoint.address.rstrip(".")
    wanted = ", ".join(dict.fromkeys([*_hosts_beside(bare, leaf), bare]))
    no_wildcard = " (the CSR of a node takes no wildcard)" if _wildcards(leaf) else ""
    dot = " Clients must then use it without the dot at its end." if endpoint.address.endswith(".") else ""
    return f"Reissue the certificate{no_wildcard}; put these into its CSR as SAN dNSNames: {wanted}.{dot}"


def host_names(leaf: Certificate) -> tuple[str, ...]:
    """Return the names in `leaf` that a host can have.

    No wildcard, no free text, no domain of its other names, and not the common name that Unified CM makes up for a certificate of
    many servers (``HOST-ms.DOMAIN``).
    """
    names = matching_addresses(leaf)
    hosts = [name for name in names if _HOST_NAME.fullmatch(name) and not is_ip(name) and not _host_part(name).endswith("-ms")]
    return tuple(host for host in hosts if not any(_is_below(name, host) for name in names))


def _hosts_beside(address: str, leaf: Certificate) -> list[str]:
    """The host names in `leaf`, without a domain that the node at `address` is in itself."""
    return [name for name in host_names(leaf) if not _is_below(address, name)]


def _wildcards(leaf: Certificate) -> list[str]:
    """The names in `leaf` with a whole label open, over a domain that hosts can be in."""
    names = [name for name in matching_addresses(leaf) if name.startswith("*.")]
    return [name for name in names if _HOST_NAME.fullmatch(name[2:]) and name_matches(leaf, f"node{name[1:]}")]


def _is_below(name: str, domain: str) -> bool:
    return name.rstrip(".").casefold().endswith(f".{domain.removeprefix('*.').casefold()}")


def _host_part(name: str) -> str:
    return name.partition(".")[0].casefold()


def _own_names(address: str, names: Sequence[str]) -> list[str]:
    """Of a certificate for many nodes, the names with the host part of `address`, where there are such."""
    same = [name for name in names if _host_part(name) == _host_part(address)]
    return list(same or names)


def _or(names: Sequence[str]) -> str:
    *head, last = names
    return f"{', '.join(head)} or {last}" if head else last
