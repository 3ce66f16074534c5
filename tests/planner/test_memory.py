"""What planning keeps of certificates, freed between clusters, changes no plan."""

from __future__ import annotations

from remediate import make_plan
from remediate.openssl.x509 import x509
from remediate.planner import forget_certificates
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Root", ca=True)
LEAF = issue("cucm.test", ROOT, names=("cucm.test",))
CLUSTER = snapshot([peer(1, [])], [endpoint("cucm.test", rsa=[LEAF])], [ROOT, LEAF], available=[ROOT])


def test_clearing_the_caches_changes_no_plan() -> None:
    before = make_plan(CLUSTER)

    forget_certificates(at_most=0)

    assert x509.cache_info().currsize == 0
    assert make_plan(CLUSTER).id == before.id


def test_small_caches_are_kept() -> None:
    make_plan(CLUSTER)
    size = x509.cache_info().currsize

    forget_certificates(at_most=size)

    assert x509.cache_info().currsize == size > 0
