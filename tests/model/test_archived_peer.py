"""A peer as its archive shows it: the addresses of its interfaces."""

from __future__ import annotations

from remediate.model.archived_peer import ArchivedPeer


def test_the_addresses_are_those_of_both_interfaces_that_are_set() -> None:
    settings = {
        "Ethernet 1 IP V4 Address": "192.0.2.1",
        "Ethernet 1 IP V6 Address": "",
        "Ethernet 2 IP V4 Address": "198.51.100.1",
        "Ethernet 3 IP V4 Address": "203.0.113.1",
    }

    assert ArchivedPeer("expc1", "log.tar.gz", settings=settings).ip_addresses == ("192.0.2.1", "198.51.100.1")
    assert ArchivedPeer("expc1", "log.tar.gz").ip_addresses == ()
