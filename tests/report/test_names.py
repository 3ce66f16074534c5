"""Names for a person: what all of them end in is said once, and no two become one."""

from __future__ import annotations

import pytest

from remediate.model.identity import Address
from remediate.report.names import explain_heads, name_peers, service_of, service_rank, shorten


@pytest.mark.parametrize(
    ("names", "short", "suffix"),
    [
        (["a.uc.test", "b.uc.test"], ["a", "b"], ".uc.test"),
        (["a.x.uc.test", "b.y.uc.test"], ["a.x", "b.y"], ".uc.test"),
        (["a.uc.test", "b.uc.test", "192.0.2.1"], ["a", "b", "192.0.2.1"], ".uc.test"),
        (["a.uc.test", "a.test"], ["a.uc", "a"], ".test"),
        (["a.uc.test", "b.example"], ["a.uc.test", "b.example"], ""),
        (["a.uc.test"], ["a.uc.test"], ""),
        (["192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"], ""),
        (["uc.test", "a.uc.test"], ["uc", "a.uc"], ".test"),
        (["a.uc.test", "b.uc.test", "a"], ["a.uc.test", "b.uc.test", "a"], ""),
    ],
)
def test_a_common_domain_is_left_out(names: list[str], short: list[str], suffix: str) -> None:
    shortened = shorten(names)

    assert ([shortened[name] for name in names], shortened.suffix) == (short, suffix)


def test_a_name_that_is_not_among_them_stays() -> None:
    assert shorten(["a.test", "b.test"])["c.test"] == "c.test"


def test_services_are_what_users_know() -> None:
    assert [service_of("cucm", 8443), service_of("imp", 8443), service_of("unity", 443)] == ["Sign-in", "Chat", "Voicemail"]
    assert service_of("cucm", 9999) == service_of(None, 8443) == ""
    assert service_rank("Sign-in") < service_rank("Voicemail") < service_rank("")


@pytest.mark.parametrize(
    ("peers", "system_names", "names", "suffix"),
    [
        (["192.0.2.1", "192.0.2.2"], {"192.0.2.1": "c1.uc.test", "192.0.2.2": "c2.uc.test"}, ["c1", "c2"], ".uc.test"),
        (["192.0.2.1", "192.0.2.2"], {"192.0.2.1": "EDGE-01"}, ["EDGE-01", "192.0.2.2"], ""),
        (["2001:db8::1"], {"2001:db8::1": "c1.uc.test"}, ["c1.uc.test"], ""),
        (["c1.uc.test", "c2.uc.test"], {"c1.uc.test": "EDGE-01"}, ["c1", "c2"], ".uc.test"),
        (["192.0.2.1", "192.0.2.2"], {"192.0.2.1": "EDGE", "192.0.2.2": "EDGE"}, ["192.0.2.1", "192.0.2.2"], ""),
    ],
)
def test_an_ip_address_is_called_by_the_name_of_its_system(
    peers: list[str], system_names: dict[str, str], names: list[str], suffix: str
) -> None:
    called = name_peers(peers, {Address(peer): name for peer, name in system_names.items()})

    assert ([called[peer] for peer in peers], called.suffix) == (names, suffix)


def test_a_head_is_explained_by_what_it_does_not_say() -> None:
    peers = ("192.0.2.1", "192.0.2.2", "c3.uc.test")
    names = name_peers(peers, {Address("192.0.2.1"): "c1.uc.test"})

    assert explain_heads(peers, names, ("c1", "192.0.2.2", "c3")) == ("192.0.2.1", "192.0.2.2", "c3")
    assert explain_heads(peers, names, ("1", "2", "3")) == ("c1 (192.0.2.1)", "192.0.2.2", "c3")
