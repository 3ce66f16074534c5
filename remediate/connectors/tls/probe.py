"""The probe: which chains every endpoint presents, and how it chooses between them.

TLS 1.2 decides here: under TLS 1.3 a cipher list does not influence which certificate is presented.

Most nodes take two or three handshakes. A node with both certificates that follows the client's order shows one of them to the peers'
cipher list, and the other to its variant, which asks for the other family: two handshakes show both chains and the order. A node that
shows the same one twice has no other, or imposes its own order: it is offered the other family alone. Whether a node accepts TLS 1.3
costs no handshake: one that could, and is offered TLS 1.2, says so in its random (RFC 8446, 4.1.3); to any other, the second hello
also offers TLS 1.3. A node that answers in no such way is offered each family alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeGuard

from OpenSSL import SSL

from remediate.connectors.tls.event_loop import look_in_lanes
from remediate.connectors.tls.handshake import (
    FAMILY_ALONE,
    FAMILY_FIRST,
    Answer,
    FailureReason,
    HandshakeFailure,
    Offer,
    ReceivedChain,
    list_suites,
)
from remediate.connectors.tls.target import (
    NO_COMMON_GROUND,
    RETRIED,
    Attempts,
    Observation,
    Target,
    accepts_1_3,
    describe_failed_handshake,
    describe_no_connection,
    failure_reason,
    try_offer,
    try_offer_twice,
)
from remediate.model.certificate import Certificate
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import FAMILIES, CipherList, KeyFamily
from remediate.model.limits import Limits
from remediate.model.snapshot import Preference

_OTHER: Mapping[KeyFamily, KeyFamily] = {"rsa": "ecdsa", "ecdsa": "rsa"}
_FAMILY_OFFERS: Mapping[KeyFamily, Offer] = {family: Offer(ciphers) for family, ciphers in FAMILY_ALONE.items()}
_BOTH_OFFERS: Mapping[KeyFamily, Offer] = {"rsa": Offer("ECDHE+aRSA:ECDHE+aECDSA"), "ecdsa": Offer("ECDHE+aECDSA:ECDHE+aRSA")}
"""Both families, the key first."""
_RSA_OR_1_3 = Offer(FAMILY_ALONE["rsa"], SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
_ANY_OR_1_3 = Offer("ALL", SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
_LEGACY = Offer("ALL", SSL.TLS1_VERSION, SSL.TLS1_1_VERSION)


def probe(
    targets: Sequence[Target],
    cipher_lists: Iterable[CipherList],
    limits: Limits,
    on_observation: Callable[[Target, Observation], None] = lambda _target, _observation: None,
) -> tuple[Observation, ...]:
    """Return one observation for each target, in order.

    At most `parallel_endpoints` handshakes run at once, and at most `parallel_per_node` with one node.

    Args:
        targets: Ports to probe.
        cipher_lists: Cipher lists of the peers; each is tried with and without the RSA prefix.
        limits: On time and on connections.
        on_observation: Called as each target is done, never concurrently.
    """
    lists = tuple(dict.fromkeys(variant for cipher_list in cipher_lists for variant in list_variants(cipher_list)))
    return look_in_lanes(targets, lambda target: _look_at_target(target, lists, limits), limits, on_observation)


def list_variants(ciphers: CipherList) -> tuple[CipherList, CipherList]:
    """Return a cipher list, and the same with the RSA prefix removed or added."""
    variant = ciphers.removeprefix(RSA_PREFIX) if ciphers.startswith(RSA_PREFIX) else RSA_PREFIX + ciphers
    return ciphers, CipherList(variant)


def _look_at_target(target: Target, lists: tuple[CipherList, ...], limits: Limits) -> Attempts[Observation]:
    """Return what one target presents. Never raises for what a server does.

    `lists`: Cipher lists of the peers; each is followed by its variant.
    """
    try:
        return (yield from _ListProbe(target, lists, limits).look())
    except _Unclear:
        return (yield from _probe_by_family(target, lists, limits))


class _Unclear(Exception):
    """The node does not answer as one of the kinds that `_ListProbe` tells apart."""


@dataclass(slots=True)
class _ListProbe:
    """The look at one target by two or three handshakes, with the lists of the peers."""

    target: Target
    lists: tuple[CipherList, ...]
    limits: Limits
    tls13: bool | None = None

    def look(self) -> Attempts[Observation]:
        offered = self.lists[0] if self.lists else FAMILY_FIRST["rsa"]
        asks_for = _first_family(offered)
        answer = yield from self._look_first(offered)
        if isinstance(answer, HandshakeFailure):
            if answer.reason in self.target.final_failures or answer.reason in RETRIED:
                return describe_no_connection(answer)
            raise _Unclear
        if asks_for is None:
            raise _Unclear
        if answer.proves_1_3:
            self.tls13 = True
        if _family_of(answer) == asks_for:
            return (yield from self._look_at_variant(offered, answer, asks_for))
        return (yield from self._look_at_other(offered, answer, asks_for))

    def _look_first(self, offered: CipherList) -> Attempts[Answer]:
        answer = yield from try_offer(self.target, Offer(offered), self.limits)
        if failure_reason(answer) in RETRIED - self.target.final_failures:
            return (yield from try_offer_twice(self.target, Offer(offered), self.limits))
        return answer

    def _look_at_variant(self, offered: CipherList, answer: ReceivedChain, family: KeyFamily) -> Attempts[Observation]:
        """Look further at a node that showed the family that its client asked for first."""
        second_family = _OTHER[family]
        variants = [variant for variant in self.lists if _first_family(variant) == second_family]
        variant = variants[0] if variants else FAMILY_FIRST[second_family]
        second = yield from self._offer(variant)
        if not isinstance(second, ReceivedChain):
            raise _Unclear
        measured = {offered: family, variant: _family_of(second)}
        if _family_of(second) == second_family:
            both = {family: answer, second_family: second}
            return (yield from self._observe(both, Preference(client_order=True, measured=measured)))
        third = yield from self._offer_other(second_family)
        if third is None:
            return (yield from self._observe({family: answer}, Preference()))
        # It has the other certificate, and a suite for it that the variant put in front: so it chose by an order of its own.
        is_own = third.suite in _leading_suites(variant)
        order = Preference(False if is_own else None, family if is_own else None, measured)
        return (yield from self._observe({family: answer, second_family: third}, order))

    def _look_at_other(self, offered: CipherList, answer: ReceivedChain, asks_for: KeyFamily) -> Attempts[Observation]:
        """Look further at a node that showed the family that its client did not ask for first."""
        family = _OTHER[asks_for]
        second = yield from self._offer_other(asks_for)
        if second is None:
            return (yield from self._observe({family: answer}, Preference()))
        both = {family: answer, asks_for: second}
        measured = {offered: family}
        if second.suite in _leading_suites(offered):
            return (yield from self._observe(both, Preference(client_order=False, family=family, measured=measured)))
        third = yield from self._offer(FAMILY_FIRST[asks_for])
        if not isinstance(third, ReceivedChain):
            raise _Unclear
        is_own = _family_of(third) == family
        return (yield from self._observe(both, Preference(not is_own, family if is_own else None, measured)))

    def _offer_other(self, family: KeyFamily) -> Attempts[ReceivedChain | None]:
        """Return the chain of a node that is offered this family alone; None: it has none of it.

        It was offered both families before, this one first, and showed the other: so where it closes the connection instead of sending
        an alert, as some TLS stacks do, it has no certificate of this family either.
        """
        answer = yield from self._offer(FAMILY_ALONE[family])
        if isinstance(answer, ReceivedChain):
            return answer
        if answer.reason in NO_COMMON_GROUND or answer.reason is FailureReason.SILENT:
            return None
        raise _Unclear

    def _offer(self, ciphers: CipherList) -> Attempts[Answer]:
        """Return the answer under TLS 1.2; where it is not known whether the node accepts 1.3, the same hello shows that."""
        offer = Offer(ciphers)
        if self.tls13 is not None:
            return (yield from try_offer_twice(self.target, offer, self.limits))
        answer = yield from try_offer_twice(self.target, replace(offer, highest=SSL.TLS1_3_VERSION), self.limits)
        self.tls13 = accepts_1_3(answer)
        if self.tls13:
            return (yield from try_offer_twice(self.target, offer, self.limits))
        return answer

    def _observe(self, chains: dict[KeyFamily, ReceivedChain], preference: Preference) -> Attempts[Observation]:
        """Return what was seen. A list that another peer has is offered, too."""
        if self.tls13 is None:
            self.tls13 = accepts_1_3((yield from try_offer_twice(self.target, _ANY_OR_1_3, self.limits)))
        measured = {ciphers: family for ciphers, family in preference.measured.items() if ciphers in self.lists}
        if len(chains) == len(FAMILIES):
            for ciphers in self.lists[2:]:
                answer = yield from self._offer(ciphers)
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


def _probe_by_family(target: Target, lists: Sequence[CipherList], limits: Limits) -> Attempts[Observation]:
    """Return what one target presents that is none of the plain kinds: each family is offered alone."""
    rsa, tls13 = yield from _probe_rsa(target, limits)
    if _is_final(rsa):
        return describe_no_connection(rsa)
    answers: dict[KeyFamily, Answer] = {
        "rsa": rsa,
        "ecdsa": (yield from try_offer_twice(target, _FAMILY_OFFERS["ecdsa"], limits)),
    }
    for family in [family for family in FAMILIES if failure_reason(answers[family]) is FailureReason.SILENT]:
        answers[family] = yield from _retry_silent_family(target, family, answers, limits)
    failed = next(
        (
            answer
            for answer in answers.values()
            if isinstance(answer, HandshakeFailure) and answer.reason not in NO_COMMON_GROUND
        ),
        None,
    )
    if failed:
        return replace(describe_no_connection(failed), tls13=tls13)
    presented = {family: answer.certificates for family, answer in answers.items() if isinstance(answer, ReceivedChain)}
    if tls13 is None:
        tls13 = accepts_1_3((yield from try_offer_twice(target, _ANY_OR_1_3, limits)))
    if not presented:
        detail = yield from _explain_nothing_shared(target, limits, tls13=tls13)
        return replace(describe_failed_handshake(detail), tls13=tls13)
    preference = yield from _measure_preference(target, presented, lists, limits)
    return Observation(presented, preference, tls13)


def _probe_rsa(target: Target, limits: Limits) -> Attempts[tuple[Answer, bool | None]]:
    """Return the answer for RSA under TLS 1.2, and whether the node speaks TLS 1.3.

    It takes one handshake with a node that does not, which is the common case.
    """
    answer = yield from try_offer(target, _RSA_OR_1_3, limits)
    tls13 = accepts_1_3(answer)
    if (isinstance(answer, ReceivedChain) and not tls13) or failure_reason(answer) in target.final_failures:
        return answer, tls13
    delay_s = limits.read_pause_s if failure_reason(answer) in RETRIED else 0.0
    return (yield from try_offer(target, _FAMILY_OFFERS["rsa"], limits, delay_s=delay_s)), tls13


def _is_final(answer: Answer) -> TypeGuard[HandshakeFailure]:
    return isinstance(answer, HandshakeFailure) and answer.reason not in (*NO_COMMON_GROUND, FailureReason.SILENT)


def _retry_silent_family(
    target: Target, family: KeyFamily, answers: Mapping[KeyFamily, Answer], limits: Limits
) -> Attempts[Answer]:
    """Return the answer of a node that closes the connection instead of sending an alert, as some TLS stacks do.

    Offered both families, the silent one first, it may present its other certificate: then it has none of this family. Otherwise the
    silence may have been an accident, and the family is tried once more.
    """
    other_family = next((answer for answer in answers.values() if isinstance(answer, ReceivedChain)), None)
    if other_family:
        both = yield from try_offer_twice(target, _BOTH_OFFERS[family], limits)
        if isinstance(both, ReceivedChain) and both.certificates[0] == other_family.certificates[0]:
            return HandshakeFailure(FailureReason.NO_SHARED_CIPHER, "it has no cipher in common with this machine")
    return (yield from try_offer_twice(target, _FAMILY_OFFERS[family], limits, delay_s=limits.read_pause_s))


def _explain_nothing_shared(target: Target, limits: Limits, *, tls13: bool | None) -> Attempts[str]:
    if tls13:
        return "it supports only TLS 1.3, where no cipher list chooses between its certificates"
    legacy = yield from try_offer_twice(target, _LEGACY, limits)
    if isinstance(legacy, ReceivedChain):
        return f"it supports {legacy.tls_version} at most, but the peers require TLS 1.2"
    return "no shared cipher, neither with RSA nor with ECDSA"


def _measure_preference(
    target: Target, presented: Mapping[KeyFamily, tuple[Certificate, ...]], lists: Sequence[CipherList], limits: Limits
) -> Attempts[Preference]:
    """Measure how a node with both certificates chooses between them; a node with one has no choice."""
    if len(presented) < len(FAMILIES):
        return Preference()

    def find_presented_family(offer: Offer) -> Attempts[KeyFamily | None]:
        answer = yield from try_offer_twice(target, offer, limits)
        leaf = answer.certificates[0] if isinstance(answer, ReceivedChain) else None
        return next((family for family, chain in presented.items() if chain[0] == leaf), None)

    measured: dict[CipherList, KeyFamily] = {}
    for cipher_list in lists:
        if family := (yield from find_presented_family(Offer(cipher_list))):
            measured[cipher_list] = family
    if len(set(measured.values())) > 1:
        return Preference(client_order=True, measured=measured)
    rsa_first = yield from find_presented_family(_BOTH_OFFERS["rsa"])
    ecdsa_first = yield from find_presented_family(_BOTH_OFFERS["ecdsa"])
    if rsa_first is None or ecdsa_first is None:
        return Preference(measured=measured)
    own_order = rsa_first == ecdsa_first
    return Preference(client_order=not own_order, family=rsa_first if own_order else None, measured=measured)
