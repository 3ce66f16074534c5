"""Plans for the views: one of everything, names chosen by the test."""

from __future__ import annotations

from datetime import UTC, datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, CipherList, Fingerprint, PlanId
from remediate.model.plan import (
    Alternative,
    Base,
    EndpointForecast,
    Plan,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    Unresolved,
)
from remediate.model.verdict import Cause, Verdict
from tests.pki import issue

PEERS = tuple(Address(f"expc{number}.example.test") for number in (1, 2, 3))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = Verdict(ok=True, key="rsa")


def authority(common_name: str, issuer: str | None = None) -> Certificate:
    """Return a CA with this CN, self-signed or signed by a CA with the CN `issuer`."""
    return issue(common_name, issue(issuer, ca=True) if issuer else None, ca=True).certificate


def refused(cause: Cause, error: str = "self-signed certificate", code: int = 18) -> Verdict:
    """Return a refusal at the leaf."""
    return Verdict(ok=False, cause=cause, error=error, code=code, depth=0, key="ecdsa")


def plan_with(
    common_name: str = "Corporate Root CA",
    *,
    cluster: str = "edge-paris",
    advice: str = "The certificate is good for cucm.steven.lab, and clients ask for 10.48.36.215.",
    note: str = "steven-DC-CA expires in 20 days.",
    error: str = "self-signed certificate",
) -> Plan:
    """Return a plan with every kind of action, something unresolved, a note and an alternative."""
    root, own, stale = authority(common_name), authority("cucm-EC.steven.lab"), authority("old CA")
    tftp = refused(Cause.SELF_SIGNED_UNTRUSTED, error)
    mismatch = refused(Cause.NAME_MISMATCH, "hostname mismatch", 0)
    addresses = [("cucm.steven.lab", 6972, tftp, GOOD), ("cucm.steven.lab", 8443, GOOD, GOOD)]
    addresses += [("10.48.36.215", 8443, mismatch, mismatch), ("2001:db8::9", 8443, tftp, GOOD)]
    return Plan(
        id=PlanId("sha256:" + "12" * 32),
        cluster=cluster,
        made_at=NOON,
        complete=False,
        base={peer: Base("sha256:" + "ab" * 32, {"ReverseProxyTLSCiphers": CipherList("EECDH:EDH:HIGH")}) for peer in PEERS},
        actions=(
            TrustCertificate("a1", root.fingerprint, PEERS[2:], "root", "vouched", ("cucm.steven.lab:8443",)),
            TrustCertificate("a2", own.fingerprint, PEERS, "self-signed", "required", ("cucm.steven.lab:6972",)),
            SetCiphers("a3", "ReverseProxyTLSCiphers", CipherList("EECDH:HIGH"), CipherList("ECDHE-RSA-AES256-GCM-SHA384:EECDH")),
            RefreshDiscovery("a4", Address("cucmpub.example.test"), "cucm", "person"),
            RestartPeer("a5", PEERS),
            RemoveCertificate("a6", stale.fingerprint, PEERS[:1], "person", ("cucm.steven.lab:8443",)),
        ),
        endpoints=tuple(
            EndpointForecast(Address(address), port, peer, before, after)
            for address, port, before, after in addresses
            for peer in PEERS
        ),
        unresolved=(Unresolved(Address("10.48.36.215"), 8443, Cause.NAME_MISMATCH, advice, ("Change System > Server to the FQDN.",)),),
        certificates={certificate.fingerprint: certificate for certificate in (root, own, stale)},
        notes=(note,),
        alternatives=(Alternative("Prefix RSA, no new trust", "it touches the cipher list", "--ciphers prefer-rsa"),),
    )  # fmt: skip


def fingerprints_of(plan: Plan) -> tuple[Fingerprint, ...]:
    """Every certificate that an action of `plan` names."""
    return tuple(action.certificate for action in plan.actions if isinstance(action, TrustCertificate | RemoveCertificate))
