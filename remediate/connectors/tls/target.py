"""A port to probe: one offer to it, tried again where the failure may be an accident, and what was observed there.

Nothing here waits: an attempt is yielded to the event loop, which sends its answer back.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from OpenSSL import SSL

from remediate.connectors.tls.handshake import (
    NO_CONNECTION,
    Answer,
    FailureReason,
    Handshake,
    HandshakeFailure,
    Offer,
    ReceivedChain,
)
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, KeyFamily, Product
from remediate.model.limits import Limits
from remediate.model.snapshot import Preference
from remediate.model.verdict import Cause

RETRIED = frozenset({FailureReason.NO_NAME, FailureReason.UNREACHABLE, FailureReason.TIMED_OUT, FailureReason.RESET})
"""Failures that may not occur the second time, unlike a refusal, an alert, or something other than TLS."""
NO_COMMON_GROUND = frozenset({FailureReason.NO_SHARED_CIPHER, FailureReason.OTHER_VERSION})

_Result = TypeVar("_Result")


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


class Exchange(Protocol):
    """What is said over one connection until there is an answer."""

    def begin(self) -> bytes | Answer:
        """Return what to send first, or an answer."""

    def feed(self, data: bytes) -> bytes | Answer:
        """Take what was received; return what to send, which may be nothing, or the answer."""

    def finish(self) -> bytes:
        """Return what to send after the answer, where it is a chain."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection to a target.

    Attributes:
        exchange: What is said over it.
        delay_s: How long is waited before it.
    """

    target: Target
    exchange: Exchange
    delay_s: float = 0.0


Attempts: TypeAlias = Generator[Attempt, Answer, _Result]
"""Attempts one after the other, each made once the answer to the one before is known, and their result."""


def try_offer(target: Target, offer: Offer, limits: Limits, *, delay_s: float = 0.0) -> Attempts[Answer]:
    """Return the answer of a target to one offer."""
    try:
        handshake = Handshake(offer, target.address, limits)
    except SSL.Error:
        return HandshakeFailure(FailureReason.NOT_OFFERABLE, f"this OpenSSL does not know the cipher list {offer.ciphers}")
    return (yield Attempt(target, handshake, delay_s))


def try_offer_twice(target: Target, offer: Offer, limits: Limits, *, delay_s: float = 0.0) -> Attempts[Answer]:
    """Return the answer of a target to one offer, the second one where the first failed by what may be an accident."""
    answer = yield from try_offer(target, offer, limits, delay_s=delay_s)
    if isinstance(answer, HandshakeFailure) and answer.reason in RETRIED:
        return (yield from try_offer(target, offer, limits, delay_s=limits.read_pause_s))
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
