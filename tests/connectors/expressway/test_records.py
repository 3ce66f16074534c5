"""Records that a peer holds of its cluster and of its publishers."""

from __future__ import annotations

import pytest

from remediate.connectors.expressway.records import PublisherRecord, parse_alternates
from remediate.model.identity import Address


@pytest.mark.parametrize("leaf", ["ConfigurationPrimary", "configurationmaster"])
def test_the_primary_is_found_by_its_number(leaf: str) -> None:
    # Given a cluster with a gap in its numbers
    leaves = {
        "Alternates Cluster name": "edge",
        f"Alternates {leaf}": "3",
        "Alternates Peer 1 Address": "expc1.test",
        "Alternates Peer 2 Address": "",
        "Alternates Peer 3 Address": "expc3.test",
    }

    alternates = parse_alternates(leaves)

    assert (alternates.cluster_name, alternates.peers) == ("edge", ("expc1.test", "expc3.test"))
    assert (alternates.primary, alternates.primary_address) == (2, "expc3.test")


@pytest.mark.parametrize("number", ["2", "7", "many", ""])
def test_a_primary_that_is_no_peer_is_not_stated(number: str) -> None:
    alternates = parse_alternates({"Alternates ConfigurationPrimary": number, "Alternates Peer 1 Address": "expc1.test"})
    assert (alternates.primary, alternates.primary_address) == (None, None)


def test_a_publisher_is_added_again_only_as_it_was() -> None:
    record = PublisherRecord(Address("cucm.test"), "cucm", "axl", "On", {"Publisher": "cucm.test", "AesGcm": "On"})
    unknown = PublisherRecord(Address("cucm.test"), "cucm", "axl", "On", {"Novelty\x1b": "On"})

    assert record.describe_obstacle("axl") is None
    assert "another AXL account" in str(record.describe_obstacle("somebody"))
    assert "(Novelty\\x1b)" in str(unknown.describe_obstacle("axl"))
