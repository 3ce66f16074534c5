"""The trust oracle: the solver's questions about trust. Would a list accept a chain, what can change that, what leads to a root?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from remediate.model.certificate import Certificate
from remediate.openssl.x509 import Unreadable
from remediate.trust.chain_verifier import Chain, OpenSslAnswers
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import DEPTH_LIMIT, V_OK, is_readable, name_hashes

MayBeListed = Callable[[Certificate], bool]
"""Whether a certificate can be in the list that is asked about."""

_MAX_PATHS = 20_000


class TrustOracle:
    """Asks OpenSSL whether a list accepts a chain, with only the certificates in the list that can matter to the chain."""

    def __init__(self, certificates: Iterable[Certificate], answers: OpenSslAnswers) -> None:
        """Index `certificates`: every certificate that a list may hold."""
        unique = tuple(dict.fromkeys(certificates))
        self._index = SubjectIndex(unique)
        self._unreadable = frozenset(certificate for certificate in unique if not is_readable(certificate))
        self._answers = answers
        self._relevant: dict[Chain, frozenset[Certificate]] = {}
        self._may_accept: dict[Chain, bool] = {}

    def relevant(self, chain: Chain) -> frozenset[Certificate]:
        """Return all readable certificates that can change the verdict on `chain`."""
        if chain not in self._relevant:
            self._relevant[chain] = frozenset(self._index.relevant(chain)) - self._unreadable
        return self._relevant[chain]

    def reachable(self, chains: Iterable[Chain], may_be_listed: MayBeListed) -> Chain:
        """Return the certificates that may be listed and can change the verdict on `chains`, the nearest to the leaf first."""
        certificates = (certificate for chain in chains for certificate in self._index.reachable(chain, may_be_listed))
        return tuple(dict.fromkeys(certificate for certificate in certificates if certificate not in self._unreadable))

    def may_accept(self, chain: Chain) -> bool:
        """Return whether any list could accept `chain`: OpenSSL ends a chain in a self-issued certificate of the list, or nowhere."""
        if chain not in self._may_accept:
            hashes = map(name_hashes, self.relevant(chain))
            self._may_accept[chain] = any(names.subject == names.issuer for names in hashes)
        return self._may_accept[chain]

    def has_namesake(self, certificate: Certificate) -> bool:
        """Return whether another certificate has the subject of `certificate`: a renewal or a twin."""
        return any(bearer != certificate for bearer in self._index.bearers(name_hashes(certificate).subject))

    def accepts(self, trusted: Sequence[Certificate], chain: Chain) -> bool:
        """Return whether the list `trusted`, in its order, accepts `chain`; nothing in it that is not relevant to `chain` matters.

        A list that holds a certificate OpenSSL cannot read accepts nothing: the traffic server drops it as a whole.
        """
        if self._unreadable and not self._unreadable.isdisjoint(trusted):
            return False
        relevant = self.relevant(chain)
        try:
            return (
                self._answers.ask(chain, tuple(certificate for certificate in trusted if certificate in relevant)).code == V_OK
            )
        except Unreadable:
            return False

    def paths(self, chain: Chain, may_be_listed: MayBeListed) -> Iterator[Chain]:
        """Yield the paths from the leaf of `chain` to a self-issued certificate, by name only, the shortest first."""
        waiting = deque([chain[:1]])
        for _ in range(_MAX_PATHS):
            if not waiting:
                return
            path = waiting.popleft()
            names = name_hashes(path[-1])
            if names.subject == names.issuer:
                yield path
            elif len(path) <= DEPTH_LIMIT + 1:
                issuers = dict.fromkeys([*self._index.bearers(names.issuer), *_bearers(chain, names.issuer)])
                waiting.extend(
                    (*path, issuer) for issuer in issuers if issuer not in path and (may_be_listed(issuer) or issuer in chain)
                )


def _bearers(chain: Chain, subject: int) -> Iterator[Certificate]:
    return (certificate for certificate in chain if name_hashes(certificate).subject == subject)
