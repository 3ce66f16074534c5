"""The command shell of one peer: a line out, an answer in.

There is no prompt to wait for, and a banner may hold anything, also a line ``OK``. So the first question is ``xStatus SystemUnit``,
whose answer cannot be mistaken; from then on each answer ends with a line ``OK`` or an error.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import paramiko

from remediate.connectors import shell_text
from remediate.connectors.hostkey import fingerprint_of
from remediate.connectors.ssh import open_shell
from remediate.connectors.text import reason_of, visible
from remediate.model.access import PeerAccess
from remediate.model.errors import ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.limits import Limits
from remediate.model.secret import Secret

_GREETING = "xStatus SystemUnit"
_QUIET_S = 0.2
"""How long the line must be silent until an unfinished last line, or what follows an error, counts as all there is."""


class CommandFailed(ObservationError):
    """The box answered a question with an error: often its way to say that it has no such leaf."""


class _LinkLost(Exception):
    """The connection broke, or no answer came in time."""


class Shell:
    """One peer's shell, logged in.

    Args:
        writable: without it, anything but a question raises WriteForbidden before a byte leaves.

    Attributes:
        host_key: the box's host key, as ``SHA256:BASE64``.
        system: what `xStatus SystemUnit` said.

    Raises:
        as `open_shell`, and ObservationError when no shell answers behind the login.
    """

    def __init__(self, access: PeerAccess, username: str, password: Secret, limits: Limits, *, writable: bool) -> None:
        self._where, self._limits, self._writable = f"The shell of {access.address}", limits, writable
        self._channel: paramiko.Channel = open_shell(access, username, password, limits)
        self.host_key = fingerprint_of(self._channel.get_transport().get_remote_server_key())
        self._in_step = False
        try:
            self.system = shell_text.status(self._answer_to(_GREETING))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        self._channel.get_transport().close()

    def ask(self, command: str) -> list[str]:
        """Return the lines of the answer to a question.

        Raises:
            CommandFailed: the box answered with an error.
            ObservationError: it did not answer.
        """
        if not shell_text.only_reads(command):
            raise WriteForbidden(f"{self._where}: `{visible(command, 60)}` was stopped: it is not a question.")
        lines = self._answer_to(command)
        if failure := shell_text.error_in(lines, command):
            raise CommandFailed(f"{self._where} answers `{visible(command, 60)}` with: {visible(failure)}")
        return lines

    def tell(self, command: str) -> None:
        """Send a command that changes something, once.

        Raises:
            WriteForbidden: this session may only read; nothing left this machine.
            WriteRefused: the box answered with an error.
            ObservationError: the session was broken before anything was sent.
            OutcomeUnknown: it was sent; no answer came.
        """
        shown = visible(command.partition(":")[0], 80)
        if not self._writable:
            raise WriteForbidden(f"{self._where}: `{shown}` was stopped: this session may only read.")
        try:
            self._synchronise()
        except _LinkLost as error:
            raise ObservationError(f"{self._where} no longer answers, so `{shown}` was not sent: {error}.") from error
        try:
            lines = self._exchange(command)
        except _LinkLost as error:
            raise OutcomeUnknown(f"{self._where} was told `{shown}`, and its answer was lost: {error}.") from error
        if failure := shell_text.error_in(lines, command):
            raise WriteRefused(f"{self._where} refuses `{shown}`: {visible(failure)}")

    def _answer_to(self, question: str) -> list[str]:
        try:
            return self._exchange(question)
        except _LinkLost as error:
            raise ObservationError(f"{self._where} did not answer `{visible(question, 60)}`: {error}.") from error

    def _synchronise(self) -> None:
        """Make sure that nothing of an earlier answer, or of a banner, is still under way."""
        if not self._in_step:
            self._exchange(_GREETING)

    def _exchange(self, command: str) -> list[str]:
        greeting = command == _GREETING
        if not greeting:
            self._synchronise()
        self._in_step = False
        self._send(command + "\n")
        raw, deadline = bytearray(), time.monotonic() + self._limits.shell_answer_s
        while True:
            lines = shell_text.lines_of(shell_text.plain(bytes(raw)))
            if _complete(lines[:-1], greeting=greeting):
                self._in_step = True
                return lines
            failed = not greeting and shell_text.error_in(lines[:-1], command) is not None
            unfinished = _complete(lines, greeting=greeting)
            chunk = self._receive(deadline, quiet_ends=failed or unfinished)
            if not chunk:
                return lines
            raw += chunk
            if len(raw) > self._limits.max_response_bytes:
                raise _LinkLost(f"the answer is larger than {self._limits.max_response_bytes} bytes")
            if shell_text.asks_for_more(shell_text.plain(bytes(raw[-200:]))):
                self._send(" ")

    def _send(self, text: str) -> None:
        try:
            self._channel.settimeout(self._limits.connect_s)
            self._channel.sendall(text.encode())
        except (OSError, paramiko.SSHException, EOFError) as error:
            raise _LinkLost(reason_of(error)) from error

    def _receive(self, deadline: float, *, quiet_ends: bool) -> bytes:
        """The next bytes; none when `quiet_ends` and the line is quiet."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise _LinkLost(f"no OK and no error within {self._limits.shell_answer_s:g} s")
        try:
            self._channel.settimeout(max(min(_QUIET_S, left) if quiet_ends else left, 0.001))
            chunk = self._channel.recv(65536)
        except TimeoutError as error:
            if quiet_ends:
                return b""
            raise _LinkLost(f"no OK and no error within {self._limits.shell_answer_s:g} s") from error
        except (OSError, paramiko.SSHException, EOFError) as error:
            raise _LinkLost(reason_of(error)) from error
        if not chunk:
            raise _LinkLost("the session was closed")
        return chunk


def _complete(lines: list[str], *, greeting: bool) -> bool:
    """Whether the box said OK; for the greeting, after a whole status block."""
    if greeting:
        ends = [number for number, line in enumerate(lines) if line.lower().startswith("*s/end")]
        lines = lines[ends[-1] :] if ends else []
    return any(shell_text.is_ok(line) for line in lines)
