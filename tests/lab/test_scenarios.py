"""The scenarios: whole, and found by their names."""

from __future__ import annotations

import pytest

from remediate.lab.errors import LabError
from remediate.lab.scenario import Scenario
from remediate.lab.scenarios import SCENARIOS, scenario_named
from remediate.lab.scenarios.parts import PEERS, ecdsa_twin, healthy_nodes


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_scenario_names_only_authorities_that_it_has(scenario: Scenario) -> None:
    authorities = {authority.id for authority in scenario.authorities}
    certificates = [certificate for node in scenario.nodes for service in node.services for certificate in service.certificates]

    assert {certificate.issuer for certificate in certificates if certificate.issuer} <= authorities
    assert {name for certificate in certificates for name in certificate.sends} <= authorities
    listed = {name for names in scenario.trusted for name in names if "/" not in name}
    assert {*listed, *scenario.operator_ca} <= authorities | {PEERS}
    assert scenario.summary


def test_a_scenario_that_is_not_there_names_those_that_are() -> None:
    assert scenario_named("story") is SCENARIOS["story"]
    with pytest.raises(LabError, match="there are story, "):
        scenario_named("nonsense")


def test_a_twin_has_ec_behind_its_host_and_no_name_for_it() -> None:
    twin = ecdsa_twin("cucm.steven.lab", by="root")

    assert (twin.common_name, twin.names) == ("cucm-EC.steven.lab", ("cucm.steven.lab",))
    assert len(healthy_nodes()) == 5
