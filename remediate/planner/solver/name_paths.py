"""Paths by name: what must hold of a list that accepts a chain, whatever OpenSSL answers.

An accepted chain leads from the leaf to a self-issued certificate of the list, and each certificate in it is named as the issuer in
the one below, and signed it. That much becomes clauses, one for each certificate and the number of issuers that may follow; the rest
is OpenSSL's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address
from remediate.openssl.trust_store import DEPTH_LIMIT
from remediate.planner.solver.satisfiability import Literal, Satisfiability
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.openssl import is_readable, is_self_issued, name_hashes

ListedLiteral = Callable[[Address, Certificate], Literal | None]
"""Returns the literal that a certificate is in a peer's list; None: it cannot be."""

_MAX_ISSUERS = DEPTH_LIMIT + 2
_MAX_CLAUSES = 10_000
"""How many certificates of paths may become clauses; what lies beyond is left to OpenSSL's answers."""


class _Context:
    """The certificates that a node presents to one peer beside its own.

    Attributes:
        depth: How many issuers in a row become clauses.
        paths: By certificate, and how many issuers may follow it: the literal of a path from it to a root.
    """

    def __init__(self, oracle: TrustOracle, peer: Address, presented: Chain) -> None:
        self.peer = peer
        self.presented = frozenset(presented)
        self.depth = _MAX_ISSUERS
        self.paths: dict[tuple[Certificate, int], Literal | None] = {}
        self._oracle = oracle
        # What is presented and may not be added is in no index.
        self._elsewhere = [
            bearer for bearer in presented if is_readable(bearer) and bearer not in oracle.index.bearers(_subject(bearer))
        ]

    def issuers(self, certificate: Certificate) -> Chain:
        """Return the certificates that may have issued `certificate`, itself excepted."""
        issuers = self._oracle.issuers(certificate)
        if not self._elsewhere:
            return issuers
        namesakes = [bearer for bearer in self._elsewhere if _subject(bearer) == name_hashes(certificate).issuer]
        return (*issuers, *(bearer for bearer in namesakes if self._oracle.has_signed(bearer, certificate)))

    def list_reachable(self, leaf: Certificate) -> frozenset[Certificate]:
        """Return the certificates that paths from `leaf` may hold, itself among them."""
        waiting, reached = [leaf], {leaf}
        while waiting:
            above = set(self.issuers(waiting.pop())) - reached
            reached |= above
            waiting.extend(above)
        return frozenset(reached)


def _subject(certificate: Certificate) -> int:
    return name_hashes(certificate).subject


class NamePaths:
    """The paths of any number of chains; those that present the same beside the leaf share them."""

    def __init__(
        self,
        satisfiability: Satisfiability,
        oracle: TrustOracle,
        listed: ListedLiteral,
        chains: Iterable[tuple[Address, Chain]],
    ) -> None:
        """Prepare the paths of all `chains`, each at its peer."""
        self._satisfiability = satisfiability
        self._oracle = oracle
        self._listed = listed
        self._roots: dict[tuple[Address, frozenset[Certificate]], Literal | None] = {}
        self._contexts: dict[tuple[Address, Chain], _Context] = {}
        leaves: dict[tuple[Address, Chain], Certificate] = {(peer, chain[1:]): chain[0] for peer, chain in chains}
        for (peer, presented), leaf in leaves.items():
            context = self._contexts[peer, presented] = _Context(oracle, peer, presented)
            affordable = _MAX_CLAUSES // len(leaves) // len(context.list_reachable(leaf))
            context.depth = max(1, min(_MAX_ISSUERS, affordable))

    def path_from(self, peer: Address, chain: Chain) -> Literal | None:
        """Return a literal that is true only where some path leads from the leaf of `chain` to a root of the list; None: none can."""
        context = self._contexts[peer, chain[1:]]
        path = self._path(context, chain[0], context.depth, is_leaf=True)
        if path is None or context.depth == _MAX_ISSUERS:
            return path
        root = self._any_root(peer, frozenset(filter(is_self_issued, context.list_reachable(chain[0]))))
        return None if root is None else self._both(path, root)

    def _any_root(self, peer: Address, roots: frozenset[Certificate]) -> Literal | None:
        """Return a literal that is true only where the list of `peer` holds one of `roots`; None: it cannot."""
        if (peer, roots) not in self._roots:
            # In one order, so that variables have the same numbers each time.
            ordered = sorted(roots, key=lambda root: root.fingerprint)
            self._roots[peer, roots] = self._any([self._listed(peer, root) for root in ordered])
        return self._roots[peer, roots]

    def _path(self, context: _Context, certificate: Certificate, remaining: int, *, is_leaf: bool = False) -> Literal | None:
        """Return a literal that is true only where `certificate` is a root of the list, or a path leads from it to one."""
        key = (certificate, remaining)
        if key not in context.paths:
            context.paths[key] = self._find_path(context, certificate, remaining, is_leaf=is_leaf)
        return context.paths[key]

    def _find_path(self, context: _Context, certificate: Certificate, remaining: int, *, is_leaf: bool) -> Literal | None:
        listed = self._listed(context.peer, certificate)
        end = listed if is_self_issued(certificate) else None
        if remaining == 0:
            # Where clauses end before OpenSSL's own limit does, what follows is not known.
            return end if context.depth == _MAX_ISSUERS else self._satisfiability.always
        ways = [self._path(context, issuer, remaining - 1) for issuer in context.issuers(certificate)]
        further = self._any(ways)
        if further is not None and not is_leaf and certificate not in context.presented:
            further = self._both(listed, further)
        return self._any([end, further])

    def _any(self, literals: Iterable[Literal | None]) -> Literal | None:
        """Return a literal that is true only where one of `literals` is; None: none can be."""
        possible = sorted({literal for literal in literals if literal is not None})
        if self._satisfiability.always in possible:
            return self._satisfiability.always
        if len(possible) <= 1:
            return next(iter(possible), None)
        any_of_them = self._satisfiability.new_variable()
        self._satisfiability.add_clause([-any_of_them, *possible])
        return any_of_them

    def _both(self, first: Literal | None, second: Literal) -> Literal | None:
        """Return a literal that is true only where both are; None: they cannot be."""
        if first is None or second == self._satisfiability.always:
            return first
        if first == self._satisfiability.always:
            return second
        both = self._satisfiability.new_variable()
        self._satisfiability.add_clause([-both, first])
        self._satisfiability.add_clause([-both, second])
        return both
