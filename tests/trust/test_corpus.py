"""Every verdict of the corpus, against what OpenSSL 1.1.1w and a real traffic server said."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Any

from remediate import verify_chain
from remediate.model.certificate import Certificate
from remediate.openssl.libcrypto import Libcrypto, appliance, modern
from remediate.trust.hostnames import name_matches
from remediate.trust.openssl import TrustedList
from remediate.trust.underlying_fault import leaf_can_pass
from tests.corpus import cases

APPLIANCE = "1.1.1w/L1/d7"
CHAIN_ONLY_IN_3X = {79: 24}  # "invalid CA certificate" under its number of 1.1.1
certificate = cache(Certificate.from_pem)


def expected(case: dict[str, Any]) -> tuple[bool, int, int]:
    """(ok, code, depth) as the appliance's OpenSSL said."""
    base = case["expected"]
    ok, code, depth = case["alt"].get(APPLIANCE) or (base["ok"], base["code"], base["depth"])
    return ok, CHAIN_ONLY_IN_3X.get(code, code), depth


def answered_by(openssl: Libcrypto, case: dict[str, Any]) -> tuple[bool, int, int]:
    trusted = TrustedList([certificate(one) for one in case["trusted"]], openssl)
    built = trusted.verify([certificate(one) for one in case["presented"]], datetime.fromtimestamp(case["time"], UTC))
    return built.code == 0, built.code, built.depth


def test_the_appliances_openssl_is_at_hand() -> None:
    assert appliance().is_appliance_like, appliance().version


def test_every_verdict_is_that_of_openssl_1_1_1w() -> None:
    seen: Counter[str] = Counter()
    wrong = []
    for case in cases("verdicts"):
        seen[case["suite"]] += 1
        ok, code, depth = answered_by(appliance(), case)
        # A good chain has no depth of its own: OpenSSL leaves the last one looked at.
        if (ok, code, depth if not ok else 0) != (*expected(case)[:2], expected(case)[2] if not ok else 0):
            wrong.append((case["id"], (ok, code, depth), expected(case)))
    assert wrong == []
    assert sum(seen.values()) >= 6000


def test_chain_and_name_together_are_what_the_traffic_server_accepts() -> None:
    wrong = []
    for case in cases("verdicts"):
        if case["peer"] is None or case["name"]["ats92"] is None:
            continue
        chain, trusted = [certificate(one) for one in case["presented"]], [certificate(one) for one in case["trusted"]]
        at = datetime.fromtimestamp(case["time"], UTC)
        verdict = verify_chain(chain, trusted, case["peer"]["value"], at)
        accepted = expected(case)[0] and case["name"]["ats92"]
        if verdict.ok != accepted or name_matches(chain[0], case["peer"]["value"]) != case["name"]["ats92"]:
            wrong.append((case["id"], verdict))
    assert wrong == []


def test_the_fallback_agrees_on_every_acceptance() -> None:
    """OpenSSL 3.x answers where 1.1.1 is not at hand: never another acceptance, and its reservation is about codes and depths."""
    openssl = modern()
    assert openssl is not None
    wrong, reserved, total = [], 0, 0
    for case in cases("verdicts"):
        total += 1
        answer = answered_by(openssl, case)
        if answer[0] != expected(case)[0]:
            wrong.append((case["id"], answer, expected(case)))
        reserved += not answer[0] and answer != expected(case)
    assert wrong == []
    assert reserved <= total / 100


def test_a_certificate_that_cannot_pass_by_itself_is_accepted_by_no_list() -> None:
    cannot, wrong = 0, []
    for case in cases("verdicts"):
        presented = [certificate(one) for one in case["presented"]]
        if presented and not leaf_can_pass(presented[0], datetime.fromtimestamp(case["time"], UTC)):
            cannot += 1
            wrong += [case["id"]] if expected(case)[0] else []
    assert wrong == []
    assert cannot > 0
