"""The planner's questions about trust: would a list accept a chain, what can have a say in it, what leads to a root."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from remediate.model.certificate import Certificate
from remediate.openssl.x509 import Unreadable
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import DEPTH_LIMIT, V_OK, name_hashes, readable
from remediate.trust.verify import Answers, Chain

There = Callable[[Certificate], bool]
"""Whether a certificate can be in the list that is asked about."""

_MOST_PATHS = 20_000


class Oracle:
    """Asks OpenSSL whether a list accepts a chain, with only what can matter to the chain in the list."""

    def __init__(self, everything: Iterable[Certificate], answers: Answers) -> None:
        """`everything` is all that a list may hold."""
        known = tuple(dict.fromkeys(everything))
        self._index = SubjectIndex(known)
        self._unreadable = frozenset(one for one in known if not readable(one))
        self._answers = answers
        self._relevant: dict[Chain, frozenset[Certificate]] = {}

    def relevant(self, chain: Chain) -> frozenset[Certificate]:
        """Return all known certificates that can change the verdict on `chain`, those aside that cannot be read."""
        if chain not in self._relevant:
            self._relevant[chain] = frozenset(self._index.relevant(chain)) - self._unreadable
        return self._relevant[chain]

    def reachable(self, chains: Iterable[Chain], there: There) -> Chain:
        """Return those of the certificates that are `there` which can change the verdict on `chains`, the nearest first."""
        found = (one for chain in chains for one in self._index.reachable(chain, there))
        return tuple(dict.fromkeys(one for one in found if one not in self._unreadable))

    def namesake(self, certificate: Certificate) -> bool:
        """Whether another certificate with the subject of `certificate` is at hand: its renewal, say, or its twin."""
        return any(one != certificate for one in self._index.bearers(name_hashes(certificate).subject))

    def accepts(self, trusted: Sequence[Certificate], chain: Chain) -> bool:
        """Whether a list of `trusted`, in order, accepts `chain`; nothing in it that is not relevant to `chain` matters.

        A list that holds a certificate OpenSSL cannot read accepts nothing: the traffic server drops it as a whole.
        """
        if self._unreadable and not self._unreadable.isdisjoint(trusted):
            return False
        relevant = self.relevant(chain)
        try:
            return self._answers.built(chain, tuple(one for one in trusted if one in relevant)).code == V_OK
        except Unreadable:
            return False

    def paths(self, chain: Chain, there: There) -> Iterator[Chain]:
        """Yield the ways from the leaf of `chain` to a self-issued certificate, by name only, the shortest first."""
        waiting = deque([chain[:1]])
        for _ in range(_MOST_PATHS):
            if not waiting:
                return
            path = waiting.popleft()
            names = name_hashes(path[-1])
            if names.subject == names.issuer:
                yield path
            elif len(path) <= DEPTH_LIMIT + 1:
                above = dict.fromkeys([*self._index.bearers(names.issuer), *_bearers(chain, names.issuer)])
                waiting.extend((*path, one) for one in above if one not in path and (there(one) or one in chain))


def _bearers(chain: Chain, subject: int) -> Iterator[Certificate]:
    return (one for one in chain if name_hashes(one).subject == subject)
