"""The advice on a name that does not match."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate import Policy
from remediate.model.identity import Product
from remediate.planner.advice.hostnames import advise_on_name
from tests.pki import issue
from tests.planner.build import endpoint

NODE = "cucm.steven.lab"
DEFAULT = Policy()
OWN_CHANGE = "As a change of its own, not in this window:"

root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(NODE,))
own = issue("cucm-EC.steven.lab", names=(NODE,))


@pytest.mark.parametrize(
    ("address", "product", "names", "step"),
    [
        (
            "10.0.0.5",
            "cucm",
            ("cucm1.lab",),
            "set System > Server on Unified CM to cucm1.lab, then refresh the discovered servers.",
        ),
        # A certificate for many nodes: the one with the same host part, not the domain and not the others
        ("cucm1.old.lab", "cucm", ("lab.test", "cucm1.lab.test", "cucm2.lab.test"), "to cucm1.lab.test, then"),
        ("10.0.0.5", "cucm", ("cucm1.lab", "cucm2.lab"), "to cucm1.lab or cucm2.lab, whichever is this node's own name, then"),
        ("10.0.0.5", "cucm", ("*.lab.test",), "to a name of its own under *.lab.test, then"),
        (
            "10.0.0.5",
            "unity",
            ("voice.lab",),
            "Voicemail and Mailstore services under User Management > User Settings > UC Service on Unified CM to voice.lab, then",
        ),
    ],
)
def test_the_name_to_set_is_one_that_the_node_can_have(
    address: str, product: Product, names: tuple[str, ...], step: str
) -> None:
    leaf = issue("My Cert", names=names).certificate
    _, options = advise_on_name(replace(endpoint(address), product=product), leaf)
    assert any(step in option for option in options)
    assert "My Cert" not in " ".join(options)


@pytest.mark.parametrize(
    ("address", "names", "set_to", "in_the_csr"),
    [
        # A wildcard and its domain: neither is a node, and no CSR of a node takes a wildcard
        ("cucm1", ("*.corp.test", "corp.test"), "cucm1.corp.test", "cucm1"),
        ("cucm1.paris.corp.test", ("*.corp.test", "corp.test"), None, "cucm1.paris.corp.test"),
        ("cucm1.old.test", ("*.corp.test", "corp.test"), "a name of its own under *.corp.test", "cucm1.old.test"),
        ("cucm1", ("*.a.test", "*.b.test"), "cucm1.a.test or cucm1.b.test, whichever is this node's own name", "cucm1"),
        ("cucm1.corp.test", ("corp.test",), None, "cucm1.corp.test"),
        # A wildcard that is a part of a label
        ("cucm1", ("cu*.corp.test",), "cucm1.corp.test", "cucm1"),
        ("imp1", ("cu*.corp.test",), None, "imp1"),
        # No name of a node
        ("10.0.0.5", ("localhost.localdomain", "cucm1.corp.test"), "cucm1.corp.test", None),
        # The traffic server takes a wildcard over two dots only
        ("cucm1", ("*.test",), None, "cucm1"),
        # A short name, and the name that another server of the certificate has
        ("cucm1", ("cucm2.corp.test", "*.corp.test"), "cucm1.corp.test", "cucm2.corp.test, cucm1"),
        ("cucm1", ("cucm1.corp.test", "cucm2.corp.test"), "cucm1.corp.test", "cucm1.corp.test, cucm2.corp.test, cucm1"),
        # The common name of a certificate for many servers names none of them
        ("10.0.0.5", ("cucm1-ms.corp.test", "cucm1.corp.test"), "cucm1.corp.test", None),
        ("cucm9.corp.test", ("cucm1-ms.corp.test",), None, "cucm9.corp.test"),
        # A dot at the end is in no certificate, and none is proposed
        ("cucm1.corp.test.", ("cucm1.corp.test",), "cucm1.corp.test", "cucm1.corp.test"),
        ("cucm1.corp.test.", ("*.corp.test",), "cucm1.corp.test", "cucm1.corp.test"),
        ("cucm9.corp.test", ("cucm1.corp.test.",), None, "cucm9.corp.test"),
    ],
)
def test_every_name_proposed_can_be_the_nodes_and_verifies(
    address: str, names: tuple[str, ...], set_to: str | None, in_the_csr: str | None
) -> None:
    leaf = issue(None, names=names).certificate

    _, options = advise_on_name(endpoint(address), leaf)

    proposed = [option.partition(" Price:")[0] for option in options if option.startswith("As a change of its own")]
    requests = [option.partition("SAN dNSNames: ")[2] for option in options if "SAN dNSNames: " in option]
    assert proposed == (
        [f"{OWN_CHANGE} set System > Server on Unified CM to {set_to}, then refresh the discovered servers."] if set_to else []
    )
    assert [request.partition(". ")[0].rstrip(".") for request in requests] == ([in_the_csr] if in_the_csr else [])
    assert not any("*" in request for request in requests)


@pytest.mark.parametrize(
    ("address", "names", "in_use", "set_to"),
    [
        # The certificate of another node, or one for many nodes without this one
        ("cucm9.corp.test", ("cucm1.corp.test",), ("CUCM1.corp.test",), None),
        ("cucm9.corp.test", ("cucm1.corp.test", "cucm2.corp.test"), ("cucm1.corp.test",), "cucm2.corp.test"),
        ("10.0.0.5", ("cucm1.corp.test", "cucm2.corp.test"), ("cucm1.corp.test",), "cucm2.corp.test"),
        # One node under two addresses
        ("cucm1", ("cucm1.corp.test", "cucm2.corp.test"), ("cucm1.corp.test", "cucm2.corp.test"), "cucm1.corp.test"),
        ("10.0.0.5", ("cucm1.corp.test",), ("cucm1.corp.test",), "cucm1.corp.test"),
    ],
)
def test_a_name_that_another_node_has_is_not_proposed(
    address: str, names: tuple[str, ...], in_use: tuple[str, ...], set_to: str | None
) -> None:
    _, options = advise_on_name(endpoint(address), issue(None, names=names).certificate, (*in_use, address))

    proposed = [option for option in options if option.startswith(OWN_CHANGE)]
    assert [f" to {set_to}, then" in option for option in proposed] == ([True] if set_to else [])


def test_an_ip_address_without_a_host_name_needs_a_reissue() -> None:
    text, options = advise_on_name(endpoint("10.0.0.5"), issue("My Cert").certificate)
    assert text.startswith("Clients use the IP address 10.0.0.5; the certificate is for My Cert.")
    [reissue] = options
    assert "with the node's FQDN as SAN dNSName" in reissue


@pytest.mark.parametrize("product", ["cucm", "imp"])
def test_a_reissue_comes_before_a_change_of_the_name(product: Product) -> None:
    leaf = issue("cucm.lab", names=("cucm.lab",)).certificate

    _, options = advise_on_name(replace(endpoint("cucm1.lab"), product=product), leaf)

    assert options[0].startswith("Reissue the certificate")
    assert options[1].startswith(OWN_CHANGE)


def test_the_uc_service_comes_first_for_unity() -> None:
    leaf = issue("voice.lab", names=("voice.lab",)).certificate

    _, options = advise_on_name(replace(endpoint("voicemail.lab"), product="unity"), leaf)

    assert options[0].startswith("Set the host name of the Voicemail and Mailstore services")
    assert "it is for discovery alone" in options[0]
    assert options[1].startswith("Reissue the certificate")


def test_every_option_but_a_warning_has_its_price() -> None:
    leaf = issue("cucm.lab", names=("cucm.lab",)).certificate

    for product, port in (("cucm", 8443), ("cucm", 6972), ("imp", 8443), ("unity", 8443)):
        _, options = advise_on_name(replace(endpoint("other.lab"), product=product, port=port), leaf)  # type: ignore[arg-type]
        assert all("Price: " in option for option in options)
