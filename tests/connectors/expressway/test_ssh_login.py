"""The shell answers a prompt for the password, once, and nothing else: at the login, behind it, and after a command."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import paramiko
import pytest
from paramiko.common import AUTH_FAILED
from paramiko.server import InteractiveQuery

from remediate.connectors.expressway.shell import Shell
from remediate.connectors.expressway.ssh_login import asks_for_password
from remediate.lab import Lab
from remediate.model.access import HostKeyTrust, PeerAccess
from remediate.model.errors import AccessError, LoginRefused, ObservationError, OutcomeUnknown, RemediateError
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from tests.connectors.servers import ScriptedShell, ssh_talk, tcp_server, typed_lines
from tests.connectors.support import QUICK, Opener

PASSWORD = Secret("pass-word")
STATUS = '*s SystemUnit: /\r\n  Software: /\r\n    Version: "X14.2.1"\r\n*s/end\r\n\r\nOK\r\n'


@pytest.mark.parametrize(
    "prompt",
    [
        "Password: ",
        "password:",
        "Password",
        "admin@expc1.example.test's password: ",
        "(admin@new-expc1.example.test) Password: ",
        "Password for admin: ",
        "Password for admin@duo.example.test:",
        "LDAP Password >",
        "Enter your password:",
        "Passwort: ",
        "Kennwort für admin:",
        "Mot de passe : ",
        "Contraseña:",
        "パスワード:",
    ],
)
def test_a_prompt_for_the_password_is_one(prompt: str) -> None:
    assert asks_for_password(prompt, echo=False)
    assert not asks_for_password(prompt, echo=True)


@pytest.mark.parametrize(
    "prompt",
    [
        "New password: ",
        "Enter new UNIX password:",
        "Retype new password: ",
        "Re-enter password:",
        "Password again:",
        "Confirm password:",
        "(current) UNIX password: ",
        "Old password:",
        "Neues Passwort:",
        "Nouveau mot de passe :",
        "Passcode or option (1-2): ",
        "Passcode: ",
        "Verification code: ",
        "One-time password (OATH) for `admin': ",
        "One-time password: ",
        "OTP password:",
        "Second Password:",
        "Einmal-Passwort:",
        "Einmalpasswort:",
        "Duo password:",
        "Password or token:",
        "Password + token code: ",
        "Password and PIN:",
        "Your password has expired. Change it now? (y/n) ",
        "Your password has expired.\nPassword: ",
        "Are you sure you want to continue? (yes/no) ",
        "1) Password\n2) Token\nSelect: ",
        "Username: ",
        "",
        " ",
        "Password: Password: ",
        "Password:" + " " * 10_000,
        "x" * 10_000 + "password:",
    ],
)
def test_every_other_prompt_is_none(prompt: str) -> None:
    assert not asks_for_password(prompt, echo=False)


def count_passwords(lab: Lab) -> tuple[int, int]:
    """How often the lab's peers got a right password, and how many other answers."""
    answers = [request for request in lab.requests if request.transport == "ssh" and request.method in ("login", "answer")]
    right = sum(answer.authorised for answer in answers)
    return right, len(answers) - right


def test_the_password_goes_to_a_prompt_that_asks_for_it(lab: Lab, open_peer: Opener) -> None:
    lab.faults.ask_at_login(lab.peers[0].address, ("Password: ",), ())

    with open_peer() as peer:
        peer.log_in()
        assert peer.version() == "X14.2.1"

    assert count_passwords(lab) == (1, 0)


@pytest.mark.parametrize(
    ("requests", "quoted", "right"),
    [
        ([("Password: ",), ("Passcode or option (1-2): ",)], "Passcode or option (1-2):", 1),
        ([("Password: ",), ("Verification code: ",)], "Verification code:", 1),
        ([("Password: ",), ("New password: ",)], "New password:", 1),
        ([("Password: ",), ("New password: ", "Retype new password: ")], "New password: Retype new password:", 1),
        ([("Password: ", "Passcode: ")], "Password: Passcode:", 0),
        ([("Password: ", "Password: ")], "Password: Password:", 0),
        ([("Password: ",), ("Change it now? (y/n) ",)], "Change it now? (y/n)", 1),
        ([("1. Push\n2. Phone\x1b[2J\u202e\nOption: ",)], "1. Push 2. Phone\\x1b[2J\\u202e Option:", 0),
        ([("x" * 5000 + ": ",)], "x" * 199 + "…", 0),
    ],
    ids=["passcode", "code", "new", "new twice", "both", "twice", "question", "menu", "long"],
)
def test_what_else_is_asked_is_quoted_and_ends_the_login(
    requests: list[tuple[str, ...]], quoted: str, right: int, lab: Lab, open_peer: Opener
) -> None:
    lab.faults.ask_at_login(lab.peers[0].address, *requests)

    with open_peer() as peer, pytest.raises(AccessError, match="for more than the password") as caught:
        peer.log_in()

    assert f"`{quoted}`" in str(caught.value)
    assert "second factor" in caught.value.next_step
    assert "change the password first" in caught.value.next_step
    assert count_passwords(lab) == (right, 0)


def test_a_password_that_is_asked_for_again_was_refused(lab: Lab, open_peer: Opener) -> None:
    lab.faults.ask_at_login(lab.peers[0].address, ("Password: ",), ("Password: ",))

    with open_peer() as peer, pytest.raises(LoginRefused):
        peer.log_in()

    assert count_passwords(lab) == (1, 0)


class Login(ScriptedShell):
    """A server whose password login ends as `ending` says."""

    def __init__(self, ending: str) -> None:
        super().__init__(lambda _channel: None, PASSWORD.reveal())
        self.ending = ending
        self.transport: paramiko.Transport | None = None
        self.requests = 0

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey" if self.ending == "keys" else "keyboard-interactive" if self.ending == "endless" else "password"

    def check_auth_password(self, _username: str, _password: str) -> int:
        assert self.transport
        if self.ending == "change":
            message = paramiko.Message()
            message.add_byte(b"\x3c")  # SSH_MSG_USERAUTH_PASSWD_CHANGEREQ
            message.add_string("Your password has expired.\r\nNew pass\xe9word: ".encode("latin-1"))
            message.add_string("")
            self.transport._send_message(message)  # type: ignore[attr-defined]  # the stubs leave it out
        elif self.ending == "more":
            return int(paramiko.common.AUTH_PARTIALLY_SUCCESSFUL)
        elif self.ending == "hang up":
            self.transport.close()
        elif self.ending == "silence":
            time.sleep(1.5)
        return AUTH_FAILED

    def check_auth_interactive(self, _username: str, _submethods: str) -> int | InteractiveQuery:
        return InteractiveQuery("", "Wait.")

    def check_auth_interactive_response(self, _responses: list[str]) -> int | InteractiveQuery:
        self.requests += 1
        return InteractiveQuery("", "Wait.")


@contextmanager
def logging_in(server: Login) -> Iterator[PeerAccess]:
    def talk(connection: object) -> None:
        server.transport = transport = paramiko.Transport(connection)  # type: ignore[arg-type]  # a socket
        transport.add_server_key(ScriptedShell.host_key)
        try:
            transport.start_server(server=server)
            transport.join(10)
        except (paramiko.SSHException, EOFError):
            return
        finally:
            transport.close()

    with tcp_server(talk) as port:
        yield PeerAccess(Address("127.0.0.1"), ssh_port=port, ssh=HostKeyTrust(host_key=ScriptedShell.host_key.fingerprint))


@pytest.mark.parametrize(
    ("ending", "kind", "message"),
    [
        ("change", AccessError, "for more than the password: `Your password has expired. New pass\ufffdword:`"),
        ("more", AccessError, "requires more than a password from admin: "),
        ("keys", AccessError, "accepts neither a password nor keyboard-interactive"),
        ("silence", ObservationError, "did not answer the login within"),
        ("hang up", LoginRefused, "refuses the login of admin"),
        ("endless", AccessError, "`Wait.`"),
    ],
)
def test_each_ending_of_a_login_has_its_own_error(ending: str, kind: type[RemediateError], message: str) -> None:
    server = Login(ending)
    limits = replace(QUICK, connect_s=1) if ending == "silence" else QUICK
    with logging_in(server) as access, pytest.raises(kind) as caught:
        Shell(access, "admin", PASSWORD, limits, writable=False)

    assert message in str(caught.value)
    assert server.requests <= 10


Scripted = Callable[[paramiko.Channel], None]


@contextmanager
def shell_of(script: Scripted, *, limits: Limits = QUICK) -> Iterator[Callable[[], Shell]]:
    with tcp_server(ssh_talk(script, PASSWORD.reveal())) as port:
        access = PeerAccess(Address("127.0.0.1"), ssh_port=port, ssh=HostKeyTrust(host_key=ScriptedShell.host_key.fingerprint))
        yield lambda: Shell(access, "admin", PASSWORD, limits, writable=True)


QUESTIONS = [
    "You must change your password now.\r\nNew password: ",
    "Enter passcode:",
    "Are you sure? (y/n) ",
    "Accept the license [yes/no]:\r\n",
    "Do you want to go on?\r\n\r\n",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_shell_that_begins_with_a_question_gets_no_line(question: str) -> None:
    typed: list[str] = []

    def script(channel: paramiko.Channel) -> None:
        channel.sendall(question.encode())
        typed.extend(typed_lines(channel))

    with shell_of(script) as open_shell, pytest.raises(AccessError, match="which was not answered") as caught:
        open_shell()

    assert question.strip().rpartition("\n")[2] in str(caught.value)
    assert "change the password first" in caught.value.next_step
    assert typed == []


def test_a_question_that_comes_late_gets_no_second_line() -> None:
    typed: list[str] = []

    def script(channel: paramiko.Channel) -> None:
        for line in typed_lines(channel):
            typed.append(line)
            channel.sendall(b"\r\nRetype new password: ")

    with shell_of(script) as open_shell, pytest.raises(AccessError, match="`Retype new password:`"):
        open_shell()

    assert typed == ["xStatus SystemUnit"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_after_a_command_ends_the_session(question: str) -> None:
    typed: list[str] = []

    def script(channel: paramiko.Channel) -> None:
        for line in typed_lines(channel):
            typed.append(line)
            channel.sendall((STATUS if line == "xStatus SystemUnit" else f"{line}\r\n{question}").encode())

    with shell_of(script) as open_shell:
        with open_shell() as shell:
            with pytest.raises(OutcomeUnknown, match="which was not answered") as caught:
                shell.execute("xCommand Restart")
            assert question.strip().rpartition("\n")[2] in str(caught.value)
            with pytest.raises(ObservationError, match="was not sent"):
                shell.execute("xCommand Restart")
        with open_shell() as shell:
            with pytest.raises(ObservationError, match="which was not answered"):
                shell.query("xConfiguration Ciphers")
            with pytest.raises(ObservationError):
                shell.query("xConfiguration Ciphers")

    assert typed == ["xStatus SystemUnit", "xCommand Restart", "xStatus SystemUnit", "xConfiguration Ciphers"]


def test_the_lab_asks_in_its_shell_too(lab: Lab, open_peer: Opener) -> None:
    lab.faults.ask_in_shell(lab.peers[0].address, "Are you sure? (y/n) ", containing="VerifyOriginServer: ")

    with open_peer(writable=True) as peer, pytest.raises(OutcomeUnknown, match=r"`Are you sure\? \(y/n\)`"):
        peer.set_verify_origin_server(False)

    assert lab.peers[0].verify_origin_server
    assert [request for request in lab.requests if request.method == "answer"] == []


def test_a_line_that_pauses_is_no_question() -> None:
    def script(channel: paramiko.Channel) -> None:
        for line in typed_lines(channel):
            if line == "xStatus SystemUnit":
                channel.sendall(STATUS.encode())
                continue
            channel.sendall(b"*c xConfiguration A:")
            time.sleep(QUICK.shell_silence_s + 0.3)
            channel.sendall(b' "1"\r\nOK\r\n')

    with shell_of(script) as open_shell, open_shell() as shell:
        assert shell.query("xConfiguration A")[0] == '*c xConfiguration A: "1"'


@pytest.mark.parametrize(("piece", "pause_s"), [(b"x" * 1000 + b"\r\n", 0.0), (b"x" * 1000, 0.0), (b"x\r\n", 0.05)])
def test_a_flood_and_a_drip_both_end(piece: bytes, pause_s: float) -> None:
    stop = threading.Event()

    def script(channel: paramiko.Channel) -> None:
        for line in typed_lines(channel):
            if line == "xStatus SystemUnit":
                channel.sendall(STATUS.encode())
                continue
            while not stop.wait(pause_s):
                channel.sendall(piece)

    limits = replace(QUICK, shell_answer_bytes=200_000, shell_answer_s=1.0)
    with shell_of(script, limits=limits) as open_shell, open_shell() as shell:
        began = time.monotonic()
        with pytest.raises(ObservationError, match=r"larger than|longer than|no OK and no error"):
            shell.query("xConfiguration A")
        assert time.monotonic() - began < 20
        stop.set()


def test_a_server_that_opens_no_terminal_is_not_waited_for() -> None:
    stop = threading.Event()

    class NoTerminal(Login):
        def get_allowed_auths(self, _username: str) -> str:
            return "password"

        def check_auth_password(self, _username: str, _password: str) -> int:
            return int(paramiko.common.AUTH_SUCCESSFUL)

        def check_channel_pty_request(self, _channel: paramiko.Channel, *_more: object) -> bool:
            stop.wait(40)
            return False

    with logging_in(NoTerminal("")) as access:
        began = time.monotonic()
        with pytest.raises(ObservationError, match="could not be opened"):
            Shell(access, "admin", PASSWORD, replace(QUICK, connect_s=0.5), writable=False)
        assert time.monotonic() - began < 20
        stop.set()
