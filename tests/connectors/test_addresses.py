"""Addresses that another source than the inventory names: none leads back to this machine or to all hosts."""

from __future__ import annotations

import socket

import pytest

from remediate.connectors.addresses import (
    SpecialAddress,
    check_discovered_name,
    classify_address,
    connect,
    list_inventory_hosts,
    resolve,
)
from remediate.model.access import NodeAccess
from remediate.model.identity import Address
from tests.executor.clusters import known_as


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("localhost.", "loopback"),
        ("a.LOCALHOST", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("fe80::1%eth0", "link-local"),
        ("169.254.1.1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("192.0.2.1", None),
        ("cucm.test", None),
    ],
)
def test_special_addresses_are_distinguished_from_others(text: str, kind: str | None) -> None:
    assert classify_address(text) == kind


@pytest.mark.parametrize(
    ("text", "address", "why"),
    [
        (" cucm.test ", "cucm.test", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("127.0.0.1", None, "loopback address"),
        ("127.1", None, "neither a host name nor an IP address"),
        ("2130706433", None, "neither a host name nor an IP address"),
        ("a b", None, "neither a host name nor an IP address"),
        ("a" * 64 + ".test", None, "too long for a host name"),
        ("a." * 127 + "test", None, "too long for a host name"),
    ],
)
def test_a_discovered_name_is_used_or_the_reason_is_given(text: str, address: str | None, why: str | None) -> None:
    assert check_discovered_name(text, ()) == (address, why)


def test_what_the_inventory_names_needs_no_check() -> None:
    cluster = known_as("edge", "EXPC1.test")
    node = NodeAccess(Address("cucm.test"), "cucm", connect_to="127.0.0.1")
    hosts = list_inventory_hosts(type(cluster)(cluster.name, cluster.login, cluster.peers, nodes=(node,)))

    assert hosts == {"expc1.test", "cucm.test", "127.0.0.1"}
    assert check_discovered_name("127.0.0.1", hosts) == ("127.0.0.1", None)
    assert check_discovered_name("127.0.0.1", (), ("loopback",)) == ("127.0.0.1", None)


def test_a_guarded_connection_goes_to_no_special_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(SpecialAddress, match="accepted only from the inventory"):
            connect("127.0.0.1", port, 5, guarded=True)
        with connect("127.0.0.1", port, 5, guarded=False) as connection:
            assert connection.getpeername()[1] == port
        assert resolve("127.0.0.1", port, guarded=False) == [(socket.AF_INET, ("127.0.0.1", port))]
