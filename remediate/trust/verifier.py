"""The verifiers, one a level: the peers of a cluster, an endpoint at a peer, a chain against a list, and OpenSSL's answer to that.

A chain is judged by OpenSSL, as the traffic server's 1.1.1 does, then by the traffic server's rule for the name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, lru_cache

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList, KeyFamily, PairId
from remediate.model.library import openssl
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.model.verdict import Cause, Verdict, Verdicts
from remediate.openssl.error_texts import error_text, error_text_3
from remediate.openssl.trust_store import V_OK, V_UNSPECIFIED, TrustStore
from remediate.openssl.x509 import Unreadable
from remediate.trust.ciphers import presented_families
from remediate.trust.error_codes import cause_of
from remediate.trust.hostnames import name_matches
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import name_hashes

_MAX_SUSPECTS = 16
"""How many certificates are tried for shadowing; the ones that OpenSSL used first."""


def verify_chain(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str | None, at: datetime
) -> Verdict:
    """Return the verdict of a peer with the trusted CA list `trusted` on `presented`.

    Args:
        presented: Leaf first, as sent.
        trusted: In the list's order, which matters to OpenSSL.
        address: The connection address, FQDN or IP address as text; None judges the chain only.
        at: The aware moment to judge at.

    Raises:
        ValueError: `at` has no time zone.
        RemediateError: No OpenSSL can be loaded on this machine.
    """
    if at.utcoffset() is None:
        raise ValueError("the time to check at needs a time zone")
    return _verifier_for(tuple(trusted), at).verify(tuple(presented), address)


def verify_snapshot(snapshot: Snapshot, answers: OpenSslAnswers | None = None) -> Verdicts:
    """Return what each endpoint of `snapshot` gets from each peer, peers in order, endpoints in order.

    The workaround flag does not matter: the verdicts are those with verification on. `answers` may be shared with other verifiers of
    the same moment.
    """
    cluster = ClusterVerifier(snapshot, answers)
    verdicts: dict[PairId, Verdict] = {}
    for peer in snapshot.peers:
        verifier = cluster.verifier_at(peer)
        for endpoint in snapshot.endpoints:
            verdict = verifier.verify(endpoint) if peer.error is None else _not_observed(peer.error)
            verdicts[PairId(peer.address, endpoint.id)] = verdict
    return verdicts


def presented_chains(snapshot: Snapshot, endpoint: Endpoint) -> dict[KeyFamily, Chain]:
    """Return the chains that `endpoint` presents, per key family that it presents any of."""
    presented = ((family, chain) for family, chain in endpoint.presented.items() if chain)
    return {family: snapshot.resolve(chain) for family, chain in presented}


class ClusterVerifier:
    """The verifiers of a cluster's peers; peers with equal lists and ciphers share one."""

    def __init__(self, snapshot: Snapshot, answers: OpenSslAnswers | None = None) -> None:
        """Prepare the verifiers of `snapshot`; `answers` may be shared with other verifiers of the same moment."""
        self._snapshot = snapshot
        self._answers = answers or OpenSslAnswers(snapshot.taken_at)
        self._chains = {endpoint.name: presented_chains(snapshot, endpoint) for endpoint in snapshot.endpoints}
        self._verifiers: dict[tuple[Chain, CipherList | None], EndpointVerifier] = {}

    def verifier_at(self, peer: Peer) -> EndpointVerifier:
        """Return the verifier of `peer` with its lists of the snapshot."""
        return self.verifier_with(self._snapshot.resolve(peer.trusted_ca), peer.ciphers.get(REVERSE_PROXY_CIPHERS))

    def verifier_with(self, trusted: Chain, ciphers: CipherList | None) -> EndpointVerifier:
        """Return the verifier of a peer with this trusted CA list and this reverse proxy cipher list."""
        key = (trusted, ciphers)
        if key not in self._verifiers:
            chain = ChainVerifier(trusted, self._snapshot.taken_at, self._answers)
            self._verifiers[key] = EndpointVerifier(chain, ciphers, self._chains)
        return self._verifiers[key]


class EndpointVerifier:
    """Verifies endpoints at one peer: its trusted CA list and its cipher list at one moment. Each endpoint is verified once.

    Attributes:
        chain: The verifier of chains against the peer's list.
    """

    def __init__(
        self, chain: ChainVerifier, ciphers: CipherList | None, chains: Mapping[str, Mapping[KeyFamily, Chain]]
    ) -> None:
        """Verify what the endpoints present: `chains` by endpoint name and key family."""
        self.chain = chain
        self._ciphers = ciphers
        self._chains = chains
        self._verdicts: dict[str, Verdict] = {}

    def verify_family(self, endpoint: Endpoint, family: KeyFamily) -> Verdict:
        """Return the verdict on what `endpoint` presents of `family`."""
        return self.chain.verify(self._chains[endpoint.name][family], endpoint.address)

    def presented(self, endpoint: Endpoint, family: KeyFamily) -> Chain:
        """Return what `endpoint` presents of `family`."""
        return self._chains[endpoint.name][family]

    def families(self, endpoint: Endpoint) -> tuple[KeyFamily, ...]:
        """Return the key families that `endpoint` may present to this peer; see `presented_families`."""
        return presented_families(endpoint, self._ciphers)

    def certificates_in_use(self, endpoint: Endpoint) -> frozenset[Certificate]:
        """Return every certificate of the chains that OpenSSL puts together for `endpoint`; none where it was not observed."""
        if endpoint.error is not None:
            return frozenset()
        chains = [self.verify_family(endpoint, family).built_chain for family in self.families(endpoint)]
        return frozenset(certificate for chain in chains for certificate in chain)

    def verify(self, endpoint: Endpoint) -> Verdict:
        """Return what `endpoint` gets. Where it is not certain which certificate it presents, the worse of the two counts."""
        name = endpoint.name
        verdict = self._verdicts.get(name)
        if verdict is None:
            verdict = self._verdicts[name] = self._verify(endpoint, self._chains[name])
        return verdict

    def _verify(self, endpoint: Endpoint, chains: Mapping[KeyFamily, Chain]) -> Verdict:
        if endpoint.error is not None:
            return _not_observed(endpoint.error, endpoint.failure)
        families = self.families(endpoint)
        verdicts = [(family, self.chain.verify(chains[family], endpoint.address)) for family in families]
        if not verdicts:
            return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error="no shared cipher")
        expected = verdicts[0]
        family, verdict = next((judged for judged in verdicts if not judged[1].ok), expected)
        return replace(verdict, key=family, works_anyway=not verdict.ok and expected[1].ok)


class ChainVerifier:
    """Verifies any number of chains against one trusted CA list at one moment, each chain once."""

    def __init__(self, trusted: Chain, at: datetime, answers: OpenSslAnswers | None = None) -> None:
        """Load the list `trusted`; with `answers`, a question that was answered there is not asked again."""
        self._at = at
        self._list = TrustedList(trusted)
        self._trusted = trusted
        self._answers = answers
        self._verdicts: dict[Chain, Verdict] = {}

    def verify(self, presented: Chain, address: str | None) -> Verdict:
        """Return the verdict on `presented` (leaf first) under `address` (None: the chain only)."""
        verdict = self._verdicts.get(presented)
        if verdict is None:
            verdict = self._verdicts[presented] = self._verify_chain(presented)
        if verdict.ok and address is not None and not name_matches(presented[0], address):
            return _refuse_name(address, verdict.built_chain)
        return verdict

    def relevant(self, presented: Chain) -> Chain:
        """Return the certificates of the list that can change the verdict on `presented`, in the list's order."""
        return self._index.relevant(presented)

    @cached_property
    def _index(self) -> SubjectIndex:
        return SubjectIndex(self._trusted)

    def _verify_chain(self, presented: Chain) -> Verdict:
        if not presented:
            return _refuse(Cause.HANDSHAKE_FAILED, "no certificate was presented")
        if self._list.broken is not None:
            # One unreadable block makes the traffic server drop the whole list: every HTTPS target of that peer fails.
            return _refuse(Cause.CHAIN_INVALID, broken_list_text(self._list.broken))
        try:
            verdict = self._ask(presented)
        except Unreadable as error:
            position = [str(certificate.fingerprint) for certificate in presented].index(str(error))
            return _refuse(Cause.CHAIN_INVALID, "a presented certificate cannot be read", position)
        shadowed_by = () if verdict.ok else self._find_shadowing(presented, verdict)
        return replace(verdict, cause=Cause.SHADOWED, shadowed_by=shadowed_by) if shadowed_by else verdict

    def _ask(self, presented: Chain) -> Verdict:
        if self._answers is None:
            return self._list.verify(presented, self._at)
        return self._answers.ask(presented, self.relevant(presented))

    def _find_shadowing(self, presented: Chain, refusal: Verdict) -> Chain:
        """Return the trusted certificates without which this very list would accept `presented`: one, or several in a row.

        OpenSSL looks issuers up by subject and asks the list first, so a stale copy in the list wins over a good one that is
        presented, and of two with one subject the first wins. A certificate with a subject of its own shadows nothing.
        """
        relevant = self.relevant(presented)
        suspects = _with_rivals(relevant, presented)
        likely = sorted(suspects, key=lambda certificate: certificate not in refusal.built_chain)
        for suspect in likely[:_MAX_SUSPECTS]:
            if _list_without(relevant, suspect).verify(presented, self._at).ok:
                return (suspect,)
        return self._remove_in_turn(presented, relevant, refusal) if suspects else ()

    def _remove_in_turn(self, presented: Chain, relevant: Chain, verdict: Verdict) -> Chain:
        """Remove the certificate at fault, as long as that is a listed one in the place of another."""
        removed: list[Certificate] = []
        while not verdict.ok and len(removed) < _MAX_SUSPECTS:
            remaining = tuple(certificate for certificate in relevant if certificate not in removed)
            at_fault = next(iter(verdict.built_chain[verdict.depth :]), None)
            if at_fault is None or at_fault not in _with_rivals(remaining, presented):
                return ()
            removed.append(at_fault)
            verdict = _list_without(remaining, at_fault).verify(presented, self._at)
        return tuple(removed) if verdict.ok else ()


class OpenSslAnswers:
    """OpenSSL's answers at one moment; each question is asked once.

    Lists that differ only in certificates that do not matter to a chain share the answer for it: so do the lists of a cluster's peers,
    and the lists that a planner tries.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._by_question: dict[tuple[Chain, Chain], Verdict] = {}

    def ask(self, presented: Chain, relevant: Chain) -> Verdict:
        """Return OpenSSL's verdict on `presented` with `relevant`, the certificates of a list that matter to it.

        Raises:
            Unreadable: OpenSSL cannot parse one of the presented certificates.
        """
        question = (presented, relevant)
        answer = self._by_question.get(question)
        if answer is None:
            answer = self._by_question[question] = TrustedList(relevant).verify(presented, self._at)
        return answer


class TrustedList:
    """A peer's trusted CA list, loaded in its order. Reusable for any number of chains, from several threads.

    Attributes:
        broken: The number of the first entry that OpenSSL cannot read, counted from 1; None where it reads them all.
    """

    def __init__(
        self,
        trusted: Sequence[Certificate],
        *,
        as_the_appliance: bool = True,
        ends_anywhere: bool = False,
        for_clients: bool = False,
    ) -> None:
        """Load the list.

        Args:
            trusted: In the list's order.
            as_the_appliance: Answer as 1.1.1 does; otherwise the library answers for itself, and its refusals have no cause.
            ends_anywhere: A chain may end in any trusted certificate, which no traffic server allows: for `underlying_fault`.
            for_clients: The list is a server's, and the chains are those of its clients.
        """
        self._members = {certificate.der: certificate for certificate in trusted}
        ders = [certificate.der for certificate in trusted]
        self._store = TrustStore(
            openssl(), ders, as_openssl_111=as_the_appliance, partial_chains=ends_anywhere, for_clients=for_clients
        )
        self._as_the_appliance = as_the_appliance
        self.broken = self._store.broken

    def verify(self, presented: Sequence[Certificate], at: datetime) -> Verdict:
        """Return OpenSSL's verdict on `presented` (leaf first, as sent) at the aware moment `at`.

        Raises:
            Unreadable: OpenSSL cannot parse one of the presented certificates.
        """
        by_der = {certificate.der: certificate for certificate in presented}
        code, depth, ders = self._store.verify([certificate.der for certificate in presented], int(at.timestamp() // 1))
        chain = tuple(by_der[der] if der in by_der else self._members[der] for der in ders)
        if code == V_OK:
            return Verdict(ok=True, built_chain=chain)
        if self._as_the_appliance:
            return Verdict(ok=False, cause=cause_of(code), error=error_text(code), code=code, depth=depth, built_chain=chain)
        return Verdict(ok=False, error=error_text_3(code), code=code, depth=depth, built_chain=chain)


def broken_list_text(number: int) -> str:
    """Return the error of a list whose entry `number` cannot be read; OpenSSL has no error code for it."""
    return f"the trusted CA list holds a certificate that cannot be read: number {number}"


@lru_cache(maxsize=64)
def _verifier_for(trusted: Chain, at: datetime) -> ChainVerifier:
    return ChainVerifier(trusted, at)


def _not_observed(error: str, cause: Cause | None = None) -> Verdict:
    return Verdict(ok=False, cause=cause or Cause.UNREACHABLE, error=error, observed=False)


def _list_without(relevant: Chain, excluded: Certificate) -> TrustedList:
    return TrustedList([certificate for certificate in relevant if certificate != excluded])


def _with_rivals(trusted: Chain, presented: Chain) -> Chain:
    """Return those of `trusted` whose subject another certificate has too."""
    bearers = Counter(name_hashes(certificate).subject for certificate in {*presented, *trusted})
    return tuple(certificate for certificate in trusted if bearers[name_hashes(certificate).subject] > 1)


def _refuse_name(address: str, chain: Chain) -> Verdict:
    """Return the name rule's refusal, in the traffic server's words; OpenSSL has no number for it, and its depth is 0."""
    printable = address.encode(errors="backslashreplace").decode()
    error = f"SNI ({printable}) not in certificate"
    return Verdict(ok=False, cause=Cause.NAME_MISMATCH, error=error, depth=0, built_chain=chain)


def _refuse(cause: Cause, error: str, depth: int = 0) -> Verdict:
    """Return a refusal for which OpenSSL has no number."""
    return Verdict(ok=False, cause=cause, error=error, code=V_UNSPECIFIED, depth=depth)
