"""Names for a person: what all of them end in is said once, and no two become one."""

from __future__ import annotations

import pytest

from remediate.report.names import service_of, service_rank, shorten


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
