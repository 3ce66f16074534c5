"""The platform shell of one Unified CM or IM and Presence node over SSH: its certificates, and the uploads where REST has none.

The host key is checked before the one login. A question of the shell is answered with a certificate alone, where it asks for one;
any other is quoted and ends the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from remediate.connectors.expressway.shell_text import strip_terminal_codes
from remediate.connectors.expressway.ssh import SessionLost, ShellSession, open_shell
from remediate.connectors.unified_cm import platform_text
from remediate.connectors.unified_cm.platform_text import CertificateFile
from remediate.model.access import HostKeyTrust, PeerAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import NotOffered, ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape, quote

_PROMPT_QUIET_S = 0.05
"""How long a shell is silent after its prompt, in whose place a slow one might be printing a line that begins like it."""


Kind = Literal["own", "trust"]
"""The certificates of the node's services themselves, or what they trust."""


@dataclass(frozen=True, slots=True)
class ShellAccess:
    """Where the platform shell of one node is, and what it is recognised by.

    Attributes:
        node: The connection address of the node, for messages.
        host: The host to connect to.
        guarded: A source other than the inventory named `host`.
    """

    node: Address
    host: str
    port: int = 22
    ssh: HostKeyTrust = HostKeyTrust()
    guarded: bool = False


class PlatformShell(ShellSession):
    """The shell of one node, logged in.

    Raises:
        AccessError, LoginRefused, PinMismatch, ObservationError: As `open_shell`, or no prompt follows the login.
    """

    def __init__(self, access: ShellAccess, username: str, password: Secret, limits: Limits, *, writable: bool) -> None:
        self._where, self._limits, self._writable = f"The platform shell of {access.node}", limits, writable
        host = PeerAccess(Address(access.host), ssh_port=access.port, ssh=access.ssh)
        super().__init__(open_shell(host, username, password, limits, guarded=access.guarded))
        try:
            self._read_until(platform_text.is_at_prompt)
            self._run("set cli pagination off")
        except SessionLost as error:
            self.close()
            raise ObservationError(f"{self._where} shows no prompt: {error}.") from error
        except BaseException:
            self.close()
            raise

    def list_files(self, kind: Kind) -> tuple[CertificateFile, ...]:
        """Return the files of the node's own certificates, or of those that its services trust. Raises ObservationError."""
        return tuple(platform_text.parse_files(self._query(f"show cert list {kind}").splitlines()))

    def show(self, kind: Kind, file: CertificateFile) -> str:
        """Return what the shell prints of one certificate: the releases name a file in two ways. Raises ObservationError."""
        answer = self._query(f"show cert {kind} {file.path}")
        if platform_text.find_refusal(answer) is None:
            return answer
        return self._query(f"show cert {kind} {file.unit if kind == 'own' else file.name}")

    def import_trusted(self, store: str, certificate: Certificate) -> None:
        """Paste a certificate into the trust store of a service, once.

        Raises:
            WriteForbidden, WriteRefused, NotOffered: Nothing was changed.
            OutcomeUnknown: The answer was lost.
        """
        command = f"set cert import trust {store}"
        self._refuse_unless_writable(command)
        try:
            self._type(f"{command}\n")
            request = self._read_until(lambda text: platform_text.wants_certificate(text) or platform_text.is_at_prompt(text))
        except SessionLost as error:
            self.close()
            raise ObservationError(f"{self._where} did not ask for the certificate after `{command}`: {error}.") from error
        if platform_text.is_at_prompt(request):
            self._refuse(command, platform_text.strip_answer(request, command))
        try:
            self._type(f"{certificate.pem.strip()}\n\n")
            answer = self._read_until(platform_text.is_at_prompt)
        except SessionLost as error:
            self.close()
            raise OutcomeUnknown(f"{self._where} was sent a certificate, but its answer was lost: {error}.") from error
        # The echo of the paste holds no word of ours.
        printed = answer.rpartition("-----END CERTIFICATE-----")[2]
        if refusal := platform_text.find_refusal(printed):
            raise WriteRefused(f"{self._where} refuses `{command}`: {quote(refusal, 200)}")

    def delete_trusted(self, file: CertificateFile) -> None:
        """Delete one file from the trust store that it is in, once for each form of the command that is refused.

        The form with the name of the store comes first: it cannot mean the service's own certificate.

        Raises:
            WriteForbidden, WriteRefused, NotOffered: Nothing was changed.
            OutcomeUnknown: The answer was lost.
        """
        refusal: WriteRefused | NotOffered | None = None
        for unit in (file.unit, file.service):
            command = f"set cert delete {unit} {file.name}"
            self._refuse_unless_writable(command)
            try:
                answer = self._run(command)
            except SessionLost as error:
                self.close()
                raise OutcomeUnknown(f"{self._where} was sent `{command}`, but its answer was lost: {error}.") from error
            try:
                self._refuse(command, answer, only_if_refused=True)
            except (WriteRefused, NotOffered) as error:
                refusal = error
                continue
            return
        if refusal:
            raise refusal

    def _type(self, text: str) -> None:
        self._send(text, time.monotonic() + self._limits.shell_answer_s)

    def _query(self, command: str) -> str:
        try:
            return self._run(command)
        except SessionLost as error:
            self.close()
            raise ObservationError(f"{self._where} did not answer `{command}`: {error}.") from error

    def _run(self, command: str) -> str:
        self._type(f"{command}\n")
        return platform_text.strip_answer(self._read_until(platform_text.is_at_prompt), command)

    def _refuse_unless_writable(self, command: str) -> None:
        if not self._writable:
            raise WriteForbidden(f"{self._where}: `{command}` was blocked: this session is read-only.")

    def _refuse(self, command: str, answer: str, *, only_if_refused: bool = False) -> None:
        """Raise the refusal of `command` in `answer`; unless `only_if_refused`, also for an empty answer."""
        if platform_text.is_unknown_command(answer):
            raise NotOffered(f"{self._where} has no `{command}`.")
        refusal = platform_text.find_refusal(answer)
        if refusal or not only_if_refused:
            raise WriteRefused(f"{self._where} refuses `{command}`: {quote(refusal or answer.strip(), 200)}")

    def _read_until(self, is_complete: Callable[[str], bool]) -> str:
        """Return what is printed until `is_complete` holds and the shell is quiet.

        Raises:
            SessionLost: It asks a question, is silent for too long, prints too much, or the connection broke.
        """
        printed, deadline = b"", time.monotonic() + self._limits.shell_answer_s
        while True:
            text = strip_terminal_codes(printed)
            chunk = self._receive(_PROMPT_QUIET_S if is_complete(text) else self._limits.shell_silence_s)
            if not chunk and is_complete(text):
                return text
            printed += chunk
            if len(printed) > self._limits.shell_answer_bytes:
                raise SessionLost(f"more than {self._limits.shell_answer_bytes} bytes")
            if not chunk and platform_text.is_at_pager(text):
                self._type(" ")
                continue
            if not chunk and (question := platform_text.find_question(text)):
                raise SessionLost(f"it asks `{mask_and_escape(question, 200)}`, which was not answered")
            if time.monotonic() > deadline:
                raise SessionLost(f"no prompt within {self._limits.shell_answer_s:g} s")
