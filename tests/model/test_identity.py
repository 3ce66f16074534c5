"""Hosts and endpoints have one spelling."""

from __future__ import annotations

import pytest

from remediate.model.identity import Address, EndpointId, host_and_port, host_within


@pytest.mark.parametrize(
    ("host", "spelling"),
    [("cucm.test", "cucm.test:8443"), ("192.0.2.7", "192.0.2.7:8443"), ("2001:db8::9", "[2001:db8::9]:8443")],
)
def test_an_ipv6_address_is_put_into_brackets(host: str, spelling: str) -> None:
    assert host_and_port(host, 8443) == str(EndpointId(Address(host), 8443)) == spelling


def test_endpoints_are_ordered_by_address_then_port() -> None:
    first, second, third = EndpointId(Address("a"), 8443), EndpointId(Address("b"), 443), EndpointId(Address("b"), 8443)

    assert sorted([third, second, first]) == [first, second, third]


@pytest.mark.parametrize(
    "text", ["https://expc1.test/", "expc1.test:443", " expc1.test. ", "admin@expc1.test", "[expc1.test]:22"]
)
def test_a_host_is_recognised_in_what_surrounds_it(text: str) -> None:
    assert host_within(text) == "expc1.test"


def test_a_name_with_other_letters_is_given_as_dns_has_it() -> None:
    assert host_within("https://münchen.example:8443/") == "xn--mnchen-3ya.example"


@pytest.mark.parametrize("text", ["", "https://", "two hosts", "a..b", "ü..b"])
def test_no_host_is_seen_where_there_is_none(text: str) -> None:
    assert host_within(text) is None
