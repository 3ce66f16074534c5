"""Handshakes with one target, tried again where the failure may be an accident, and what they show of TLS 1.3."""

from __future__ import annotations

import time

from remediate.connectors.tls.handshake import (
    NO_CONNECTION,
    FailureReason,
    HandshakeFailure,
    Offer,
    ReceivedChain,
    run_handshake,
)
from remediate.connectors.tls.target import Observation, Target
from remediate.model.limits import Limits
from remediate.model.verdict import Cause

RETRIED = frozenset({FailureReason.NO_NAME, FailureReason.UNREACHABLE, FailureReason.TIMED_OUT, FailureReason.RESET})
"""Failures that may not occur the second time, unlike a refusal, an alert, or something other than TLS."""
NO_COMMON_GROUND = frozenset({FailureReason.NO_SHARED_CIPHER, FailureReason.OTHER_VERSION})

Answer = ReceivedChain | HandshakeFailure


def try_offer(target: Target, offer: Offer, limits: Limits) -> Answer:
    """Return the answer of a target to one offer."""
    return run_handshake(target.host, target.port, target.address, offer, limits, guarded=target.guarded)


def try_offer_twice(target: Target, offer: Offer, limits: Limits) -> Answer:
    """Return the answer of a target to one offer, the second one where the first failed by what may be an accident."""
    answer = try_offer(target, offer, limits)
    if isinstance(answer, HandshakeFailure) and answer.reason in RETRIED:
        time.sleep(limits.read_pause_s)
        return try_offer(target, offer, limits)
    return answer


def final_failures(target: Target) -> frozenset[FailureReason]:
    """Return the failures that are final.

    Of a name that anyone on the path could have written, all are: hundreds of such names must not cost minutes.
    """
    return NO_CONNECTION if target.named_without_login else frozenset({FailureReason.REFUSED, FailureReason.SPECIAL_ADDRESS})


def failure_reason(answer: Answer) -> FailureReason | None:
    """Return why a handshake gave no chain; None where it gave one."""
    return answer.reason if isinstance(answer, HandshakeFailure) else None


def accepts_1_3(answer: Answer) -> bool | None:
    """Return whether a node accepts TLS 1.3, from its answer to an offer of both versions; None if that is not known.

    A server takes the highest version that both sides know (RFC 8446, 4.2.1).
    """
    if isinstance(answer, ReceivedChain):
        return answer.tls_version == "TLSv1.3"
    return False if answer.reason in NO_COMMON_GROUND else None


def describe_no_connection(answer: HandshakeFailure) -> Observation:
    """Return the observation of a target that could not be looked at."""
    absent = answer.reason in NO_CONNECTION - {FailureReason.REFUSED}
    if answer.reason in NO_CONNECTION:
        error = f"{Cause.UNREACHABLE}: {answer.detail}"
        refused = answer.reason is FailureReason.REFUSED
        return Observation(error=error, failure=Cause.UNREACHABLE, refused=refused, host_absent=absent)
    return describe_failed_handshake(answer.detail)


def describe_failed_handshake(detail: str) -> Observation:
    """Return the observation of a target whose handshake failed."""
    return Observation(error=f"{Cause.HANDSHAKE_FAILED}: {detail}", failure=Cause.HANDSHAKE_FAILED)
