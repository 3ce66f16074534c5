"""Evidence for tests of a diagnosis: log lines and handshakes about one endpoint, and the findings that come of them."""

from __future__ import annotations

from remediate.model.certificate import Certificate
from remediate.model.diagnosis import Finding
from remediate.model.evidence import Alert, Evidence, Handshake, Logged
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, issue

HOST, IP = "cucm.steven.lab", "10.48.36.215"
CA = issue("steven-DC-CA", ca=True)
RSA = issue("cucmms.steven.lab", CA, names=(HOST,), family="rsa")
EC = issue("cucm-EC.steven.lab", names=(HOST,))
ECDSA_FIRST, RSA_FIRST = (0xC02C, 0xC030), (0xC030, 0xC02C)


def logged(error: str = "self signed certificate", depth: int | None = 0, **more: object) -> Logged:
    values = {"peer": "vcsc", "address": HOST, "ip": IP, "port": None, "enforced": True} | more
    return Logged("chain", error=error, depth=depth, **values)  # type: ignore[arg-type]  # passed on as given


def shaken(*chain: Certificate, port: int = 6972, **more: object) -> Handshake:
    values = {"server_name": HOST, "offered": ECDSA_FIRST, "version": 0x0303, "suite": 0xC02C, "first": NOW, "last": NOW} | more
    return Handshake("10.48.36.46", IP, port, chain=chain, **values)  # type: ignore[arg-type]  # passed on as given


REFUSED = shaken(EC.certificate, alerts=(Alert("client", 48),))
ACCEPTED = shaken(RSA.certificate, port=8443, went_on=True)


def findings(
    *logs: Logged, seen: tuple[Handshake, ...] = (), trusted: tuple[Certificate, ...] | None = None
) -> tuple[Finding, ...]:
    return diagnose(Evidence(logs, handshakes=seen), trusted, NOW).findings
