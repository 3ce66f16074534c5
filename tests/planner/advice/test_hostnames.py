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
            "Set System > Server on Unified CM to cucm1.lab, then refresh the discovered servers.",
        ),
        # A certificate for many nodes: the one with the same host part, not the domain and not the others
        ("cucm1.old.lab", "cucm", ("lab.test", "cucm1.lab.test", "cucm2.lab.test"), "to cucm1.lab.test, then"),
        ("10.0.0.5", "cucm", ("cucm1.lab", "cucm2.lab"), "to cucm1.lab or cucm2.lab, whichever is this node's own name, then"),
        ("10.0.0.5", "cucm", ("*.lab.test",), "to a name of its own under *.lab.test, then"),
        (
            "10.0.0.5",
            "unity",
            ("voice.lab",),
            "Set Configuration > Unified Communications > Unity Connection servers on the primary to voice.lab,",
        ),
    ],
)
def test_the_name_to_set_is_one_that_the_node_can_have(
    address: str, product: Product, names: tuple[str, ...], step: str
) -> None:
    leaf = issue("My Cert", names=names).certificate
    _, options = advise_on_name(replace(endpoint(address), product=product), leaf)
    assert step in options[0]
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

    proposed = [option for option in options if option.startswith("Set ")]
    requests = [option.partition("SAN dNSNames: ")[2] for option in options if "SAN dNSNames: " in option]
    assert proposed == (
        [f"Set System > Server on Unified CM to {set_to}, then refresh the discovered servers."] if set_to else []
    )
    assert [request.partition(". ")[0].rstrip(".") for request in requests] == ([in_the_csr] if in_the_csr else [])
    assert not any("*" in request for request in requests)


def test_an_ip_address_and_no_host_name_at_all() -> None:
    text, options = advise_on_name(endpoint("10.0.0.5"), issue("My Cert").certificate)
    assert text.startswith("Clients use the IP address 10.0.0.5; the certificate is for My Cert.")
    [reissue] = options
    assert "with the node's FQDN as SAN dNSName" in reissue
