"""Small clusters as hypothesis draws them: a few CAs, cross-signed, renewed and clashing; a few nodes; one to three peers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS, SIP_CIPHERS
from remediate.model.identity import Address, CipherList, KeyFamily
from remediate.model.snapshot import Endpoint, Peer, Preference, Snapshot
from tests.pki import NOW, YEAR, Entity, issue

DEFAULT_CIPHERS = CipherList("EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL")
MAX_EXAMPLES = int(os.environ.get("REMEDIATE_EXAMPLES", "60"))
patiently = settings(max_examples=MAX_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
RSA_FIRST = CipherList("ECDHE-RSA-AES256-GCM-SHA384:" + DEFAULT_CIPHERS)


@cache
def authorities() -> dict[str, Entity]:
    """Issue the PKI that clusters are drawn from, with everything that makes a choice hard."""
    root, other_root = issue("Root", ca=True), issue("Other", ca=True)
    late = timedelta(days=-10)
    return {
        "root": root,
        "root-renewed": issue("Root", ca=True, lasts=5 * YEAR),
        "root-expired": issue("Root", ca=True, starts=-3 * YEAR, lasts=YEAR),
        "root-twin": issue("Root", ca=True, key_name="another key"),
        "root-namesake": issue("Root", ca=True, organization="Elsewhere"),
        "other": other_root,
        "issuing": issue("Issuing", root, ca=True),
        "issuing-expired": issue("Issuing", root, ca=True, starts=-3 * YEAR, lasts=2 * YEAR),
        "issuing-cross": issue("Issuing", other_root, ca=True),
        "root-cross": issue("Root", other_root, ca=True),
        "anonymous": issue(None, ca=True, organization="No common name"),
        "late": issue("Late", root, ca=True, starts=late, lasts=timedelta(days=5)),
        "unreadable": Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), root.private_key, root.name),
    }


def readable_authorities() -> list[str]:
    """Return the names of the authorities that any program can read."""
    return sorted(authorities().keys() - {"unreadable"})


@cache
def leaf(node: int, issuer: str, fits: bool) -> Certificate:
    """Issue the certificate of a node, signed by one of the authorities or by itself, with or without the right name."""
    signer = None if issuer == "itself" else authorities()[issuer]
    address = f"node{node}.lab"
    return issue(f"node{node}", signer, names=(address if fits else "elsewhere.lab",), key_ids=node % 2 == 0).certificate


_ISSUERS = ["itself", "root", "issuing", "other", "root-twin", "anonymous", "late"]
_ABOVE = ["issuing", "issuing-cross", "issuing-expired", "root", "root-cross", "other", "root-twin", "anonymous"]


@st.composite
def chains(draw: st.DrawFn, node: int) -> tuple[Certificate, ...]:
    """Draw a presented chain: a leaf and, in any order, CA certificates that may or may not belong to it."""
    own = leaf(node, draw(st.sampled_from(_ISSUERS)), draw(st.sampled_from([True, True, True, False])))
    above = draw(st.lists(st.sampled_from(_ABOVE), max_size=2, unique=True))
    return (own, *(authorities()[name].certificate for name in above))


@st.composite
def clusters(draw: st.DrawFn, max_nodes: int = 3, max_listed: int = 2, max_peers: int = 2) -> Snapshot:
    """Draw a snapshot of a small cluster."""
    names = sorted(authorities())
    lists = st.lists(st.sampled_from(names), max_size=max_listed, unique=True)
    peers = [_peer(number, draw(lists), draw(st.sampled_from([DEFAULT_CIPHERS, RSA_FIRST]))) for number in range(1)]
    for number in range(1, draw(st.integers(1, max_peers))):
        peers.append(_peer(number, draw(st.one_of(st.just([]), lists)), peers[0].ciphers[REVERSE_PROXY_CIPHERS]))
    nodes: list[tuple[Endpoint, list[tuple[Certificate, ...]]]] = []
    for node in range(draw(st.integers(1, max_nodes))):
        families: list[KeyFamily] = draw(st.sampled_from([["rsa"], ["ecdsa"], ["rsa", "ecdsa"]]))
        presented = {family: draw(chains(node)) for family in families}
        measured = draw(st.sampled_from([{}, {}, {RSA_FIRST: families[0]}]))
        preferred = Preference(draw(st.sampled_from([True, True, False, None])), families[-1], measured)
        tls13 = draw(st.sampled_from([False, False, True, None]))
        nodes.append((_endpoint(node, presented, preferred, tls13=tls13), list(presented.values())))
    pool = [authorities()[name].certificate for name in draw(st.lists(st.sampled_from(names), max_size=3, unique=True))]
    certificates = [authorities()[name].certificate for name in names] + [
        certificate for _, presented_chains in nodes for chain in presented_chains for certificate in chain
    ]
    by_fingerprint = {certificate.fingerprint: certificate for certificate in certificates}
    vouched = draw(st.frozensets(st.sampled_from(sorted(by_fingerprint)), max_size=4))
    return Snapshot(
        cluster="drawn",
        taken_at=NOW,
        peers=tuple(peers),
        endpoints=tuple(endpoint for endpoint, _ in nodes),
        available_ca=tuple(certificate.fingerprint for certificate in pool),
        vouched_for=vouched,
        certificates=by_fingerprint,
    )


@st.composite
def _guarded_chains(draw: st.DrawFn, node: int) -> tuple[Certificate, ...]:
    """Draw a chain that a list with *Other* accepts, until that list holds another *Root* than the one that is presented."""
    above = draw(st.sampled_from([["root-cross"], ["root-cross", "other"], ["root"]]))
    return (leaf(node, "root", fits=True), *(authorities()[name].certificate for name in above))


@st.composite
def _guarded_endpoints(draw: st.DrawFn, node: int) -> tuple[Endpoint, list[tuple[Certificate, ...]]]:
    families: list[KeyFamily] = draw(st.sampled_from([["rsa"], ["rsa", "ecdsa"]]))
    presented = {family: draw(_guarded_chains(node)) for family in families}
    endpoint = _endpoint(node, presented, Preference(client_order=True), tls13=draw(st.sampled_from([False, None])))
    return replace(endpoint, port=5061, service="SIP"), list(presented.values())


@st.composite
def guarded_clusters(draw: st.DrawFn, max_peers: int = 1) -> Snapshot:
    """Draw a small cluster whose peers trust a CA that guarded endpoints depend on, and whose nodes present rekeyed roots."""
    snapshot = draw(clusters(max_nodes=2, max_listed=1, max_peers=max_peers))
    guarded = [draw(_guarded_endpoints(node)) for node in draw(st.sampled_from([(1,), (1, 2)]))]
    other_root = authorities()["other"].certificate.fingerprint
    roots = {entity.certificate.fingerprint for name, entity in authorities().items() if name.startswith("root")}
    peers = tuple(
        replace(peer, trusted_ca=(other_root, *(listed for listed in peer.trusted_ca if listed not in {other_root, *roots})))
        for peer in snapshot.peers
    )
    rekeyed = {
        family: (leaf(0, "root-twin", fits=True), authorities()["root-twin"].certificate)
        for family in snapshot.endpoints[0].presented
    }
    presented = {family: tuple(certificate.fingerprint for certificate in chain) for family, chain in rekeyed.items()}
    endpoints = (replace(snapshot.endpoints[0], presented=presented), *snapshot.endpoints[1:])
    chains = [*rekeyed.values(), *(chain for _, chains_of in guarded for chain in chains_of)]
    return replace(
        snapshot,
        peers=peers,
        endpoints=endpoints if draw(st.booleans()) else snapshot.endpoints,
        certificates={
            **snapshot.certificates,
            **{certificate.fingerprint: certificate for chain in chains for certificate in chain},
        },
        guarded_endpoints=tuple(endpoint for endpoint, _ in guarded),
    )


def _peer(number: int, listed: Sequence[str], ciphers: CipherList) -> Peer:
    trusted = tuple(authorities()[certificate].certificate.fingerprint for certificate in listed)
    lists = {REVERSE_PROXY_CIPHERS: ciphers, SIP_CIPHERS: DEFAULT_CIPHERS if number == 0 else RSA_FIRST}
    return Peer(Address(f"expc{number}.lab"), "X14.2.1", number == 0, trusted, lists)


def _endpoint(
    node: int, presented: dict[KeyFamily, tuple[Certificate, ...]], preferred: Preference, *, tls13: bool | None
) -> Endpoint:
    chains_by_family = {family: tuple(certificate.fingerprint for certificate in chain) for family, chain in presented.items()}
    return Endpoint(Address(f"node{node}.lab"), 8443, "cucm", chains_by_family, preferred, tls13)
