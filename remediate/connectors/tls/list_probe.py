"""The probe in two or three handshakes: the peers' own cipher list, and then what it leaves open.

A node with both certificates that follows the client's order shows one of them to the peers' list, and the other to its variant, which
asks for the other family: two handshakes show both chains and the order. A node that shows the same one twice has no other, or imposes
its own order: it is offered the other family alone. Whether a node accepts TLS 1.3 costs no handshake: one that could, and is offered
TLS 1.2, says so in its random (RFC 8446, 4.1.3); to any other, the second hello also offers TLS 1.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from OpenSSL import SSL

from remediate.connectors.tls.attempts import (
    NO_COMMON_GROUND,
    RETRIED,
    Answer,
    accepts_1_3,
    describe_no_connection,
    failure_reason,
    final_failures,
    try_offer,
    try_offer_twice,
)
from remediate.connectors.tls.handshake import FailureReason, HandshakeFailure, Offer, ReceivedChain, list_suites
from remediate.connectors.tls.target import Observation, Target
from remediate.model.identity import FAMILIES, CipherList, KeyFamily
from remediate.model.limits import Limits
from remediate.model.snapshot import Preference

ONLY: dict[KeyFamily, str] = {"rsa": "aRSA:!eNULL", "ecdsa": "aECDSA:!eNULL"}
"""One family alone."""
FIRST: dict[KeyFamily, str] = {"rsa": "aRSA:aECDSA:!eNULL", "ecdsa": "aECDSA:aRSA:!eNULL"}
"""Both families, the key first."""
_OTHER: dict[KeyFamily, KeyFamily] = {"rsa": "ecdsa", "ecdsa": "rsa"}


class _Unclear(Exception):
    """The node does not answer as one of the kinds that this probe tells apart."""


def probe_with_lists(target: Target, lists: Sequence[CipherList], limits: Limits) -> Observation | None:
    """Return what a target presents; None where that takes more than the lists of the peers show.

    `lists`: Cipher lists of the peers; each is followed by its variant.
    """
    try:
        return _ListProbe(target, tuple(lists), limits).look()
    except _Unclear:
        return None


@dataclass(slots=True)
class _ListProbe:
    target: Target
    lists: tuple[CipherList, ...]
    limits: Limits
    tls13: bool | None = None

    def look(self) -> Observation:
        offered = self.lists[0] if self.lists else CipherList(FIRST["rsa"])
        asks_for = _first_family(offered)
        answer = self._look_first(offered)
        if isinstance(answer, HandshakeFailure):
            if answer.reason in final_failures(self.target) or answer.reason in RETRIED:
                return describe_no_connection(answer)
            raise _Unclear
        if asks_for is None:
            raise _Unclear
        if answer.proves_1_3:
            self.tls13 = True
        if _family_of(answer) == asks_for:
            return self._look_at_variant(offered, answer, asks_for)
        return self._look_at_other(offered, answer, asks_for)

    def _look_first(self, offered: CipherList) -> Answer:
        answer = try_offer(self.target, Offer(offered), self.limits)
        if failure_reason(answer) in RETRIED - final_failures(self.target):
            return try_offer_twice(self.target, Offer(offered), self.limits)
        return answer

    def _look_at_variant(self, offered: CipherList, answer: ReceivedChain, family: KeyFamily) -> Observation:
        """Look further at a node that showed the family that its client asked for first."""
        second_family = _OTHER[family]
        variants = [variant for variant in self.lists if _first_family(variant) == second_family]
        variant = variants[0] if variants else CipherList(FIRST[second_family])
        second = self._offer(variant)
        if not isinstance(second, ReceivedChain):
            raise _Unclear
        measured = {offered: family, variant: _family_of(second)}
        if _family_of(second) == second_family:
            return self._observe({family: answer, second_family: second}, Preference(client_order=True, measured=measured))
        third = self._offer_other(second_family)
        if third is None:
            return self._observe({family: answer}, Preference())
        # It has the other certificate, and a suite for it that the variant put in front: so it chose by an order of its own.
        is_own = third.suite in _leading_suites(variant)
        order = Preference(False if is_own else None, family if is_own else None, measured)
        return self._observe({family: answer, second_family: third}, order)

    def _look_at_other(self, offered: CipherList, answer: ReceivedChain, asks_for: KeyFamily) -> Observation:
        """Look further at a node that showed the family that its client did not ask for first."""
        family = _OTHER[asks_for]
        second = self._offer_other(asks_for)
        if second is None:
            return self._observe({family: answer}, Preference())
        both = {family: answer, asks_for: second}
        measured = {offered: family}
        if second.suite in _leading_suites(offered):
            return self._observe(both, Preference(client_order=False, family=family, measured=measured))
        third = self._offer(CipherList(FIRST[asks_for]))
        if not isinstance(third, ReceivedChain):
            raise _Unclear
        is_own = _family_of(third) == family
        return self._observe(both, Preference(not is_own, family if is_own else None, measured))

    def _offer_other(self, family: KeyFamily) -> ReceivedChain | None:
        """Return the chain of a node that is offered this family alone; None: it has none of it.

        It was offered both families before, this one first, and showed the other: so where it closes the connection instead of sending
        an alert, as some TLS stacks do, it has no certificate of this family either.
        """
        answer = self._offer(CipherList(ONLY[family]))
        if isinstance(answer, ReceivedChain):
            return answer
        if answer.reason in NO_COMMON_GROUND or answer.reason is FailureReason.SILENT:
            return None
        raise _Unclear

    def _offer(self, ciphers: CipherList) -> Answer:
        """Return the answer under TLS 1.2; where it is not known whether the node accepts 1.3, the same hello shows that."""
        offer = Offer(ciphers)
        if self.tls13 is not None:
            return try_offer_twice(self.target, offer, self.limits)
        answer = try_offer_twice(self.target, replace(offer, highest=SSL.TLS1_3_VERSION), self.limits)
        self.tls13 = accepts_1_3(answer)
        return try_offer_twice(self.target, offer, self.limits) if self.tls13 else answer

    def _observe(self, chains: dict[KeyFamily, ReceivedChain], preference: Preference) -> Observation:
        """Return what was seen. A list that another peer has is offered, too."""
        if self.tls13 is None:
            self.tls13 = accepts_1_3(
                try_offer_twice(self.target, Offer("ALL", SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION), self.limits)
            )
        measured = {ciphers: family for ciphers, family in preference.measured.items() if ciphers in self.lists}
        if len(chains) == len(FAMILIES):
            for ciphers in self.lists[2:]:
                answer = self._offer(ciphers)
                if isinstance(answer, ReceivedChain):
                    measured[ciphers] = _family_of(answer)
        presented = {family: chains[family].certificates for family in FAMILIES if family in chains}
        return Observation(presented, replace(preference, measured=measured), self.tls13)


def _family_of(answer: ReceivedChain) -> KeyFamily:
    family = answer.certificates[0].key_family
    if family not in FAMILIES:
        raise _Unclear
    return family


@lru_cache(maxsize=64)
def _families_in_order(ciphers: CipherList) -> tuple[tuple[str, KeyFamily], ...]:
    """Return each suite of a list up to TLS 1.2, in order, with the family that it authenticates with; none for an unknown list."""
    try:
        suites = list_suites(Offer(ciphers))
    except SSL.Error:
        return ()
    return tuple((suite, "ecdsa" if "ECDSA" in suite else "rsa") for suite in suites if _is_authenticated(suite))


def _is_authenticated(suite: str) -> bool:
    """Return whether a suite up to TLS 1.2 authenticates with an RSA or ECDSA certificate alone."""
    return not any(part in suite for part in ("TLS_", "ADH", "AECDH", "PSK", "SRP", "DSS"))


def _first_family(ciphers: CipherList) -> KeyFamily | None:
    return next((family for _, family in _families_in_order(ciphers)), None)


def _leading_suites(ciphers: CipherList) -> frozenset[str]:
    """Return the suites of a list that come before the first one of the other family."""
    leading: list[str] = []
    first = _first_family(ciphers)
    for suite, family in _families_in_order(ciphers):
        if family != first:
            break
        leading.append(suite)
    return frozenset(leading)
