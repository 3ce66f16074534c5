"""The chains that a plan names for its report: each once, with the endpoints that share it."""

from __future__ import annotations

from remediate.model.canonical import rfc3339
from remediate.model.plan import Plan, Policy
from remediate.planner import make_plan
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Corporate Root", ca=True)
ISSUING = issue("Corporate Issuing", ROOT, ca=True)
OWN = issue("imp", names=("imp.test",))
LEAVES = [issue(name, ISSUING, names=(f"{name}.test",)) for name in ("cucm1", "cucm2")]


def plan_of(*, allow: bool = True) -> Plan:
    endpoints = [endpoint(f"cucm{number}.test", rsa=[leaf]) for number, leaf in enumerate(LEAVES, start=1)]
    observed = snapshot([peer(1, [ROOT]), peer(2, [])], [*endpoints, endpoint("imp.test", rsa=[OWN])], [ROOT, ISSUING, OWN, *LEAVES],
                    available=[ISSUING, ROOT], vouched=[ISSUING, ROOT])  # fmt: skip
    return make_plan(observed, Policy(trust_self_signed=allow))


def test_endpoints_of_one_issuer_share_one_chain() -> None:
    [shared, own] = plan_of().chains

    assert shared.endpoints == ("cucm1.test:8443", "cucm2.test:8443")
    assert shared.certificates == (ISSUING.certificate.fingerprint, ROOT.certificate.fingerprint)
    assert (shared.depth, shared.missing) == (1, None)
    assert shared.ends == min(rfc3339(leaf.certificate.not_after) for leaf in LEAVES if leaf.certificate.not_after)
    assert shared.ends_at == "cucm1.test:8443"
    assert (own.depth, own.certificates) == (0, (OWN.certificate.fingerprint,))


def test_a_plan_holds_the_certificates_and_facts_of_its_chains() -> None:
    plan = plan_of()

    for chain in plan.chains:
        assert set(chain.certificates) <= plan.certificates.keys()
        assert set(chain.certificates) <= plan.facts.keys()
    assert Plan.from_json(plan.to_json()) == plan


def test_a_chain_leaves_out_a_self_signed_leaf_that_stays_out() -> None:
    own = plan_of(allow=False).chains[-1]

    assert (own.depth, own.certificates, own.endpoints) == (0, (), ("imp.test:8443",))


def test_a_chain_ends_at_the_issuer_that_nothing_holds() -> None:
    observed = snapshot([peer(1, [])], [endpoint("cucm1.test", rsa=[LEAVES[0]])], [LEAVES[0]], available=[], vouched=[])

    [chain] = make_plan(observed).chains

    assert (chain.certificates, chain.missing) == ((), ISSUING.certificate.subject)
