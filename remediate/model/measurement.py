"""Measurements of a run: for each pair of a peer and an endpoint, its verdict before and after the run, and what a client got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address, EndpointId, PairId
from remediate.model.verdict import Verdict, Verdicts


@dataclass(frozen=True, slots=True)
class PairMeasurement:
    """One pair of a peer and an endpoint, as a run measured it.

    Attributes:
        before: Before the first write of the run; None: it was not measured then.
        after: From a fresh look after the last write.
        client: What a client got.
    """

    address: Address
    port: int
    peer: Address
    before: Verdict | None
    after: Verdict
    client: ClientView = ClientView(ClientState.NOT_ASKED)

    @property
    def pair(self) -> PairId:
        """The peer and the endpoint that it is about."""
        return PairId(self.peer, EndpointId(self.address, self.port))


def measure_pairs(before: Verdicts, after: Verdicts, views: Mapping[PairId, ClientView]) -> tuple[PairMeasurement, ...]:
    """Return what was measured of each pair that was judged after a run."""
    not_asked = ClientView(ClientState.NOT_ASKED)
    return tuple(
        PairMeasurement(
            pair.endpoint.address, pair.endpoint.port, pair.peer, before.get(pair), verdict, views.get(pair, not_asked)
        )
        for pair, verdict in after.items()
    )
