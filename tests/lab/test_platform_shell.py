"""The platform shell of a simulated node: certificates are shown, imported and deleted."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from remediate.lab.node_stores import NodeStores
from remediate.lab.platform_shell import Layout, PlatformShell
from tests.pki import issue

OWN, ROOT = issue("cucm.test").certificate, issue("Edge Root", ca=True).certificate
MakeShell = Callable[..., PlatformShell]


@pytest.fixture
def make_shell() -> MakeShell:
    """Return a function that makes the shell of a Unified CM node with empty stores."""

    def make(layout: Layout = "fields-and-pem", *, can_write: bool = True) -> PlatformShell:
        stores = NodeStores("cucm", {"tomcat": [], "CallManager": []})
        return PlatformShell(lambda: {"tomcat": OWN}, stores, lambda: None, layout, can_write)

    return make


def test_a_certificate_is_imported_shown_and_deleted(make_shell: MakeShell) -> None:
    shell = make_shell()
    store = shell.asks_for_certificate("set cert import trust tomcat")
    assert store == "tomcat"

    assert shell.import_certificate(store, ROOT.pem)[0] == "Successfully imported certificate for tomcat."

    [path] = [line.partition(":")[0] for line in shell.carry_out("show cert list trust") if line]
    assert ROOT.pem.splitlines()[1] in shell.carry_out(f"show cert trust {path}")
    assert shell.carry_out(f"set cert delete {path.replace('/', ' ')}") == [f"Successfully deleted certificate {path}."]
    assert shell.carry_out("show cert list trust") == [""]


def test_what_is_no_pem_or_no_command_is_refused(make_shell: MakeShell) -> None:
    for answer in (make_shell().import_certificate("tomcat", "nothing"), make_shell().carry_out("format c:")):
        assert answer[-1] == "Executed command unsuccessfully"


def test_a_shell_without_writing_asks_for_nothing(make_shell: MakeShell) -> None:
    assert make_shell(can_write=False).asks_for_certificate("set cert import trust tomcat") is None


@pytest.mark.parametrize(("layout", "has_pem"), [("fields", False), ("fields-and-pem", True), ("bouncy-castle", True)])
def test_each_release_prints_fields_in_its_own_way(layout: Layout, has_pem: bool, make_shell: MakeShell) -> None:
    text = "\n".join(make_shell(layout).carry_out("show cert own tomcat"))

    assert ("BEGIN CERTIFICATE" in text) is has_pem
    assert re.search(r"Subject(DN| Name): CN=cucm.test", text)
