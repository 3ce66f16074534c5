"""SSH server in front of the shell of each simulated peer."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL

from remediate.lab.accounts import Accounts
from remediate.lab.faults import Fault, Faults
from remediate.lab.requestlog import RequestLog
from remediate.lab.shell import Command, carry_out, fake_success, parse_line
from remediate.lab.ssh_server import Session, SshServer
from remediate.lab.state import SimulatedCluster, SimulatedPeer

_CHUNK = 23
_HELD_S = 0.005


@dataclass(eq=False)
class ShellServer(SshServer):
    """SSH server on one peer's address, with its shell behind a password login."""

    cluster: SimulatedCluster
    peer: SimulatedPeer
    accounts: Accounts
    faults: Faults
    log: RequestLog
    restart: Callable[[SimulatedPeer], None]

    @property
    def place(self) -> tuple[str, int]:
        """Address and port to listen on."""
        return self.peer.address, self.peer.ssh_port

    def _make_session(self) -> _Session:
        return _Session(self)

    def _serve(self, connection: socket.socket) -> None:
        if silence_s := self.faults.silence_s(self.peer.address):
            self._stopped.wait(silence_s)
            connection.close()
            return
        super()._serve(connection)

    def _talk(self, channel: paramiko.Channel) -> None:
        _send(channel, self.peer.banner)
        typed = b""
        while data := channel.recv(4096):
            typed += data
            # A pty echoes what is typed.
            _send(channel, data.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n"))
            *lines, typed = re.split(rb"\r\n|\r|\n", typed)
            for line in lines:
                if not self._answer(channel, line.decode(errors="replace")):
                    return

    def _answer(self, channel: paramiko.Channel, line: str) -> bool:
        """Carry one line out, print its answer, and return whether the connection continues."""
        if not line.strip():
            return True
        if line.strip().casefold() in ("bye", "exit", "logout"):
            return False
        typed = parse_line(line)
        self.log.add(self.peer.address, "ssh", typed.method, line.strip(), write=typed.write)
        hits, delay_s = self.faults.take(self.peer.address, "ssh", line, write=typed.write)
        if Fault.DROP_REQUEST in hits:
            return False
        if Fault.ASK in hits:
            return self._ask(channel)
        while self.faults.is_held(self.peer.address, line) and not self._stopped.wait(_HELD_S):
            continue
        printed = fake_success(typed) if Fault.IGNORE_WRITE in hits else self._carry_out(typed)
        time.sleep(delay_s)
        if Fault.DROP_ANSWER in hits:
            return False
        if Fault.HALF_CLOSE in hits:
            channel.shutdown_write()
            # Whatever is typed from here on is read, and nothing comes of it; the client has to hang up.
            while channel.recv(4096):
                continue
            return False
        _send(channel, "".join(f"{line}\r\n" for line in printed))
        return True

    def _ask(self, channel: paramiko.Channel) -> bool:
        """Ask the question of the fault, record each answer, and return False: the connection ends with the client's."""
        _send(channel, self.faults.shell_question(self.peer.address))
        while answer := channel.recv(4096):
            self.log.add(self.peer.address, "ssh", "answer", answer.decode(errors="replace").strip(), write=True)
        return False

    def _carry_out(self, typed: Command) -> list[str]:
        return carry_out(typed, self.cluster, self.peer, self.restart, self.faults.time_at(self.peer.address))


class _Session(Session):
    def __init__(self, server: ShellServer) -> None:
        super().__init__()
        self._server = server
        self._username = ""
        self._requests: list[tuple[str, ...]] = []

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "keyboard-interactive" if self._server.faults.login_prompts(self._server.peer.address) else "password"

    def check_auth_interactive(self, username: str, submethods: str) -> int | paramiko.server.InteractiveQuery:
        del submethods
        self._username = username
        self._requests = list(self._server.faults.login_prompts(self._server.peer.address))
        return self._next_request() if self._requests else AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> int | paramiko.server.InteractiveQuery:
        """Check the first answer as a password, and record the others."""
        if self._username:
            username, self._username = self._username, ""
            if self._check(username, responses[0] if responses else "") == AUTH_FAILED:
                return AUTH_FAILED
        elif responses:
            server = self._server
            server.log.add(server.peer.address, "ssh", "answer", f"{len(responses)} answers", write=True, authorised=False)
            return AUTH_FAILED
        return self._next_request() if self._requests else AUTH_SUCCESSFUL

    def _next_request(self) -> paramiko.server.InteractiveQuery:
        prompts = self._requests.pop(0)
        return paramiko.server.InteractiveQuery("", "", *((prompt, False) for prompt in prompts))

    def check_auth_password(self, username: str, password: str) -> int:
        if self._server.faults.login_prompts(self._server.peer.address):
            return AUTH_FAILED
        return self._check(username, password)

    def _check(self, username: str, password: str) -> int:
        accounts, peer = self._server.accounts, self._server.peer
        right = (username, password) == (accounts.username, accounts.password)
        right = right and not self._server.faults.refuses_login(peer.address)
        if not right:
            self._server.faults.count_refused_login(peer.address)
        self._server.log.add(peer.address, "ssh", "login", username, write=False, authorised=right)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED


def _send(channel: paramiko.Channel, text: str) -> None:
    """Send in small pieces, as a slow peer does."""
    data = text.encode()
    for start in range(0, len(data), _CHUNK):
        channel.sendall(data[start : start + _CHUNK])
