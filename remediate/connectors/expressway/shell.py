"""The command shell of one peer: one line out, one answer in.

There is no prompt to wait for, and a banner may hold anything, even a line ``OK``. So the first command is ``xStatus SystemUnit``,
whose answer cannot be mistaken; from then on each answer ends with a line ``OK`` or an error.

Whatever is typed would answer any question that the peer asks. So nothing is typed before a fresh shell is silent, and where it asks a
question (a new password, ``Are you sure? (y/n)``) the question is quoted and the session ends.
"""

from __future__ import annotations

import time
from typing import NoReturn

from remediate.connectors.expressway import shell_text
from remediate.connectors.expressway.shell_text import AnswerTooLarge, ShellAnswer
from remediate.connectors.expressway.ssh import SessionLost, ShellSession, open_shell
from remediate.connectors.expressway.ssh_login import INTERACTIVE_LOGIN_ADVICE
from remediate.model.access import PeerAccess
from remediate.model.errors import AccessError, ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape, quote

_GREETING = "xStatus SystemUnit"


class CommandFailed(ObservationError):
    """The peer answered a command with an error: often its way to indicate that it has no such leaf."""


class _QuestionAsked(SessionLost):
    """The peer asked a question that this tool must not answer. The session was ended."""


class Shell(ShellSession):
    """One peer's shell, logged in.

    Args:
        access: Address, port and host key of the peer.
        username: Of the administrator.
        password: Of the administrator.
        limits: On time and size.
        writable: Without it, anything but a query raises WriteForbidden before a byte is sent.

    Attributes:
        host_key: The peer's host key, as ``SHA256:BASE64``.
        system: The leaves of ``xStatus SystemUnit``.

    Raises:
        AccessError: The shell asks a question of its own, or as `open_shell`.
        ObservationError: No shell answers after the login, or as `open_shell`.
        PinMismatch, LoginRefused: As `open_shell`.
    """

    def __init__(self, access: PeerAccess, username: str, password: Secret, limits: Limits, *, writable: bool) -> None:
        self._where, self._limits, self._writable = f"The shell of {access.address}", limits, writable
        super().__init__(open_shell(access, username, password, limits))
        self.host_key = self._channel.get_transport().get_remote_server_key().fingerprint
        self._is_synchronised = False
        try:
            self._read_banner()
            self.system = shell_text.parse_status(self._exchange(_GREETING))
        except _QuestionAsked as error:
            self.close()
            raise AccessError(
                f"{self._where} does not accept commands from {username} yet: {error}.", next_step=INTERACTIVE_LOGIN_ADVICE
            ) from error
        except SessionLost as error:
            self.close()
            raise ObservationError(f"{self._where} did not answer `{_GREETING}`: {error}.") from error
        except BaseException:
            self.close()
            raise

    def query(self, command: str) -> list[str]:
        """Return the lines of the answer to a command that only reads.

        Raises:
            CommandFailed: The peer answered with an error.
            ObservationError: It did not answer.
        """
        if not shell_text.is_read_only(command):
            raise WriteForbidden(f"{self._where}: `{mask_and_escape(command, 60)}` was blocked: it does not only read.")
        lines = self._exchange_query(command)
        if failure := shell_text.find_error(lines, command):
            raise CommandFailed(f"{self._where} answers `{mask_and_escape(command, 60)}` with: {quote(failure)}")
        return lines

    def execute(self, command: str) -> None:
        """Send a command that changes something, once.

        Raises:
            WriteForbidden: This session may only read; nothing was sent.
            WriteRefused: The peer answered with an error.
            ObservationError: The session broke before anything was sent.
            OutcomeUnknown: The command was sent, and there was no answer.
        """
        command_name = mask_and_escape(command.partition(":")[0], 80)
        if not self._writable:
            raise WriteForbidden(f"{self._where}: `{command_name}` was blocked: this session is read-only.")
        try:
            self._synchronise()
        except SessionLost as error:
            raise ObservationError(f"{self._where} no longer answers, so `{command_name}` was not sent: {error}.") from error
        try:
            lines = self._exchange(command)
        except _QuestionAsked as error:
            raise OutcomeUnknown(
                f"{self._where} received `{command_name}` and asked a question instead of confirming it: {error}."
            ) from error
        except SessionLost as error:
            raise OutcomeUnknown(f"{self._where} was sent `{command_name}`, but its answer was lost: {error}.") from error
        if failure := shell_text.find_error(lines, command):
            raise WriteRefused(f"{self._where} refuses `{command_name}`: {quote(failure)}")

    def _exchange_query(self, command: str) -> list[str]:
        try:
            return self._exchange(command)
        except SessionLost as error:
            raise ObservationError(f"{self._where} did not answer `{mask_and_escape(command, 60)}`: {error}.") from error

    def _synchronise(self) -> None:
        """Make sure that nothing of an earlier answer, or of a banner, is still to come."""
        if not self._is_synchronised:
            self._exchange(_GREETING)

    def _read_banner(self) -> None:
        """Read what a fresh shell prints until it is silent."""
        banner, deadline = ShellAnswer("", self._limits, greeting=True), time.monotonic() + self._limits.shell_answer_s
        quiet_s = self._limits.shell_silence_s
        while chunk := self._receive_until(deadline, quiet_s):
            self._feed(banner, chunk, deadline)
            quiet_s = self._limits.shell_quiet_s
        if banner.question:
            self._end_at_question(banner.question)

    def _exchange(self, command: str) -> list[str]:
        greeting = command == _GREETING
        if not greeting:
            self._synchronise()
        self._is_synchronised = False
        answer, deadline = ShellAnswer(command, self._limits, greeting=greeting), time.monotonic() + self._limits.shell_answer_s
        self._send(command + "\n", deadline)
        while not answer.complete:
            limits = self._limits
            chunk = self._receive_until(
                deadline, limits.shell_quiet_s if answer.is_complete_if_quiet else limits.shell_silence_s
            )
            if chunk:
                self._feed(answer, chunk, deadline)
            elif answer.is_complete_if_quiet:
                break
            elif answer.question:
                self._end_at_question(answer.question)
            elif time.monotonic() >= deadline:
                # It may ask in a form that is not recognised, so nothing more is typed.
                self.close()
                raise SessionLost(f"no OK and no error within {self._limits.shell_answer_s:g} s")
        self._is_synchronised = answer.complete
        return answer.all_lines()

    def _feed(self, answer: ShellAnswer, chunk: bytes, deadline: float) -> None:
        try:
            answer.feed(chunk)
        except AnswerTooLarge as error:
            # The remainder would be taken for the next answer.
            self.close()
            raise SessionLost(str(error)) from error
        if answer.awaits_key:
            self._send(" ", deadline)

    def _end_at_question(self, question: str) -> NoReturn:
        self.close()
        raise _QuestionAsked(f"it asks `{mask_and_escape(question)}`, which was not answered, and the session was ended")

    def _receive_until(self, deadline: float, quiet_s: float) -> bytes:
        """Return the next bytes; none when the line is silent for `quiet_s`, and after the deadline."""
        remaining_s = deadline - time.monotonic()
        return self._receive(min(quiet_s, remaining_s)) if remaining_s > 0 else b""
