"""The shell's dialogue, with peers that print what real ones might."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import paramiko
import pytest

from remediate.connectors.expressway.shell import CommandFailed, Shell
from remediate.connectors.expressway.shell_text import parse_leaves
from remediate.model.access import HostKeyTrust, PeerAccess
from remediate.model.errors import ObservationError, OutcomeUnknown, WriteForbidden, WriteRefused
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from tests.connectors.servers import ScriptedShell, ssh_talk, tcp_server, typed_lines
from tests.connectors.support import QUICK

PASSWORD = Secret("pass-word")


PIN = HostKeyTrust(host_key=ScriptedShell.host_key.fingerprint)


STATUS = '*s SystemUnit: /\r\n  Software: /\r\n    Version: "X14.2.1"\r\n*s/end\r\n\r\nOK\r\n'


ShellAnswer = Callable[[str], str | None]


Open = Callable[..., Shell]


@pytest.fixture
def open_shell() -> Iterator[Open]:
    """Return a function that opens a shell with this banner and these answers; None closes the connection."""
    with ExitStack() as stack:

        def start(
            answer: ShellAnswer, *, banner: str = "", writable: bool = False, trust: HostKeyTrust = PIN, limits: Limits = QUICK
        ) -> Shell:
            def script(channel: paramiko.Channel) -> None:
                channel.sendall(banner.encode())
                for line in typed_lines(channel):
                    printed = STATUS if line == "xStatus SystemUnit" else answer(line)
                    if printed is None:
                        channel.close()
                        return
                    for start in range(0, len(printed), 7):
                        channel.sendall(printed[start : start + 7].encode())

            port = stack.enter_context(tcp_server(ssh_talk(script, PASSWORD.reveal())))
            access = PeerAccess(Address("127.0.0.1"), ssh_port=port, ssh=trust)
            return stack.enter_context(Shell(access, "admin", PASSWORD, limits, writable=writable))

        yield start


def test_a_banner_with_ok_and_error_in_it_is_no_answer(open_shell: Open) -> None:
    shell = open_shell(lambda _line: '*c xConfiguration A: "1"\r\nOK\r\n', banner="Error-free login\r\nOK\r\n\r\nOK\r\n")

    assert shell.system["SystemUnit/Software/Version"] == "X14.2.1"
    assert parse_leaves(shell.query("xConfiguration A")) == {"A": "1"}


@pytest.mark.parametrize(
    "printed",
    [
        '{line}\r\n*c xConfiguration A: "1"\r\n\r\nOK\r\n',
        '\x1b[0m> {line}\r\n\x1b[1m*C XCONFIGURATION A: "1"\x1b[0m\r\nok\r\n> ',
        '*c xConfiguration A: "1"\nOK\n',
        '*c xConfiguration A: "1"\r\nOK',
    ],
)
def test_echo_colour_case_and_line_ends_do_not_matter(open_shell: Open, printed: str) -> None:
    shell = open_shell(lambda line: printed.format(line=line))

    for _ in range(2):
        assert parse_leaves(shell.query("xConfiguration A")) == {"A": "1"}


def test_a_pager_is_turned(open_shell: Open) -> None:
    pages = iter(['*c xConfiguration A B: "1"\r\n--More--', None])
    channels: list[str] = []

    def script(channel: paramiko.Channel) -> None:
        for piece in iter(lambda: channel.recv(100).decode(), ""):
            channels.append(piece)
            if piece.startswith("xStatus"):
                channel.sendall(STATUS.encode())
            elif piece == " ":
                channel.sendall(b'\r\x1b[K*c xConfiguration A C: "2"\r\nOK\r\n')
            else:
                channel.sendall(str(next(pages)).encode())

    with tcp_server(ssh_talk(script, PASSWORD.reveal())) as port:
        access = PeerAccess(Address("127.0.0.1"), ssh_port=port, ssh=PIN)
        with Shell(access, "admin", PASSWORD, QUICK, writable=False) as shell:
            assert parse_leaves(shell.query("xConfiguration A")) == {"A B": "1", "A C": "2"}
    assert channels[-1] == " "


def test_after_an_error_the_dialogue_is_in_step_again(open_shell: Open) -> None:
    answers = {"xConfiguration No": "ERROR: Invalid path.\r\nOK\r\n", "xConfiguration A": '*c xConfiguration A: "1"\r\nOK\r\n'}
    shell = open_shell(answers.get)

    with pytest.raises(CommandFailed, match=r"with: “ERROR: Invalid path\.”$"):
        shell.query("xConfiguration No")
    assert parse_leaves(shell.query("xConfiguration A")) == {"A": "1"}


def test_an_error_in_answer_to_a_write_is_a_refusal(open_shell: Open) -> None:
    shell = open_shell(lambda _line: "Command not recognized: \x1b]0;owned\x07\r\n", writable=True)

    with pytest.raises(WriteRefused, match=r"“Command not recognized:”$"):
        shell.execute("xConfiguration A: 1")


def test_no_ok_in_time_leaves_a_write_unknown(open_shell: Open) -> None:
    shell = open_shell(lambda _line: "hm\r\n", writable=True, limits=replace(QUICK, shell_answer_s=0.5, shell_silence_s=0.1))

    with pytest.raises(OutcomeUnknown, match="no OK and no error within"):
        shell.execute("xConfiguration A: 1")
    with pytest.raises(ObservationError, match=r"did not answer `xConfiguration A`"):
        shell.query("xConfiguration A")


def test_a_session_that_ends_after_a_write_leaves_it_unknown(open_shell: Open) -> None:
    shell = open_shell(lambda _line: None, writable=True)

    with pytest.raises(OutcomeUnknown, match="its answer was lost"):
        shell.execute("xConfiguration A: 1")
    with pytest.raises(ObservationError, match="was not sent"):
        shell.execute("xConfiguration A: 2")


def test_a_reading_shell_sends_questions_only(open_shell: Open) -> None:
    typed: list[str] = []

    def answer(line: str) -> str:
        typed.append(line)
        return "OK\r\n"

    shell = open_shell(answer)

    with pytest.raises(WriteForbidden):
        shell.execute("xConfiguration A: 1")
    with pytest.raises(WriteForbidden):
        shell.query("xCommand Boot")

    assert typed == []


def test_a_shell_that_never_answers_is_reported(open_shell: Open) -> None:
    def dumb(channel: paramiko.Channel) -> None:
        channel.sendall(b"Welcome\r\nOK\r\n")
        for _ in typed_lines(channel):
            pass

    with tcp_server(ssh_talk(dumb, PASSWORD.reveal())) as port:
        access = PeerAccess(Address("127.0.0.1"), ssh_port=port, ssh=PIN)
        with pytest.raises(ObservationError, match="did not answer `xStatus SystemUnit`"):
            Shell(access, "admin", PASSWORD, replace(QUICK, shell_answer_s=0.3), writable=False)
