"""SSH server in front of the platform shell of a simulated node."""

from __future__ import annotations

import re
from dataclasses import dataclass

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL

from remediate.lab.platform_shell import BANNER, PASTE, PROMPT, PlatformShell
from remediate.lab.requestlog import RequestLog
from remediate.lab.ssh_server import SSH_PORT, Session, SshServer


@dataclass(eq=False)
class PlatformServer(SshServer):
    """SSH server on one node's address, with its shell behind a password login.

    Attributes:
        node: The connection address of the node, for the log of requests.
        host: Where it listens.
    """

    node: str
    host: str
    shell: PlatformShell
    login: tuple[str, str]
    log: RequestLog

    @property
    def place(self) -> tuple[str, int]:
        """Address and port to listen on."""
        return self.host, SSH_PORT

    def _make_session(self) -> _Session:
        return _Session(self)

    def _talk(self, channel: paramiko.Channel) -> None:
        channel.sendall((BANNER + PROMPT).encode())
        typed, store, pasted = b"", None, ""
        while data := channel.recv(4096):
            typed += data
            channel.sendall(data.decode(errors="replace").replace("\n", "\r\n").encode())
            *lines, typed = re.split(rb"\r\n|\r|\n", typed)
            for line in (raw.decode(errors="replace") for raw in lines):
                if store is None:
                    store, pasted = self._answer(channel, line), ""
                elif line.strip() or not pasted:
                    pasted += f"{line}\n"
                else:
                    self._print(channel, self.shell.import_certificate(store, pasted))
                    store = None

    def _answer(self, channel: paramiko.Channel, line: str) -> str | None:
        """Carry one line out and print its answer; return the store that waits for a certificate."""
        if not line.strip():
            self._print(channel, [])
            return None
        is_write = line.strip().startswith(("set cert", "utils service"))
        self.log.add(self.node, "platform", "command", line.strip(), write=is_write)
        store = self.shell.asks_for_certificate(line)
        if store:
            channel.sendall(PASTE.encode())
        else:
            self._print(channel, self.shell.carry_out(line))
        return store

    def _print(self, channel: paramiko.Channel, lines: list[str]) -> None:
        channel.sendall(("".join(f"{line}\r\n" for line in lines) + PROMPT).encode())


class _Session(Session):
    def __init__(self, server: PlatformServer) -> None:
        super().__init__()
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == self._server.login
        self._server.log.add(self._server.node, "platform", "login", username, write=False, authorised=is_right)
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED
