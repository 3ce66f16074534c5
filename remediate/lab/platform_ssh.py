"""SSH server in front of the platform shell of a simulated node."""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass, field

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED

from remediate.lab.platform_shell import BANNER, PASTE, PROMPT, PlatformShell
from remediate.lab.requestlog import RequestLog
from remediate.lab.servers import open_listening_socket

SSH_PORT = 5022
_LOG = "remediate.lab.ssh"


@dataclass(eq=False)
class PlatformServer:
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
    host_key: paramiko.PKey = field(default_factory=paramiko.ECDSAKey.generate)
    _listener: socket.socket | None = None
    _transports: set[paramiko.Transport] = field(default_factory=set)

    def start(self) -> None:
        """Listen; returns when connections are accepted."""
        self._listener = open_listening_socket(self.host, SSH_PORT)
        threading.Thread(target=self._accept, args=(self._listener,), name="lab-platform", daemon=True).start()

    def stop(self) -> None:
        """Refuse new connections and break the open ones."""
        if self._listener:
            # A close alone would leave the thread in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for transport in list(self._transports):
            transport.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="lab-platform-shell", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
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


class _Session(paramiko.ServerInterface):
    def __init__(self, server: PlatformServer) -> None:
        self._server = server
        self.shell = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == self._server.login
        self._server.log.add(self._server.node, "platform", "login", username, write=False, authorised=is_right)
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, *_terminal: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        del channel
        self.shell.set()
        return True
