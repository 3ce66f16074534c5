"""The survey: the certificate that each target shows to one hello, without a key exchange.

Nothing that it sees is proven, so a plan from it is incomplete and its certificates need an approval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from OpenSSL import SSL

from remediate.connectors.tls.event_loop import look_in_lanes
from remediate.connectors.tls.first_flight import GOODBYE, FirstFlight, HelloTemplate
from remediate.connectors.tls.handshake import FAMILY_FIRST, Answer, HandshakeFailure, Offer
from remediate.connectors.tls.target import (
    Attempt,
    Attempts,
    Observation,
    Target,
    describe_failed_handshake,
    describe_no_connection,
)
from remediate.model.identity import FAMILIES, CipherList, is_ip
from remediate.model.limits import Limits


def survey(
    targets: Sequence[Target],
    ciphers: CipherList | None,
    limits: Limits,
    on_observation: Callable[[Target, Observation], None] = lambda _target, _observation: None,
) -> tuple[Observation, ...]:
    """Return what each target presents to one hello, in order: whether it has another certificate is not looked at.

    Args:
        targets: Ports to look at.
        ciphers: The cipher list of the peers; None: both families are offered, RSA first.
        limits: On time and on connections.
        on_observation: Called as each target is done.
    """
    try:
        hello = HelloTemplate.of(Offer(ciphers or FAMILY_FIRST["rsa"]))
    except SSL.Error:
        hello = HelloTemplate.of(Offer(FAMILY_FIRST["rsa"]))

    def look(target: Target) -> Attempts[Observation]:
        server_name = "" if is_ip(target.address) else target.address
        answer = yield Attempt(target, _HelloExchange(hello, server_name, FirstFlight(limits)))
        return _observe(answer)

    return look_in_lanes(targets, look, limits, on_observation)


@dataclass(slots=True)
class _HelloExchange:
    """One hello and its answer, as an exchange (`target.Exchange`)."""

    hello: HelloTemplate
    server_name: str
    flight: FirstFlight

    def begin(self) -> bytes:
        return self.hello.make(self.server_name)

    def feed(self, data: bytes) -> bytes | Answer:
        return self.flight.feed(data) or b""

    def finish(self) -> bytes:
        return GOODBYE


def _observe(answer: Answer) -> Observation:
    if isinstance(answer, HandshakeFailure):
        return describe_no_connection(answer)
    family = answer.certificates[0].key_family
    if family not in FAMILIES:
        return describe_failed_handshake("it presents a certificate that is neither RSA nor ECDSA")
    return Observation({family: answer.certificates})
