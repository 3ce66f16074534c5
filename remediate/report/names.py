"""Names for a person: services before ports, and the common part of many names once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from remediate.language.messages import Verbatim
from remediate.model.identity import Address, Product, host_and_port, is_ip

_SERVICES: Mapping[tuple[Product, int], str] = {
    ("cucm", 8443): "Sign-in",
    ("cucm", 443): "Sign-in",
    ("cucm", 6972): "Phone configuration",
    ("cucm", 6971): "Headset configuration",
    ("imp", 8443): "Chat",
    ("unity", 8443): "Voicemail",
    ("unity", 443): "Voicemail",
}
"""What a client uses each port of a product for (Cisco, MRA deployment guide, ports)."""

UNNAMED: Mapping[Address, str] = {}
"""No peer is called other than its address."""

_ORDER = ("Sign-in", "Phone configuration", "Headset configuration", "Chat", "Voicemail")


def service_of(product: Product | None, port: int) -> str:
    """Return what clients use a port for; empty where that is not known."""
    return _SERVICES.get((product, port), "") if product else ""


def service_rank(service: str) -> int:
    """Return the place of a service among the others: what users miss first comes first."""
    return _ORDER.index(service) if service in _ORDER else len(_ORDER)


@dataclass(frozen=True, slots=True)
class ShortNames:
    """Names without the domain that all of them end in.

    Attributes:
        suffix: What was left out, beginning with a dot; empty where the names share nothing.
    """

    by_name: Mapping[str, str]
    suffix: str = ""

    def __getitem__(self, name: str) -> Verbatim:
        """Return the short form of `name`, which no language changes; the name itself where it is not among them."""
        return Verbatim(self.by_name.get(name, name))

    def list_names(self, names: Iterable[str]) -> Verbatim:
        """Return the short forms of `names`, with commas."""
        return Verbatim(", ".join(self[name] for name in names))


def shorten(names: Iterable[str]) -> ShortNames:
    """Return `names` without the domain that all host names among them end in; addresses stay as they are.

    Nothing is left out where two names would become one, or there are fewer than two.
    """
    distinct = list(dict.fromkeys(names))
    hosts = [name for name in distinct if "." in name and not is_ip(name)]
    suffix = _common_domain(hosts)
    if len(hosts) < 2 or not suffix:
        return ShortNames({name: name for name in distinct})
    shortened = frozenset(hosts)
    short = {name: name.removesuffix(suffix) if name in shortened else name for name in distinct}
    if len(set(short.values())) < len(distinct):
        return ShortNames({name: name for name in distinct})
    return ShortNames(short, suffix)


def name_peers(peers: Iterable[str], system_names: Mapping[Address, str] = UNNAMED) -> ShortNames:
    """Return what each peer is called: a host name as it is, an IP address by the system's own name where it has one.

    Args:
        peers: Their addresses.
        system_names: What their administrators call them, as far as it is known.
    """
    names: dict[str, str] = {peer: system_names.get(Address(peer), peer) if is_ip(peer) else peer for peer in peers}
    if len(set(names.values())) < len(names):
        names = {peer: peer for peer in names}
    short = shorten(names.values())
    return ShortNames({peer: short[name] for peer, name in names.items()}, short.suffix)


def explain_heads(peers: Sequence[str], names: ShortNames, heads: Sequence[str]) -> tuple[str, ...]:
    """Return what each head of a column is for, in the order of the peers: its name, and the address where it is called otherwise.

    A head that says it all is for itself.
    """
    texts: list[str] = []
    for peer, head in zip(peers, heads, strict=True):
        name: str = names[peer]
        is_renamed = is_ip(peer) and name != peer
        texts.append(f"{name} ({peer})" if is_renamed and name != head else peer if is_renamed else name)
    return tuple(texts)


def shorten_endpoints(endpoints: Iterable[tuple[Address, int]]) -> ShortNames:
    """Return ``host:port`` of each address and port, with the host as `shorten` has it."""
    distinct = dict.fromkeys(endpoints)
    hosts = shorten(address for address, _ in distinct)
    return ShortNames(
        {host_and_port(address, port): host_and_port(hosts[address], port) for address, port in distinct}, hosts.suffix
    )


def describe_heads(peers: Sequence[str], names: ShortNames, heads: Sequence[str]) -> str:
    """Return the legend of a table whose columns or rows are of `peers`; empty where each head says it all."""
    meanings = explain_heads(peers, names, heads)
    legend = ", ".join(f"{head} = {meaning}" for head, meaning in zip(heads, meanings, strict=True) if head != meaning)
    if legend:
        return f"Peers {legend}, in {names.suffix[1:]}" if names.suffix else f"Peers {legend}"
    return f"Peers are in {names.suffix[1:]}" if names.suffix else ""


def join_peers(peers: Sequence[str], names: ShortNames, total: int) -> str:
    """Return `peers`, of `total`, by their short names, or that it is all of them."""
    return f"all {total} peers" if len(peers) == total > 1 else ", ".join(names[peer] for peer in peers)


def _common_domain(hosts: Sequence[str]) -> str:
    """Return the longest ``.a.b`` that all of `hosts` end in and that leaves something of each."""
    labels = [host.split(".")[1:] for host in hosts]
    common: list[str] = []
    for group in zip(*(reversed(of_host) for of_host in labels), strict=False):
        if len({label.casefold() for label in group}) > 1:
            break
        common.append(group[0])
    return "".join(f".{label}" for label in reversed(common))
