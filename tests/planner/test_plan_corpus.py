"""Every plan case of the corpus reaches the optimum that brute force found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from remediate import Certificate, Policy, make_plan
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.plan import TrustCertificate
from remediate.model.snapshot import Endpoint, Peer, Preference, Snapshot
from tests.corpus import cases

JUDGE = "openssl-1.1.1w/L1/d7"


def snapshot_of(case: dict[str, Any], certificates: dict[str, Certificate]) -> Snapshot:
    """Build a snapshot of the scenario: one peer, RSA only, everything vouched for, ciphers out of play."""
    peer = Peer(
        Address("expc.test"),
        "X14.2.1",
        primary=True,
        trusted_ca=tuple(certificates[name].fingerprint for name in case["store"]),
        ciphers={REVERSE_PROXY_CIPHERS: CipherList("ECDHE-RSA-AES256-GCM-SHA384")},
    )
    # Two servers may stand on one address and port in a scenario: the ports are made distinct, they mean nothing here.
    endpoints = tuple(
        Endpoint(
            Address(server["peer"]),
            10_000 + number,
            "cucm",
            {"rsa": tuple(certificates[name].fingerprint for name in server["presented"])},
            Preference(client_order=True),
            tls13=False,
        )
        for number, server in enumerate(case["servers"])
    )
    by_fingerprint = {certificate.fingerprint: certificate for certificate in certificates.values()}
    pool = tuple(certificates[name].fingerprint for name in case["pool"])
    at = datetime.fromtimestamp(case["time"], UTC)
    return Snapshot("corpus", at, (peer,), endpoints, pool, frozenset(by_fingerprint), by_fingerprint)


def test_every_case_reaches_the_optimum() -> None:
    wrong, count = [], 0
    for case in cases("plans"):
        count += 1
        certificates = {name: Certificate.from_pem(entry["pem"]) for name, entry in case["certs"].items()}
        plan = make_plan(snapshot_of(case, certificates), Policy(ciphers="keep"))
        optimum = case["expected"][JUDGE]["optimum"]["chain+name_ats92"]
        added = {action.certificate for action in plan.actions if isinstance(action, TrustCertificate)}
        verified = sum(endpoint.after.ok for endpoint in plan.endpoints)
        solutions = [{certificates[name].fingerprint for name in names} for names in optimum["solutions"]]
        if verified != optimum["max_ok"] or added not in solutions:
            wrong.append((case["id"], verified, optimum["max_ok"], len(added), optimum["min_add"]))
    assert wrong == []
    assert count >= 91
