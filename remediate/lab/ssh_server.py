"""SSH server of the lab: a login, and a shell that answers what is typed."""

from __future__ import annotations

import logging
import socket
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import paramiko
from paramiko.common import OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, OPEN_SUCCEEDED

from remediate.lab.servers import open_listening_socket

SSH_PORT = 5022
_LOG = "remediate.lab.ssh"
# Without this, paramiko prints errors that clients cause.
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False


class Session(paramiko.ServerInterface):
    """One connection, on which a shell may be opened. Who inherits from it checks the login.

    Attributes:
        shell: Set once the client has opened its shell.
    """

    def __init__(self) -> None:
        self.shell = threading.Event()

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Allow sessions alone."""
        del chanid
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, *_terminal: object) -> bool:
        """Allow every terminal."""
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        """Allow the shell, and note that it is open."""
        del channel
        self.shell.set()
        return True


@dataclass(eq=False)
class SshServer(ABC):
    """Server on one address, which starts, stops and breaks connections on demand."""

    host_key: paramiko.PKey = field(default_factory=paramiko.ECDSAKey.generate, kw_only=True)
    _listener: socket.socket | None = field(default=None, init=False)
    _stopped: threading.Event = field(default_factory=threading.Event, init=False)
    _transports: set[paramiko.Transport] = field(default_factory=set, init=False)

    @property
    @abstractmethod
    def place(self) -> tuple[str, int]:
        """Address and port to listen on."""

    @abstractmethod
    def _make_session(self) -> Session:
        """Return what checks the login of a connection."""

    @abstractmethod
    def _talk(self, channel: paramiko.Channel) -> None:
        """Be the shell until its client leaves."""

    def start(self) -> None:
        """Listen; returns when connections are accepted."""
        self._listener = open_listening_socket(*self.place)
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
        transport = paramiko.Transport(connection)
        transport.set_log_channel(_LOG)
        transport.add_server_key(self.host_key)
        self._transports.add(transport)
        try:
            session = self._make_session()
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
