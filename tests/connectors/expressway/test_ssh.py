"""SSH to one peer: its host key is checked before the one login."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from remediate.connectors.expressway.shell import Shell
from remediate.model.access import HostKeyTrust, PeerAccess
from remediate.model.errors import InventoryError, ObservationError, PinMismatch
from remediate.model.identity import Address
from remediate.model.secret import Secret
from tests.connectors.servers import ScriptedShell, ssh_talk, tcp_server, typed_lines
from tests.connectors.support import QUICK

PASSWORD = Secret("pass-word")


PIN = HostKeyTrust(host_key=ScriptedShell.host_key.fingerprint)


STATUS = '*s SystemUnit: /\r\n  Software: /\r\n    Version: "X14.2.1"\r\n*s/end\r\n\r\nOK\r\n'


def test_a_server_without_ssh_is_reported() -> None:
    with tcp_server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        access = PeerAccess(Address("127.0.0.1"), ssh_port=port, ssh=PIN)
        with pytest.raises(ObservationError, match="does not complete the SSH handshake"):
            Shell(access, "admin", PASSWORD, QUICK, writable=False)


def _known_hosts(folder: Path, key: paramiko.PKey, port: int, host: str = "127.0.0.1") -> HostKeyTrust:
    path = folder / "known_hosts"
    path.write_text(f"[{host}]:{port} {key.get_name()} {key.get_base64()}\n")
    return HostKeyTrust(known_hosts=path)


def test_known_hosts_decides_where_no_key_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(channel: paramiko.Channel) -> None:
        for _ in typed_lines(channel):
            channel.sendall(STATUS.encode())

    monkeypatch.setenv("HOME", str(tmp_path))
    with tcp_server(ssh_talk(script, PASSWORD.reveal())) as port:
        access = PeerAccess(Address("127.0.0.1"), ssh_port=port)
        known_hosts = _known_hosts(tmp_path, ScriptedShell.host_key, port)
        with Shell(replace(access, ssh=known_hosts), "admin", PASSWORD, QUICK, writable=False) as shell:
            assert shell.system
        for key, host in ((paramiko.ECDSAKey.generate(), "127.0.0.1"), (ScriptedShell.host_key, "127.0.0.2")):
            known_hosts = _known_hosts(tmp_path, key, port, host)
            with pytest.raises(PinMismatch, match=ScriptedShell.host_key.fingerprint.replace("+", r"\+")):
                Shell(replace(access, ssh=known_hosts), "admin", PASSWORD, QUICK, writable=False)
        with pytest.raises(PinMismatch, match=r"\.ssh/known_hosts") as caught:
            Shell(access, "admin", PASSWORD, QUICK, writable=False)
        assert "host_key" in caught.value.next_step
        # A file with what OpenSSH alone understands is read all the same
        known_hosts = _known_hosts(tmp_path, ScriptedShell.host_key, port)
        assert known_hosts.known_hosts is not None
        entry = known_hosts.known_hosts.read_bytes()
        known_hosts.known_hosts.write_bytes(b"@cert-authority *.test ssh-rsa AAAA\n\xff\xfe\n" + entry)
        with Shell(replace(access, ssh=known_hosts), "admin", PASSWORD, QUICK, writable=False) as shell:
            assert shell.system
        # And a revoked key is refused, also where it is listed
        known_hosts.known_hosts.write_bytes(entry + b"@revoked * " + entry.split(maxsplit=1)[1])
        with pytest.raises(PinMismatch, match="is marked @revoked") as caught:
            Shell(replace(access, ssh=known_hosts), "admin", PASSWORD, QUICK, writable=False)
        assert "Give the peer a new one" in caught.value.next_step
        missing = HostKeyTrust(known_hosts=tmp_path / "none")
        with pytest.raises(InventoryError, match="cannot be read"):
            Shell(replace(access, ssh=missing), "admin", PASSWORD, QUICK, writable=False)
