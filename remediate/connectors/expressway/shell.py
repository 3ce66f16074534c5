"""The command shell of one peer: a line out, an answer in.

There is no prompt to wait for, and a banner may hold anything, also a line ``OK``. So the first question is ``xStatus SystemUnit``,
whose answer cannot be mistaken; from then on each answer ends with a line ``OK`` or an error.

What we type would be the answer to anything that the box asks. So nothing is typed before a fresh shell is silent, and where it asks a
question (a new password, ``Are you sure? (y/n)``) the question is quoted and the session ends.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import NoReturn, Self

import paramiko

from remediate.connectors.expressway import shell_text
from remediate.connectors.expressway.host_key import fingerprint_of
from remediate.connectors.expressway.shell_answer import Answer, TooMuch
from remediate.connectors.expressway.ssh import open_shell
from remediate.connectors.expressway.ssh_login import NOT_OURS_TO_ANSWER
from remediate.connectors.text import reason_of
from remediate.model.access import PeerAccess
from remediate.model.errors import AccessError, ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape

_GREETING = "xStatus SystemUnit"
_AT_LEAST_S = 0.001
"""A time-out of 0 would mean: do not wait at all."""
_QUIET_S = 0.2
"""How long the line must be silent until an unfinished last line, or what follows an error, counts as all there is."""


class CommandFailed(ObservationError):
    """The box answered a question with an error: often its way to say that it has no such leaf."""


class _LinkLost(Exception):
    """The connection broke, or no answer came in time."""


class _Asked(_LinkLost):
    """The box asks something that is not ours to answer. The session was ended."""


class Shell:
    """One peer's shell, logged in.

    Args:
        writable: without it, anything but a question raises WriteForbidden before a byte leaves.

    Attributes:
        host_key: the box's host key, as ``SHA256:BASE64``.
        system: what `xStatus SystemUnit` said.

    Raises:
        as `open_shell`; AccessError when the shell asks a question of its own; ObservationError when none answers behind the login.
    """

    def __init__(self, access: PeerAccess, username: str, password: Secret, limits: Limits, *, writable: bool) -> None:
        self._where, self._limits, self._writable = f"The shell of {access.address}", limits, writable
        self._channel: paramiko.Channel = open_shell(access, username, password, limits)
        self.host_key = fingerprint_of(self._channel.get_transport().get_remote_server_key())
        self._in_step = False
        try:
            self._hear_out()
            self.system = shell_text.status(self._exchange(_GREETING))
        except _Asked as error:
            self.close()
            raise AccessError(f"{self._where} is not open to {username} yet: {error}.", next_step=NOT_OURS_TO_ANSWER) from error
        except _LinkLost as error:
            self.close()
            raise ObservationError(f"{self._where} did not answer `{_GREETING}`: {error}.") from error
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
            raise WriteForbidden(f"{self._where}: `{mask_and_escape(command, 60)}` was stopped: it is not a question.")
        lines = self._answer_to(command)
        if failure := shell_text.error_in(lines, command):
            raise CommandFailed(f"{self._where} answers `{mask_and_escape(command, 60)}` with: {mask_and_escape(failure)}")
        return lines

    def tell(self, command: str) -> None:
        """Send a command that changes something, once.

        Raises:
            WriteForbidden: this session may only read; nothing left this machine.
            WriteRefused: the box answered with an error.
            ObservationError: the session was broken before anything was sent.
            OutcomeUnknown: it was sent; no answer came.
        """
        shown = mask_and_escape(command.partition(":")[0], 80)
        if not self._writable:
            raise WriteForbidden(f"{self._where}: `{shown}` was stopped: this session may only read.")
        try:
            self._synchronise()
        except _LinkLost as error:
            raise ObservationError(f"{self._where} no longer answers, so `{shown}` was not sent: {error}.") from error
        try:
            lines = self._exchange(command)
        except _Asked as error:
            raise OutcomeUnknown(f"{self._where} was told `{shown}`, and did not say what became of it: {error}.") from error
        except _LinkLost as error:
            raise OutcomeUnknown(f"{self._where} was told `{shown}`, and its answer was lost: {error}.") from error
        if failure := shell_text.error_in(lines, command):
            raise WriteRefused(f"{self._where} refuses `{shown}`: {mask_and_escape(failure)}")

    def _answer_to(self, question: str) -> list[str]:
        try:
            return self._exchange(question)
        except _LinkLost as error:
            raise ObservationError(f"{self._where} did not answer `{mask_and_escape(question, 60)}`: {error}.") from error

    def _synchronise(self) -> None:
        """Make sure that nothing of an earlier answer, or of a banner, is still under way."""
        if not self._in_step:
            self._exchange(_GREETING)

    def _hear_out(self) -> None:
        """Read what a fresh shell prints until it is silent."""
        printed, deadline = Answer("", self._limits, greeting=True), time.monotonic() + self._limits.shell_answer_s
        quiet_s = self._limits.shell_silence_s
        while chunk := self._receive(deadline, quiet_s):
            self._take(printed, chunk, deadline)
            quiet_s = _QUIET_S
        if printed.question:
            self._end_with(printed.question)

    def _exchange(self, command: str) -> list[str]:
        greeting = command == _GREETING
        if not greeting:
            self._synchronise()
        self._in_step = False
        answer, deadline = Answer(command, self._limits, greeting=greeting), time.monotonic() + self._limits.shell_answer_s
        self._send(command + "\n", deadline)
        while not answer.complete:
            chunk = self._receive(deadline, _QUIET_S if answer.ends_if_quiet else self._limits.shell_silence_s)
            if chunk:
                self._take(answer, chunk, deadline)
            elif answer.ends_if_quiet:
                break
            elif answer.question:
                self._end_with(answer.question)
            elif time.monotonic() >= deadline:
                # It may wait for an answer in a form that we do not know, so nothing more is typed here.
                self.close()
                raise _LinkLost(f"no OK and no error within {self._limits.shell_answer_s:g} s")
        self._in_step = answer.complete
        return answer.all_lines()

    def _take(self, answer: Answer, chunk: bytes, deadline: float) -> None:
        try:
            answer.take(chunk)
        except TooMuch as error:
            # What is still under way would be taken for the next answer.
            self.close()
            raise _LinkLost(str(error)) from error
        if answer.waits_for_a_key:
            self._send(" ", deadline)

    def _end_with(self, question: str) -> NoReturn:
        self.close()
        raise _Asked(f"it asks `{mask_and_escape(question)}`, which was not answered, and the session was ended")

    def _send(self, text: str, deadline: float) -> None:
        left = text.encode()
        try:
            while left:
                self._channel.settimeout(max(deadline - time.monotonic(), _AT_LEAST_S))
                sent = self._channel.send(left)
                if not sent:
                    raise _LinkLost("the session was closed")
                left = left[sent:]
        except _LinkLost:
            raise
        except Exception as error:  # paramiko raises here whatever its own thread ended with
            raise _LinkLost(reason_of(error)) from error

    def _receive(self, deadline: float, quiet_s: float) -> bytes:
        """The next bytes; none when the line is quiet for `quiet_s`, and after the deadline."""
        left = deadline - time.monotonic()
        if left <= 0:
            return b""
        try:
            self._channel.settimeout(max(min(quiet_s, left), _AT_LEAST_S))
            chunk = self._channel.recv(65536)
        except TimeoutError:
            return b""
        except Exception as error:  # as in _send
            raise _LinkLost(reason_of(error)) from error
        if not chunk:
            raise _LinkLost("the session was closed")
        return chunk
