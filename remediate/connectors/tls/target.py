"""A port to probe: one offer to it, tried again where the failure may be an accident, and what was observed there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from remediate.connectors.tls.handshake import (
    NO_CONNECTION,
    FailureReason,
    HandshakeFailure,
    Offer,
    ReceivedChain,
    run_handshake,
)
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, KeyFamily, Product
from remediate.model.limits import Limits
from remediate.model.snapshot import Preference
from remediate.model.verdict import Cause

RETRIED = frozenset({FailureReason.NO_NAME, FailureReason.UNREACHABLE, FailureReason.TIMED_OUT, FailureReason.RESET})
"""Failures that may not occur the second time, unlike a refusal, an alert, or something other than TLS."""
NO_COMMON_GROUND = frozenset({FailureReason.NO_SHARED_CIPHER, FailureReason.OTHER_VERSION})

Answer = ReceivedChain | HandshakeFailure


@dataclass(frozen=True, slots=True)
class Target:
    """One port to probe.

    Attributes:
        connect_to: Host to connect to; None: `address` itself.
        declared_in_use: The inventory or the cluster relies on this port, so a refusal is a fault and not *not in use*.
        learned_from: See `Endpoint`.
        service: What relies on the trusted CA list there, where that is not the traffic server (a guarded endpoint of the snapshot).
        guarded: A source other than the inventory named `host`: no connection is made to an address that only the inventory may name.
    """

    address: Address
    port: int
    product: Product
    connect_to: str | None = None
    declared_in_use: bool = False
    learned_from: tuple[str, ...] = ()
    guarded: bool = False
    service: str | None = None

    @property
    def host(self) -> str:
        """The host to connect to."""
        return self.connect_to or self.address

    @property
    def named_without_login(self) -> bool:
        """Whether only sources without a login name it: anyone on the path could have written that."""
        return bool(self.learned_from) and all(source == "uds" for source in self.learned_from)

    @property
    def final_failures(self) -> frozenset[FailureReason]:
        """The failures that are final.

        Of a name that anyone on the path could have written, all are: hundreds of such names must not cost minutes.
        """
        return NO_CONNECTION if self.named_without_login else frozenset({FailureReason.REFUSED, FailureReason.SPECIAL_ADDRESS})


@dataclass(frozen=True, slots=True)
class Observation:
    """What one target presented.

    Attributes:
        error: As in `Endpoint`.
        refused: The connection was refused.
        host_absent: The host could not be found or reached, which holds for its other ports too.
    """

    presented: Mapping[KeyFamily, tuple[Certificate, ...]] = field(default_factory=dict)
    preferred: Preference = Preference()
    tls13: bool | None = None
    error: str | None = None
    failure: Cause | None = None
    refused: bool = False
    host_absent: bool = False


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
