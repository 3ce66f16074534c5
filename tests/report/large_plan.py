"""A plan of six peers and as many endpoints as a test asks for, with names as long as real ones."""

from __future__ import annotations

from functools import cache

from remediate.model.identity import Address, Fingerprint, PlanId, Product
from remediate.model.plan import (
    Base,
    ChainGroup,
    EndpointForecast,
    Plan,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    Unresolved,
)
from remediate.model.verdict import Cause, Verdict
from tests.properties.clusters import DEFAULT_CIPHERS
from tests.report.builders import GOOD, NOON, authority

DOMAIN = "communications.example-entreprise.fr"
PEERS = tuple(Address(f"expressway-c{number}.{DOMAIN}") for number in range(1, 7))
_PORTS: tuple[tuple[str, Product, int], ...] = (
    ("cucm", "cucm", 8443), ("cucm", "cucm", 6971), ("cucm", "cucm", 6972), ("imp", "imp", 8443), ("unity", "unity", 8443),
)  # fmt: skip


def _refused(cause: Cause, code: int, *, observed: bool = True) -> Verdict:
    return Verdict(False, cause, "as OpenSSL words it", code, 0, observed, "rsa")


WRONG_NAME = _refused(Cause.NAME_MISMATCH, 0)
UNREACHED = _refused(Cause.UNREACHABLE, 0, observed=False)
SELF_SIGNED = _refused(Cause.SELF_SIGNED_UNTRUSTED, 18)
NO_ISSUER = _refused(Cause.ISSUER_UNKNOWN, 20)


@cache
def large_plan(endpoints: int) -> Plan:
    """Return the plan: 1 endpoint in 20 has a wrong name, 1 in 25 is not reached, most of the others are fixed."""
    forecasts: list[EndpointForecast] = []
    unresolved: list[Unresolved] = []
    authorities = [authority(f"Example Entreprise Issuing CA {number}", "Example Root CA") for number in range(4)]
    served: dict[Fingerprint, list[str]] = {certificate.fingerprint: [] for certificate in authorities}
    for number in range(endpoints):
        host, product, port = _PORTS[number % len(_PORTS)]
        address = Address(f"{host}-site{number // len(_PORTS):03}-sub{number % 3}.{DOMAIN}")
        before, after = _verdicts(number)
        if not after.ok and after.cause:
            unresolved.append(Unresolved(address, port, after.cause, "It needs a new certificate.", ("Reissue it.",)))
        for place, peer in enumerate(PEERS):
            works = after is GOOD and number % 3 == 0 and place % 2 == 0
            forecasts.append(EndpointForecast(address, port, peer, after if works else before, after, product))
        served[authorities[number % 4].fingerprint].append(f"{address}:{port}")
    additions = tuple(
        TrustCertificate(f"a{number}", fingerprint, PEERS[number % 2 :], "intermediate", "required" if number < 2 else "vouched",
                         tuple(names))
        for number, (fingerprint, names) in enumerate(served.items(), start=1)
    )  # fmt: skip
    ciphers = SetCiphers("a5", "ReverseProxyTLSCiphers", DEFAULT_CIPHERS, type(DEFAULT_CIPHERS)(f"ECDHE-RSA:{DEFAULT_CIPHERS}"))
    return Plan(
        id=PlanId("sha256:" + "12" * 32),
        cluster="mra-france-production",
        made_at=NOON,
        complete=False,
        base={peer: Base("sha256:" + "ab" * 32, {}, "X14.2.1", True, "person") for peer in PEERS},
        actions=(*additions, ciphers, RestartPeer("a6", PEERS)),
        endpoints=tuple(forecasts),
        unresolved=tuple(unresolved),
        certificates={certificate.fingerprint: certificate for certificate in authorities},
        chains=tuple(
            ChainGroup(1, (fingerprint,), "CN=Example Root CA", tuple(names), "2027-01-01T00:00:00Z", names[0])
            for fingerprint, names in served.items()
        ),
    )


def _verdicts(number: int) -> tuple[Verdict, Verdict]:
    """Return what endpoint `number` gets now and after the plan."""
    if number % 20 == 0:
        return WRONG_NAME, WRONG_NAME
    if number % 25 == 3:
        return UNREACHED, UNREACHED
    return (SELF_SIGNED if number % len(_PORTS) in {1, 2, 3} else NO_ISSUER), GOOD
