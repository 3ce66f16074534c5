"""The changes that a plan makes on each peer."""

from __future__ import annotations

from remediate.executor import changes
from tests.executor.clusters import plan_for, renumbered, story
from tests.pki import issue


def test_certificates_without_a_common_name_do_not_wait() -> None:
    # Given a plan with a removal by hand of a certificate without a common name
    stale, second = (issue(None, ca=True, organization=organization).certificate for organization in ("stale", "other"))
    plan = renumbered(plan_for(story(peers=1)), removing=stale, by="person")
    # Then it is open for the endpoints of that one, and for nobody else's
    assert changes.find_endpoints(plan, stale) == {"imp.example.test:8443"}
    assert changes.find_endpoints(plan, second) == frozenset()
