"""The shell of a simulated peer over real SSH."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest

from remediate.lab import Lab
from remediate.lab.scenario import DEFAULT_CIPHERS, RSA_PREFIX
from tests.lab.conftest import ShellClient

ShellOf = Callable[[int], Any]
_SET = f'xConfiguration Ciphers ReverseProxyTLSCiphers Value: "{RSA_PREFIX}{DEFAULT_CIPHERS}"'


def test_it_prints_a_banner_echoes_and_ends_with_ok(story: Lab, shell: ShellOf) -> None:
    printed = shell(0)("xStatus SystemUnit")

    assert printed.startswith(story.peers[0].banner)
    assert "xStatus SystemUnit\r\n*s SystemUnit: /\r\n" in printed
    assert '    Version: "X14.2.1"\r\n' in printed
    assert printed.endswith("*s/end\r\n\r\nOK\r\n")


def test_the_host_key_is_the_one_in_the_inventory(story: Lab, shell: ShellOf) -> None:
    assert f'host_key: "{shell(1).host_key}"' in story.inventory.read_text()


def test_a_path_lists_its_leaves_whatever_the_case(shell: ShellOf) -> None:
    printed = shell(0)("XCONFIGURATION ciphers reverseproxytlsciphers")

    assert f'*c xConfiguration Ciphers ReverseProxyTLSCiphers Value: "{DEFAULT_CIPHERS}"\r\n' in printed


def test_alternates_name_the_peers_and_the_primary(story: Lab, shell: ShellOf) -> None:
    printed = shell(0)("xConfiguration Alternates")

    assert '*c xConfiguration Alternates ConfigurationPrimary: "1"\r\n' in printed
    for number, peer in enumerate(story.peers, start=1):
        assert f'*c xConfiguration Alternates Peer {number} Address: "{peer.address}"\r\n' in printed


def test_a_change_on_the_primary_replicates_after_the_lag(story: Lab, shell: ShellOf) -> None:
    story.faults.two_minutes_s = 0.05

    shell(0)(_SET)
    first = [peer.ciphers["ReverseProxyTLSCiphers"].startswith(RSA_PREFIX) for peer in story.peers]
    assert story.cluster.settle()

    assert first[0]
    assert all(peer.ciphers["ReverseProxyTLSCiphers"].startswith(RSA_PREFIX) for peer in story.peers)


def test_a_change_on_another_peer_is_overwritten(story: Lab, shell: ShellOf) -> None:
    story.faults.two_minutes_s = 0.05

    shell(2)(_SET)
    assert story.cluster.settle()

    assert story.peers[2].ciphers["ReverseProxyTLSCiphers"] == DEFAULT_CIPHERS


def test_the_verification_flag_is_each_peers_own(story: Lab, shell: ShellOf) -> None:
    shell(1)("xConfiguration EdgeConfigServer VerifyOriginServer: off")
    assert story.cluster.settle()

    assert [peer.verify_origin_server for peer in story.peers] == [True, False, True]
    assert 'VerifyOriginServer: "Off"' in shell(1)("xConfiguration EdgeConfigServer VerifyOriginServer")


def test_the_flag_is_gone_where_the_version_does_not_have_it(tmp_path: Path) -> None:
    with Lab(tmp_path, "x15", judge=False) as lab:
        client = ShellClient(lab, lab.peers[0])
        assert client("xConfiguration EdgeConfigServer VerifyOriginServer").endswith("ERROR: Invalid path.\r\n")
        client.close()


@pytest.mark.parametrize(
    "line",
    [
        "xConfiguration No Such Thing",
        "xConfiguration EdgeConfigServer VerifyOriginServer: Maybe",
        f'xConfiguration Ciphers ReverseProxyTLSCiphers Value: "{"A" * 2049}"',
        "nonsense",
    ],
)
def test_an_impossible_command_is_an_error(shell: ShellOf, line: str) -> None:
    last = shell(0)(line).rstrip("\r\n").split("\r\n")[-1]

    assert last.startswith("ERROR")


def test_help_lists_what_there_is(shell: ShellOf) -> None:
    client = shell(0)

    assert "xConfiguration" in client("?")
    assert "- xCommand Restart" in client("xCommand ?")


def test_a_restart_breaks_the_connection_and_the_peer_comes_back(story: Lab, shell: ShellOf) -> None:
    client = shell(0)

    assert client("xCommand Restart").endswith("OK\r\n")
    assert story.cluster.settle()

    assert story.peers[0].restarts == 1
    assert shell(0)("xStatus SystemUnit").endswith("OK\r\n")


def test_a_wrong_password_is_refused_and_recorded(story: Lab) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        ShellClient(story, story.peers[0], password="wrong")

    assert [(request.method, request.authorised) for request in story.requests] == [("login", False)]


def test_the_log_marks_writes_and_masks_passwords(story: Lab, shell: ShellOf) -> None:
    client = shell(0)

    client("xConfiguration Ciphers")
    client("xConfiguration EdgeConfigServer VerifyOriginServer: On")
    client('xCommand CUCM Config Add Address: "a" Axlpassword: "swordfish"')

    assert [(request.transport, request.method, request.write) for request in story.requests] == [
        ("ssh", "login", False),
        ("ssh", "get", False),
        ("ssh", "set", True),
        ("ssh", "command", True),
    ]
    assert "swordfish" not in story.requests.path.read_text()
    assert len(story.requests.path.read_text().splitlines()) == len(story.requests) == 4
    story.requests.clear()
    assert story.requests.all() == ()
    client("?")
    assert [request.number for request in story.requests] == [5]
