"""The trusted CA lists of a diagnosis: one that was given, or those in the archives of the peers, each for its own peer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from remediate.model.archived_peer import ArchivedPeer
from remediate.model.certificate import Certificate, Chain
from remediate.model.text import count, first_few, join_words
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.advice.phrases import describe_certificate
from remediate.planner.advice.prices import RESTART_PRICE, TRUST_PRICE
from remediate.trust.hostnames import name_matches

_MAX_NAMED: Final = 4

LOADED_ADVICE: Final = (
    "The certificate verifies with that list, so there is nothing to add to it.",
    "The traffic server uses a list from the last restart of its peer: if it changed since, run `remediate restart`.",
    RESTART_PRICE,
)


class TrustedLists:
    """Finds the list of the peer that a connection or a line is from."""

    def __init__(self, everywhere: Chain | None, archived: Sequence[ArchivedPeer] = ()) -> None:
        """Prepare the lists: `everywhere` counts for every peer, whatever the archives hold."""
        self._by_host: dict[str, Chain] = {}
        self._by_ip: dict[str, Chain] = {}
        for peer in archived if everywhere is None else ():
            if peer.trusted is not None:
                self._by_host[peer.host.casefold()] = peer.trusted
                self._by_ip |= dict.fromkeys(peer.ip_addresses, peer.trusted)
        distinct = set(self._by_host.values())
        self._common = distinct.pop() if len(distinct) == 1 else everywhere

    def of_client(self, ip: str) -> Chain | None:
        """Return the list of the peer with this IP address; the common list where all are equal; None: it is not known."""
        return self._by_ip.get(ip, self._common)

    def of_host(self, host: str | None) -> Chain | None:
        """Return the list of the peer with this host name; otherwise as `of_client`."""
        return self._by_host.get((host or "").partition(".")[0].casefold(), self._common)

    def cover(self, hosts: Iterable[str | None]) -> bool:
        """Return whether the list of every one of `hosts` is known."""
        return all(self.of_host(host) is not None for host in hosts)

    def advise(self, address: str, verdict: Verdict, hosts: Iterable[str | None]) -> tuple[str, ...]:
        """Return what the lists show of a refusal that no capture has; empty where they show nothing to do.

        Args:
            address: The connection address.
            verdict: The logged verdict.
            hosts: The peers that logged it.
        """
        if verdict.cause is not Cause.SELF_SIGNED_UNTRUSTED:
            return ()
        hosts = list(dict.fromkeys(hosts))
        holders = {
            host or "the peer": certificate
            for host in hosts
            for certificate in _find_self_signed(address, self.of_host(host) or ())
        }
        if not holders:
            return ()
        lacking = [host for host in hosts if host and host not in holders and self.of_host(host) is not None]
        hosts_with_it, held = join_words(sorted(holders), _MAX_NAMED), describe_certificate(next(iter(holders.values())))
        return (
            f"The trusted CA list of {hosts_with_it} already holds {held} for that name: compare its fingerprint with the node's.",
            f"If they are the same, the peer does not use the list yet: run `remediate restart`. {RESTART_PRICE}",
            f"If they differ, the node has another certificate now: replace the old one by it. {TRUST_PRICE}",
            *([f"The list of {join_words(sorted(lacking), _MAX_NAMED)} lacks it: add it there as well."] if lacking else []),
        )

    def remark(self, verdict: Verdict | None, hosts: Iterable[str | None]) -> tuple[str, ...]:
        """Return what was looked for in the lists, for a refusal that no capture shows."""
        lists = [trusted for host in dict.fromkeys(hosts) if (trusted := self.of_host(host)) is not None]
        if not lists or verdict is None or verdict.cause not in TRUST_CAUSES:
            return ()
        if verdict.cause is Cause.SELF_SIGNED_UNTRUSTED:
            return ("The peer's list was searched for a self-signed certificate of that name.",)
        authorities = [certificate for certificate in lists[0] if certificate.is_ca or certificate.self_issued]
        names = first_few([certificate.common_name or certificate.subject for certificate in authorities], _MAX_NAMED)
        held = f"{count(len(authorities), 'CA certificate')} ({names})"
        return (f"The peer's list has {held}. Look for the issuer there before you add one.",)


def _find_self_signed(address: str, trusted: Chain) -> list[Certificate]:
    return [certificate for certificate in trusted if certificate.self_issued and name_matches(certificate, address)]
