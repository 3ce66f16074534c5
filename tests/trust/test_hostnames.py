"""The traffic server's name rule, as measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.trust.hostnames import matching_addresses, name_matches
from tests.pki import issue


@pytest.mark.parametrize(
    ("common_name", "names", "address", "matches"),
    [
        ("a.lab.test", ("b.lab.test",), "b.lab.test", True),
        ("a.lab.test", ("b.lab.test",), "a.lab.test", True),  # the first common name counts even when there is a SAN
        ("a.lab.test", ("b.lab.test",), "c.lab.test", False),
        ("a.lab.test", (), "A.LAB.TEST", True),
        ("a.lab.test", (), "a.lab.test.", False),
        ("x", ("10.0.0.1",), "10.0.0.1", True),  # an IP address is compared as text
        ("10.0.0.1", (), "10.0.0.1", True),
        ("x", ("*.lab.test",), "a.lab.test", True),
        ("*.lab.test", (), "a.lab.test", True),
        ("x", ("*.lab.test",), "a.b.lab.test", False),
        ("x", ("*.lab.test",), ".lab.test", False),
        ("x", ("*.test",), "lab.test", False),  # two dots at least
        ("x", ("cu*.lab.test",), "cucm.lab.test", True),
        ("x", ("*cm.lab.test",), "cucm.lab.test", True),
        ("x", ("c*m.lab.test",), "cucm.lab.test", False),  # first or last in its label
        ("x", ("**.lab.test",), "a.lab.test", False),
        ("x", ("a.*.test",), "a.lab.test", False),
        ("x", ("*.lab.test",), "xn--cucm.lab.test", True),
        ("x", ("x*.lab.test",), "xn--cucm.lab.test", False),
        ("x", ("*.a.b",), "c.a.b", False),  # five characters: too short for the traffic server to look for a wildcard
        ("x", ("*.a.b",), "cc.a.b", True),
    ],
)
def test_a_name_matches_as_the_traffic_server_compares_it(
    common_name: str, names: tuple[str, ...], address: str, matches: bool
) -> None:
    certificate = issue(common_name, names=names, key_name="one key for all").certificate
    assert name_matches(certificate, address) is matches


def test_ip_sans_are_never_looked_at_and_never_offered() -> None:
    certificate = issue("cucm", names=("cucm.lab.test",)).certificate
    assert matching_addresses(certificate) == ("cucm.lab.test", "cucm")


@given(st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}\.[a-z]{2,4}", fullmatch=True))
def test_every_name_matches_itself_whatever_its_case(address: str) -> None:
    certificate = issue("x", names=(address,), key_name="one key for all").certificate
    assert name_matches(certificate, address.upper())


@pytest.mark.parametrize(
    "address", ["\ud800.lab.test", "a.lab.test\0", "", "[::1]", "ünï.lab.test", "a" * 2000, "\U0001d11e", "*"]
)
def test_a_malformed_address_matches_no_name(address: str) -> None:
    assert not name_matches(issue("a.lab.test", names=("*.lab.test",), key_name="one key for all").certificate, address)
