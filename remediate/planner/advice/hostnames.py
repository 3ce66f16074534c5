"""Host names: the advice on a name that does not match, and the names that a node can have."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from remediate.model.certificate import Certificate
from remediate.model.expressway import UC_SERVICE_PAGE, UNIFIED_CM_SERVERS_PAGE
from remediate.model.identity import Product, is_ip
from remediate.model.snapshot import Endpoint
from remediate.planner.advice.prices import (
    PRESENCE_NAME_PRICE,
    SERVER_NAME_PRICE,
    UNKNOWN_REISSUE_PRICE,
    VOICEMAIL_NAME_PRICE,
    describe_reissue_price,
)
from remediate.trust.hostnames import matching_addresses, name_matches

_HOST_NAME = re.compile(r"(?=.{4,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)+")
_MAX_NAMES = 6
_AS_TEXT = "The traffic server compares an IP address as text and ignores IP SANs."
_IP_SAN = "Reissuing the certificate with an IP SAN does not help (upstream code)."
_THEN_REFRESH = "then refresh the discovered servers"
# Where the addresses that clients use are set, and what that costs. {target}: the address to set.
_ADDRESS_CHANGES: dict[Product, tuple[str, str]] = {
    "cucm": (
        f"As a change of its own, not in this window: set {UNIFIED_CM_SERVERS_PAGE} on Unified CM to {{target}}, {_THEN_REFRESH}.",
        SERVER_NAME_PRICE,
    ),
    "imp": (
        (
            "As a change of its own, not in this window: set the node's name in the presence topology, and the IM and Presence "
            f"service under {UC_SERVICE_PAGE} on Unified CM, to {{target}}, {_THEN_REFRESH}."
        ),
        PRESENCE_NAME_PRICE,
    ),
    "unity": (
        (
            f"Set the host name of the Voicemail and Mailstore services under {UC_SERVICE_PAGE} on Unified CM to {{target}}, "
            f"{_THEN_REFRESH}."
        ),
        VOICEMAIL_NAME_PRICE,
    ),
}


def advise_on_name(
    endpoint: Endpoint, leaf: Certificate, addresses_in_use: Collection[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """Return the text and the options for a name that does not match.

    `addresses_in_use` are those of all endpoints of the cluster: a name among them is another node's, unless its host part is the
    same.
    """
    names = ", ".join(matching_addresses(leaf)) or "no name at all"
    by_address = is_ip(endpoint.address)
    text = f"Clients use {'the IP address ' if by_address else ''}{endpoint.address}; the certificate is for {names}."
    if by_address:
        text += f" {_AS_TEXT}"
    addresses = _suggest_addresses(endpoint, leaf, addresses_in_use)
    reissue = _suggest_reissue(endpoint, leaf, by_address=by_address)
    # The safe one first: a new name of a Unified CM or IM and Presence node changes more than its certificate does.
    if reissue == _IP_SAN or endpoint.product == "unity":
        return text, (*addresses, reissue)
    return text, (reissue, *addresses)


def advise_on_logged_name(address: str) -> tuple[str, tuple[str, ...]]:
    """Return the text and the options for a mismatch that only a log shows: neither certificate nor product is known."""
    if is_ip(address):
        text = f"Clients use the IP address {address}, which is not among the names of the certificate. {_AS_TEXT}"
        return text, (*_suggest_address_for_any_product("the node's FQDN"), _IP_SAN)
    bare = address.rstrip(".")
    text = f"Clients use {address}, which is not among the names of the certificate."
    reissue = f"Reissue the certificate with {bare} among its SAN dNSNames. {UNKNOWN_REISSUE_PRICE}"
    if bare != address:
        text += " The trailing dot is compared too, and no certificate has one."
        target = f"{bare}, if the certificate has that name"
        return text, (*_suggest_address_for_any_product(target), f"Else: {reissue[0].lower()}{reissue[1:]}")
    return text, (reissue, *_suggest_address_for_any_product("a name that the certificate has"))


def _suggest_address_for_any_product(target: str) -> tuple[str, ...]:
    """Return the options to use another address, for a node whose product is not known."""
    unified_cm, unity = _format_address_change("cucm", target), _format_address_change("unity", target)
    return f"If it is Unified CM: {unified_cm}", f"If it is Unity Connection: {unity}"


def _format_address_change(product: Product, target: str) -> str:
    change, price = _ADDRESS_CHANGES[product]
    # Not str.format: a name in a certificate may hold braces.
    return f"{change.replace('{target}', target)} {price}"


def _suggest_addresses(endpoint: Endpoint, leaf: Certificate, addresses_in_use: Collection[str]) -> tuple[str, ...]:
    """Return the option to use a name of the certificate, where one of them can be this node's."""
    names = _list_free(endpoint.address, _list_candidates(endpoint.address, leaf), addresses_in_use)
    # Under a wildcard of its own domain a node that is deeper in it has no name: `*` matches one label.
    wildcards = [name for name in _list_wildcards(leaf) if not _is_below(endpoint.address, name)]
    if not names and not wildcards:
        return ()
    target = _join_or(names) if names else f"a name of its own under {_join_or(wildcards)}"
    own = ", whichever is this node's own name" if len(names) > 1 else ""
    return (_format_address_change(endpoint.product, f"{target}{own}"),)


def _list_candidates(address: str, leaf: Certificate) -> list[str]:
    """Return the first few names that `leaf` would be accepted under and that the node at `address` can have."""
    bare = address.rstrip(".")
    names = _prefer_same_host(bare, _list_hosts(bare, leaf))
    if not is_ip(bare) and "." not in bare:
        # A short name can have the domain of a wildcard, of `*` and of `cu*`.
        domains = [domain for label, _, domain in (name.partition(".") for name in matching_addresses(leaf)) if "*" in label]
        names = list(dict.fromkeys([*names, *(f"{bare}.{domain}" for domain in domains)]))
        same_host = [name for name in names if _host_part(name) == bare.casefold()]
        names = same_host or names
    elif bare != address and name_matches(leaf, bare):
        names = [bare]
    return [name for name in names if _HOST_NAME.fullmatch(name) and name_matches(leaf, name)][:_MAX_NAMES]


def _list_free(own_address: str, names: Sequence[str], addresses_in_use: Collection[str]) -> list[str]:
    """Return `names` without those of other nodes.

    A node known by its IP address can be known by its name as well: where all names are in use, one of them may be its own.
    """
    in_use = {address.casefold() for address in addresses_in_use}
    free = [name for name in names if name.casefold() not in in_use or _host_part(name) == _host_part(own_address)]
    return free or list(names) if is_ip(own_address) else free


def _suggest_reissue(endpoint: Endpoint, leaf: Certificate, *, by_address: bool) -> str:
    if by_address and (list_host_names(leaf) or _list_wildcards(leaf)):
        return _IP_SAN
    price = describe_reissue_price(endpoint.product, endpoint.port)
    if by_address:
        return (
            "Reissue the certificate with the node's FQDN as SAN dNSName, and use that FQDN instead of the IP address; an IP SAN does "
            f"not help (upstream code). {price}"
        )
    bare = endpoint.address.rstrip(".")
    names = ", ".join(dict.fromkeys([*_list_hosts(bare, leaf), bare]))
    no_wildcard = " (the CSR of a node takes no wildcard)" if _list_wildcards(leaf) else ""
    dot = " Clients must then use it without the trailing dot." if endpoint.address.endswith(".") else ""
    return f"Reissue the certificate{no_wildcard}; put these into its CSR as SAN dNSNames: {names}.{dot} {price}"


def list_host_names(leaf: Certificate) -> tuple[str, ...]:
    """Return the names in `leaf` that a host can have.

    No wildcard, no free text, no localhost, no domain of its other names, and not the common name that Unified CM makes up for a
    certificate of many servers (``HOST-ms.DOMAIN``).
    """
    names = matching_addresses(leaf)
    hosts = [name for name in names if _HOST_NAME.fullmatch(name) and not is_ip(name) and not _is_no_node(_host_part(name))]
    return tuple(host for host in hosts if not any(_is_below(name, host) for name in names))


def _list_hosts(address: str, leaf: Certificate) -> list[str]:
    """Return the host names in `leaf`, without a domain that the node at `address` is in itself."""
    return [name for name in list_host_names(leaf) if not _is_below(address, name)]


def _list_wildcards(leaf: Certificate) -> list[str]:
    """Return the names in `leaf` whose first label is a wildcard, over a domain that hosts can be in."""
    names = [name for name in matching_addresses(leaf) if name.startswith("*.")]
    return [name for name in names if _HOST_NAME.fullmatch(name[2:]) and name_matches(leaf, f"node{name[1:]}")]


def _is_below(name: str, domain: str) -> bool:
    return name.rstrip(".").casefold().endswith(f".{domain.removeprefix('*.').casefold()}")


def _is_no_node(host: str) -> bool:
    return host == "localhost" or host.endswith("-ms")


def _host_part(name: str) -> str:
    return name.partition(".")[0].casefold()


def _prefer_same_host(address: str, names: Sequence[str]) -> list[str]:
    """Return the names with the host part of `address`, where a certificate for many nodes has such; otherwise all."""
    same_host_names = [name for name in names if _host_part(name) == _host_part(address)]
    return list(same_host_names or names)


def _join_or(names: Sequence[str]) -> str:
    *head, last = names
    return f"{', '.join(head)} or {last}" if head else last
