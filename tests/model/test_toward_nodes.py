"""What a person does so that a node takes an uploaded certificate into account."""

from __future__ import annotations

from remediate.model.toward_nodes import STORE_RESTARTS, STORES


def test_every_store_has_the_restart_that_makes_it_count() -> None:
    assert {store for stores in STORES.values() for store in stores} == set(STORE_RESTARTS)


def test_an_instruction_names_services_place_command_and_price() -> None:
    assert STORE_RESTARTS["CallManager"].instruction == (
        "restart Cisco CallManager, Cisco TFTP and Cisco HAProxy on every node of that cluster "
        "(`utils service restart Cisco CallManager`; its phones register with another node, and then back)"
    )
    assert STORE_RESTARTS["cup-xmpp"].instruction.startswith("restart Cisco XCP Router on every IM and Presence node (")
