"""Evidence for tests of a diagnosis: log lines and handshakes about one endpoint, and the findings that come of them."""

from __future__ import annotations

from remediate.model.certificate import Certificate
from remediate.model.diagnosis import Finding
from remediate.model.evidence import Alert, Evidence, Handshake, LoggedFailure
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, issue

HOST, IP = "cucm.steven.lab", "10.48.36.215"
CA = issue("steven-DC-CA", ca=True)
RSA = issue("cucmms.steven.lab", CA, names=(HOST,), family="rsa")
EC = issue("cucm-EC.steven.lab", names=(HOST,))
ECDSA_FIRST, RSA_FIRST = (0xC02C, 0xC030), (0xC030, 0xC02C)


def make_failure(error: str = "self signed certificate", depth: int | None = 0, **fields: object) -> LoggedFailure:
    values = {"peer": "vcsc", "address": HOST, "ip": IP, "port": None, "enforced": True} | fields
    return LoggedFailure("chain", error=error, depth=depth, **values)  # type: ignore[arg-type]  # passed on as given


def make_handshake(*chain: Certificate, port: int = 6972, **fields: object) -> Handshake:
    values = {
        "server_name": HOST,
        "offered_suites": ECDSA_FIRST,
        "version": 0x0303,
        "suite": 0xC02C,
        "first_seen": NOW,
        "last_seen": NOW,
    } | fields
    return Handshake("10.48.36.46", IP, port, chain=chain, **values)  # type: ignore[arg-type]  # passed on as given


REFUSED = make_handshake(EC.certificate, alerts=(Alert("client", 48),))
ACCEPTED = make_handshake(RSA.certificate, port=8443, client_accepted=True)


def findings(
    *failures: LoggedFailure, handshakes: tuple[Handshake, ...] = (), trusted: tuple[Certificate, ...] | None = None
) -> tuple[Finding, ...]:
    return diagnose(Evidence(failures, handshakes=handshakes), trusted, NOW).findings
