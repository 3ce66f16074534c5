"""The probe: what every endpoint presents to RSA only, to ECDSA only, and to the cipher lists that the peers use or could use.

TLS 1.2 decides here: under TLS 1.3 a cipher list does not influence which certificate is presented.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeGuard

from OpenSSL import SSL

from remediate.connectors.tls.attempts import (
    NO_COMMON_GROUND,
    RETRIED,
    accepts_1_3,
    describe_failed_handshake,
    describe_no_connection,
    failure_reason,
    final_failures,
    try_offer,
    try_offer_twice,
)
from remediate.connectors.tls.handshake import FailureReason, HandshakeFailure, Offer, ReceivedChain
from remediate.connectors.tls.lanes import limit_at_once, split_into_lanes
from remediate.connectors.tls.list_probe import ONLY, probe_with_lists
from remediate.connectors.tls.target import Observation, Target
from remediate.model.certificate import Certificate
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import FAMILIES, CipherList, KeyFamily
from remediate.model.limits import Limits
from remediate.model.snapshot import Preference

_FAMILY_OFFERS: Mapping[KeyFamily, Offer] = {family: Offer(ciphers) for family, ciphers in ONLY.items()}
_BOTH_OFFERS: Mapping[KeyFamily, Offer] = {"rsa": Offer("ECDHE+aRSA:ECDHE+aECDSA"), "ecdsa": Offer("ECDHE+aECDSA:ECDHE+aRSA")}
"""Both families, the key first."""
_RSA_OR_1_3 = Offer(ONLY["rsa"], SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
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
    return _look_in_lanes(targets, lambda target: probe_endpoint(target, lists, limits), limits, on_observation)


def _look_in_lanes(
    targets: Sequence[Target],
    look: Callable[[Target], Observation],
    limits: Limits,
    on_observation: Callable[[Target, Observation], None],
) -> tuple[Observation, ...]:
    observations: dict[int, Observation] = {}
    one_at_a_time = threading.Lock()

    def run(lane: Sequence[int]) -> None:
        absent: Observation | None = None
        for number in lane:
            observation = absent or look(targets[number])
            if observation.host_absent and targets[number].named_without_login:
                absent = observation
            with one_at_a_time:
                observations[number] = observation
                on_observation(targets[number], observation)

    lanes = split_into_lanes(targets, limits)
    at_once = limit_at_once(limits.parallel_endpoints, limits)
    pool = ThreadPoolExecutor(max(1, min(at_once, len(lanes))), thread_name_prefix="probe")
    try:
        list(pool.map(run, lanes))
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(observations[number] for number in range(len(targets)))


def list_variants(ciphers: CipherList) -> tuple[CipherList, CipherList]:
    """Return a cipher list, and the same with the RSA prefix removed or added."""
    variant = ciphers.removeprefix(RSA_PREFIX) if ciphers.startswith(RSA_PREFIX) else RSA_PREFIX + ciphers
    return ciphers, CipherList(variant)


def probe_endpoint(target: Target, lists: Sequence[CipherList], limits: Limits) -> Observation:
    """Return what one target presents. Never raises for what a server does."""
    return probe_with_lists(target, lists, limits) or _probe_by_family(target, lists, limits)


def _probe_by_family(target: Target, lists: Sequence[CipherList], limits: Limits) -> Observation:
    """Return what one target presents that is none of the plain kinds: each family is offered alone."""
    rsa, tls13 = _probe_rsa(target, limits)
    if _is_final(rsa):
        return describe_no_connection(rsa)
    answers: dict[KeyFamily, ReceivedChain | HandshakeFailure] = {
        "rsa": rsa,
        "ecdsa": try_offer_twice(target, _FAMILY_OFFERS["ecdsa"], limits),
    }
    for family in [family for family in FAMILIES if failure_reason(answers[family]) is FailureReason.SILENT]:
        answers[family] = _retry_silent_family(target, family, answers, limits)
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
        tls13 = accepts_1_3(try_offer_twice(target, _ANY_OR_1_3, limits))
    if not presented:
        return replace(describe_failed_handshake(_explain_nothing_shared(target, limits, tls13=tls13)), tls13=tls13)
    return Observation(presented, _measure_preference(target, presented, lists, limits), tls13)


def _probe_rsa(target: Target, limits: Limits) -> tuple[ReceivedChain | HandshakeFailure, bool | None]:
    """Return the answer for RSA under TLS 1.2, and whether the node speaks TLS 1.3.

    It takes one handshake with a node that does not, which is the common case.
    """
    answer = try_offer(target, _RSA_OR_1_3, limits)
    tls13 = accepts_1_3(answer)
    if (isinstance(answer, ReceivedChain) and not tls13) or failure_reason(answer) in final_failures(target):
        return answer, tls13
    if failure_reason(answer) in RETRIED:
        time.sleep(limits.read_pause_s)
    return try_offer(target, _FAMILY_OFFERS["rsa"], limits), tls13


def _is_final(answer: ReceivedChain | HandshakeFailure) -> TypeGuard[HandshakeFailure]:
    return isinstance(answer, HandshakeFailure) and answer.reason not in (*NO_COMMON_GROUND, FailureReason.SILENT)


def _retry_silent_family(
    target: Target, family: KeyFamily, answers: Mapping[KeyFamily, ReceivedChain | HandshakeFailure], limits: Limits
) -> ReceivedChain | HandshakeFailure:
    """Return the answer of a node that closes the connection instead of sending an alert, as some TLS stacks do.

    Offered both families, the silent one first, it may present its other certificate: then it has none of this family. Otherwise the
    silence may have been an accident, and the family is tried once more.
    """
    other_family = next((answer for answer in answers.values() if isinstance(answer, ReceivedChain)), None)
    if other_family:
        both = try_offer_twice(target, _BOTH_OFFERS[family], limits)
        if isinstance(both, ReceivedChain) and both.certificates[0] == other_family.certificates[0]:
            return HandshakeFailure(FailureReason.NO_SHARED_CIPHER, "it has no cipher in common with this machine")
    time.sleep(limits.read_pause_s)
    return try_offer_twice(target, _FAMILY_OFFERS[family], limits)


def _explain_nothing_shared(target: Target, limits: Limits, *, tls13: bool | None) -> str:
    if tls13:
        return "it supports only TLS 1.3, where no cipher list chooses between its certificates"
    legacy = try_offer_twice(target, _LEGACY, limits)
    if isinstance(legacy, ReceivedChain):
        return f"it supports {legacy.tls_version} at most, but the peers require TLS 1.2"
    return "no shared cipher, neither with RSA nor with ECDSA"


def _measure_preference(
    target: Target, presented: Mapping[KeyFamily, tuple[Certificate, ...]], lists: Sequence[CipherList], limits: Limits
) -> Preference:
    """Measure how a node with both certificates chooses between them; a node with one has no choice."""
    if len(presented) < len(FAMILIES):
        return Preference()

    def presented_family(offer: Offer) -> KeyFamily | None:
        answer = try_offer_twice(target, offer, limits)
        leaf = answer.certificates[0] if isinstance(answer, ReceivedChain) else None
        return next((family for family, chain in presented.items() if chain[0] == leaf), None)

    measured = {cipher_list: family for cipher_list in lists if (family := presented_family(Offer(cipher_list)))}
    if len(set(measured.values())) > 1:
        return Preference(client_order=True, measured=measured)
    rsa_first, ecdsa_first = presented_family(_BOTH_OFFERS["rsa"]), presented_family(_BOTH_OFFERS["ecdsa"])
    if rsa_first is None or ecdsa_first is None:
        return Preference(measured=measured)
    own_order = rsa_first == ecdsa_first
    return Preference(client_order=not own_order, family=rsa_first if own_order else None, measured=measured)
