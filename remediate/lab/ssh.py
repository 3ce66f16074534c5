"""SSH server in front of the shell of each simulated peer."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from remediate.lab.accounts import Accounts
from remediate.lab.faults import Fault, Faults
from remediate.lab.requestlog import RequestLog
from remediate.lab.servers import open_listening_socket
from remediate.lab.shell import Command, carry_out, fake_success, parse_line
from remediate.lab.state import SimulatedCluster, SimulatedPeer

_CHUNK = 23
_HELD_S = 0.005
_LOG = "remediate.lab.ssh"
# Without this, paramiko prints errors that clients cause.
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False


@dataclass(eq=False)
class ShellServer:
    """SSH server on one peer's address, with its shell behind a password login."""

    cluster: SimulatedCluster
    peer: SimulatedPeer
    accounts: Accounts
    faults: Faults
    log: RequestLog
    restart: Callable[[SimulatedPeer], None]
    host_key: paramiko.PKey
    _listener: socket.socket | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _transports: set[paramiko.Transport] = field(default_factory=set)

    def start(self) -> None:
        """Listen; returns when connections are accepted."""
        self._listener = open_listening_socket(self.peer.address, self.peer.ssh_port)
        self._stopped.clear()
        threading.Thread(target=self._accept, args=(self._listener,), name="lab-ssh", daemon=True).start()

    def stop(self) -> None:
        """Refuse new connections and break the open ones."""
        if self._listener:
            # A close alone would leave the thread in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._stopped.set()
        for transport in list(self._transports):
            transport.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="lab-ssh-shell", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        if silence_s := self.faults.silence_s(self.peer.address):
            self._stopped.wait(silence_s)
            connection.close()
            return
        transport = paramiko.Transport(connection)
        transport.set_log_channel(_LOG)
        transport.add_server_key(self.host_key)
        self._transports.add(transport)
        try:
            session = _Session(self)
            transport.start_server(server=session)
            while transport.is_active() and (channel := transport.accept(1.0)) is None:
                continue
            if transport.is_active() and channel is not None and session.shell.wait(10.0):
                self._talk(channel)
        except (paramiko.SSHException, OSError, EOFError):
            return
        finally:
            transport.close()
            self._transports.discard(transport)

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


class _Session(paramiko.ServerInterface):
    def __init__(self, server: ShellServer) -> None:
        self._server = server
        self._username = ""
        self._requests: list[tuple[str, ...]] = []
        self.shell = threading.Event()

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

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, *_terminal: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        del channel
        self.shell.set()
        return True


def _send(channel: paramiko.Channel, text: str) -> None:
    """Send in small pieces, as a slow peer does."""
    data = text.encode()
    for start in range(0, len(data), _CHUNK):
        channel.sendall(data[start : start + _CHUNK])
