"""A name that does not match: what the certificate has, what it lacks, and where to set which name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.model.certificate import Certificate
from remediate.model.identity import Product, is_ip
from remediate.model.snapshot import Endpoint
from remediate.trust.names import matching_addresses

_HOST_NAME = re.compile(r"(?=.{4,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)+")
_MOST_NAMES = 6
_AS_TEXT = "The traffic server compares an IP address as text and never looks at IP SANs."
_IP_SAN = "Reissuing the certificate with an IP SAN does not help (upstream code)."
# Where the addresses that clients are told to use come from: IM and Presence nodes stand in System > Server as well.
_WHERE: dict[Product, str] = {
    "cucm": "System > Server on Unified CM",
    "imp": "System > Server on Unified CM",
    "unity": "Configuration > Unified Communications > Unity Connection servers on the primary",
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
            f"Or reissue the certificate with {address} among its SAN dNSNames.",
        ),
    )


def _another_address(endpoint: Endpoint, leaf: Certificate) -> tuple[str, ...]:
    """Let clients use a name that the certificate has, where one can be this node's."""
    names = _own_names(endpoint.address, host_names(leaf))
    wild = [name for name in matching_addresses(leaf) if name.startswith("*.")]
    if not names and not wild:
        return ()
    which = _or(names) if names else f"a name of its own under {_or(wild)}"
    own = ", whichever is this node's own name" if len(names) > 1 else ""
    return (f"Set {_WHERE[endpoint.product]} to {which}{own}, then refresh the discovered servers.",)


def _reissue(endpoint: Endpoint, leaf: Certificate, *, by_address: bool) -> str:
    dns_names = [name for name in matching_addresses(leaf) if name.startswith("*.") or name in host_names(leaf)]
    if by_address and dns_names:
        return _IP_SAN
    if by_address:
        return (
            "Reissue the certificate with the node's FQDN as SAN dNSName, and use that FQDN instead of the IP address; an IP SAN does "
            "not help (upstream code)."
        )
    wanted = ", ".join([*dns_names, endpoint.address])
    return f"Reissue the certificate; put these into its CSR as SAN dNSNames: {wanted}."


def host_names(leaf: Certificate) -> tuple[str, ...]:
    """Return the names in `leaf` that a host can have: no wildcard, no free text, no domain of its other names."""
    found = [name for name in matching_addresses(leaf) if _HOST_NAME.fullmatch(name) and not is_ip(name)]
    return tuple(name for name in found if not any(other.casefold().endswith(f".{name.casefold()}") for other in found))


def _own_names(address: str, names: Sequence[str]) -> list[str]:
    """Of a certificate for many nodes, the names with the host part of `address`, where there are such."""
    host = address.partition(".")[0].casefold()
    same = [name for name in names if name.partition(".")[0].casefold() == host]
    return list(same or names)[:_MOST_NAMES]


def _or(names: Sequence[str]) -> str:
    *head, last = names
    return f"{', '.join(head)} or {last}" if head else last
