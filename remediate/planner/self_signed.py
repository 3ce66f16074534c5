"""The note on self-signed certificates: each is trusted by itself, node by node and again after each renewal; a CA saves that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from remediate.model.certificate import Certificate
from remediate.model.snapshot import Endpoint
from remediate.model.text import count, first_few, join_words
from remediate.planner.advice.prices import certificate_service

_ENDS_SOON = timedelta(days=90)
_BETTER = (
    "Better: one certificate for all nodes of a cluster, signed by a CA (Cisco Unified OS Administration, Security > Certificate "
    "Management > Generate CSR, Distribution: Multi-server(SAN)). The peers then trust that CA once, and renewals change nothing here."
)


def list_self_signed_notes(uses: Mapping[Certificate, list[Endpoint]], at: datetime) -> Iterator[str]:
    """Yield at most one note: on self-signed certificates that end within 90 days, or that more than one node needs trusted.

    Args:
        uses: The endpoints that use each certificate once the plan is applied.
        at: The moment of the snapshot.
    """
    presented = {
        certificate: [endpoint for endpoint in endpoints if _presents(endpoint, certificate)]
        for certificate, endpoints in uses.items()
        if certificate.self_issued
    }
    certificates = sorted((own for own, endpoints in presented.items() if endpoints), key=lambda own: own.fingerprint)
    nodes = sorted({endpoint.address for own in certificates for endpoint in presented[own]})
    ending = [own for own in certificates if own.not_after and at < own.not_after <= at + _ENDS_SOON]
    if len(nodes) < 2 and not ending:
        return
    amount = count(len(certificates), "self-signed certificate is", "self-signed certificates are")
    need = f"{amount} trusted one by one, for {first_few(nodes)}: each node needs its own, and again after each renewal."
    ends = [_describe_end(own, presented[own], at) for own in sorted(ending, key=lambda own: str(own.not_after))]
    yield " ".join([need, *ends, _BETTER])


def _presents(endpoint: Endpoint, certificate: Certificate) -> bool:
    return any(chain[0] == certificate.fingerprint for chain in endpoint.presented.values())


def _describe_end(own: Certificate, endpoints: list[Endpoint], at: datetime) -> str:
    days = (own.not_after - at).days if own.not_after else 0
    services = sorted({certificate_service(endpoint.product, endpoint.port) for endpoint in endpoints})
    where = join_words(sorted({endpoint.address for endpoint in endpoints}))
    return f"The one of {join_words(services)} on {where} expires in {count(days, 'day')}."
