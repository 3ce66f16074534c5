"""The certificate that a node presents under a cipher list."""

from __future__ import annotations

import pytest

from remediate.model.expressway import CIPHERS_SINCE_X15_0_2, RSA_PREFIX
from remediate.model.identity import Address, CipherList, Fingerprint, KeyFamily
from remediate.model.snapshot import Endpoint, Preference
from remediate.trust.ciphers import (
    families_in,
    is_default_since_x15,
    list_new_suites,
    means_the_same,
    prefer,
    presented_families,
)
from tests.properties.clusters import DEFAULT_CIPHERS, RSA_FIRST

BOTH: dict[KeyFamily, tuple[Fingerprint, ...]] = {"rsa": (Fingerprint("r"),), "ecdsa": (Fingerprint("e"),)}


def endpoint(
    presented: dict[KeyFamily, tuple[Fingerprint, ...]], preferred: Preference, *, tls13: bool | None = False
) -> Endpoint:
    return Endpoint(Address("node.lab"), 8443, "cucm", presented, preferred, tls13)


def test_the_default_list_asks_for_ecdsa_and_the_prefix_for_rsa() -> None:
    assert families_in(DEFAULT_CIPHERS)[0] == "ecdsa"
    assert families_in(RSA_FIRST)[0] == "rsa"


def test_preferring_is_the_smallest_change() -> None:
    assert prefer("rsa", DEFAULT_CIPHERS) == RSA_PREFIX + DEFAULT_CIPHERS
    assert prefer("rsa", RSA_FIRST) == RSA_FIRST
    assert prefer("ecdsa", RSA_FIRST) == DEFAULT_CIPHERS
    rsa_only = CipherList("ECDHE-RSA-AES128-GCM-SHA256")
    assert prefer("ecdsa", rsa_only) == "ECDHE-ECDSA-AES256-GCM-SHA384:" + rsa_only


@pytest.mark.parametrize("impossible", ["HIGH:!aRSA", "!aRSA:HIGH"])
def test_a_list_that_no_prefix_changes_stays_as_it_is(impossible: str) -> None:
    # Given a list whose own words rule the family out; then planning again and again does not prefix it again and again
    assert prefer("rsa", CipherList(impossible)) == impossible


@pytest.mark.parametrize("unusable", ["no such cipher", "HIGH\0", "HIGH:\ud800"])
def test_a_list_openssl_refuses_offers_nothing(unusable: str) -> None:
    assert families_in(CipherList(unusable)) == ()


def test_lists_are_the_same_by_their_suites_and_order() -> None:
    assert means_the_same(CipherList("ECDHE+aRSA+AESGCM"), CipherList("aRSA+ECDHE+AESGCM:!NULL"))
    assert not means_the_same(DEFAULT_CIPHERS, RSA_FIRST)
    assert not means_the_same(DEFAULT_CIPHERS, CIPHERS_SINCE_X15_0_2)


def test_lists_that_openssl_refuses_are_the_same_only_literally() -> None:
    assert means_the_same(CipherList("no such"), CipherList("no such"))
    assert not means_the_same(CipherList("no such"), CipherList("nor such"))


def test_suites_that_the_new_default_bans_are_named() -> None:
    assert "DHE-RSA-CHACHA20-POLY1305" in list_new_suites(DEFAULT_CIPHERS, CIPHERS_SINCE_X15_0_2)
    assert list_new_suites(CIPHERS_SINCE_X15_0_2, DEFAULT_CIPHERS) == ()
    assert list_new_suites(RSA_FIRST, DEFAULT_CIPHERS) == ()


def test_the_new_default_is_recognised_behind_a_prefix() -> None:
    assert is_default_since_x15(CIPHERS_SINCE_X15_0_2)
    assert is_default_since_x15(CipherList(RSA_PREFIX + CIPHERS_SINCE_X15_0_2))
    assert not is_default_since_x15(DEFAULT_CIPHERS)


@pytest.mark.parametrize("tls13", [True, False, None])
@pytest.mark.parametrize("presented", [{}, {"ecdsa": ()}])
def test_a_node_that_showed_nothing_presents_nothing(
    presented: dict[KeyFamily, tuple[Fingerprint, ...]], tls13: bool | None
) -> None:
    measured = Preference(measured={DEFAULT_CIPHERS: "rsa"})
    assert presented_families(endpoint(presented, measured, tls13=tls13), DEFAULT_CIPHERS) == ()
    assert presented_families(endpoint(presented, measured, tls13=tls13), None) == ()


def test_the_order_in_which_families_were_written_down_never_matters() -> None:
    swapped: dict[KeyFamily, tuple[Fingerprint, ...]] = dict(reversed(BOTH.items()))
    for ciphers in (None, DEFAULT_CIPHERS):
        first, second = (
            presented_families(endpoint(presented, Preference(), tls13=None), ciphers) for presented in (BOTH, swapped)
        )
        assert first == second


@pytest.mark.parametrize(
    ("held", "preferred", "tls13", "ciphers", "presented"),
    [
        pytest.param(BOTH, Preference(client_order=True), False, DEFAULT_CIPHERS, ("ecdsa",), id="client order"),
        pytest.param(BOTH, Preference(client_order=True), False, RSA_FIRST, ("rsa",), id="client order, prefix"),
        pytest.param(BOTH, Preference(client_order=False, family="rsa"), False, DEFAULT_CIPHERS, ("rsa",), id="own order"),
        pytest.param(BOTH, Preference(client_order=False), False, RSA_FIRST, ("rsa", "ecdsa"), id="own order, not known which"),
        pytest.param(BOTH, Preference(), False, RSA_FIRST, ("rsa", "ecdsa"), id="order not checked"),
        pytest.param(
            BOTH, Preference(family="ecdsa"), False, RSA_FIRST, ("rsa", "ecdsa"), id="order not known, only what it likes"
        ),
        pytest.param(BOTH, Preference(measured={RSA_FIRST: "ecdsa"}), False, RSA_FIRST, ("ecdsa",), id="measured wins"),
        pytest.param(BOTH, Preference(client_order=True), True, DEFAULT_CIPHERS, ("ecdsa",), id="TLS 1.3"),
        pytest.param(BOTH, Preference(client_order=True), True, RSA_FIRST, ("rsa", "ecdsa"), id="TLS 1.3 ignores the prefix"),
        pytest.param(BOTH, Preference(client_order=True), None, RSA_FIRST, ("rsa", "ecdsa"), id="TLS 1.3 not checked"),
        pytest.param({"rsa": BOTH["rsa"]}, Preference(), True, DEFAULT_CIPHERS, ("rsa",), id="one certificate only"),
        pytest.param(
            {"rsa": BOTH["rsa"]}, Preference(), False, CipherList("ECDHE-ECDSA-AES256-GCM-SHA384"), (), id="no shared cipher"
        ),
        pytest.param(BOTH, Preference(client_order=True), False, None, ("rsa", "ecdsa"), id="list not known"),
    ],
)
def test_the_families_that_a_node_may_present_follow_its_order(
    held: dict[KeyFamily, tuple[Fingerprint, ...]],
    preferred: Preference,
    tls13: bool | None,
    ciphers: CipherList | None,
    presented: tuple[str, ...],
) -> None:
    assert presented_families(endpoint(held, preferred, tls13=tls13), ciphers) == presented
