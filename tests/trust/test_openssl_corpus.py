"""Every verdict of the corpus, against the answers of OpenSSL 1.1.1w and of a real traffic server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from remediate import verify_chain
from remediate.model.certificate import Certificate
from remediate.model.library import openssl
from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.selftest import failed_self_tests
from remediate.openssl.trust_store import TrustStore
from remediate.trust.hostnames import name_matches
from remediate.trust.underlying_fault import leaf_can_pass
from tests.corpus import cases
from tests.libraries import openssl_35, openssl_111

APPLIANCE = "1.1.1w/L1/d7"
CHAIN_ONLY_IN_3X = {79: 24}  # "invalid CA certificate" under its number of 1.1.1
certificate = cache(Certificate.from_pem)


def expected(case: dict[str, Any]) -> tuple[bool, int, int]:
    """(ok, code, depth) as the appliance's OpenSSL answered."""
    base = case["expected"]
    ok, code, depth = case["alt"].get(APPLIANCE) or (base["ok"], base["code"], base["depth"])
    return ok, CHAIN_ONLY_IN_3X.get(code, code), depth


def ask(library: Libcrypto, case: dict[str, Any]) -> tuple[bool, int, int]:
    """(ok, code, depth) of `library`; a good chain has no depth of its own."""
    store = TrustStore(library, [certificate(pem).der for pem in case["trusted"]])
    code, depth, _ = store.verify([certificate(pem).der for pem in case["presented"]], int(case["time"]))
    return code == 0, code, depth


@pytest.mark.parametrize("library", [openssl, openssl_35, openssl_111], ids=["this Python's", "3.5", "1.1.1w"])
def test_every_library_answers_as_openssl_1_1_1w(library: Callable[[], Libcrypto]) -> None:
    suites: Counter[str] = Counter()
    wrong = []
    for case in cases("verdicts"):
        suites[case["suite"]] += 1
        ok, code, depth = expected(case)
        answer = ask(library(), case)
        if answer != (ok, code, 0 if ok else depth):
            wrong.append((case["id"], answer, (ok, code, depth)))
    assert wrong == []
    assert sum(suites.values()) >= 6000


@pytest.mark.parametrize("library", [openssl, openssl_35, openssl_111], ids=["this Python's", "3.5", "1.1.1w"])
def test_every_library_passes_the_self_test(library: Callable[[], Libcrypto]) -> None:
    assert failed_self_tests(library()) == ()


def test_chain_and_name_together_are_what_the_traffic_server_accepts() -> None:
    wrong = []
    for case in cases("verdicts"):
        if case["peer"] is None or case["name"]["ats92"] is None:
            continue
        chain, trusted = [certificate(pem) for pem in case["presented"]], [certificate(pem) for pem in case["trusted"]]
        at = datetime.fromtimestamp(case["time"], UTC)
        verdict = verify_chain(chain, trusted, case["peer"]["value"], at)
        accepted = expected(case)[0] and case["name"]["ats92"]
        if verdict.ok != accepted or name_matches(chain[0], case["peer"]["value"]) != case["name"]["ats92"]:
            wrong.append((case["id"], verdict))
    assert wrong == []


def test_no_list_accepts_a_leaf_that_fails_by_itself() -> None:
    cannot, wrong = 0, []
    for case in cases("verdicts"):
        presented = [certificate(pem) for pem in case["presented"]]
        if presented and not leaf_can_pass(presented[0], datetime.fromtimestamp(case["time"], UTC)):
            cannot += 1
            wrong += [case["id"]] if expected(case)[0] else []
    assert wrong == []
    assert cannot > 0
