"""The shell's output, read."""

from __future__ import annotations

import pytest

from remediate.connectors.expressway.shell_text import (
    find_error,
    format_setting,
    is_pager_prompt,
    is_read_only,
    parse_leaves,
    parse_status,
    strip_pager,
    strip_terminal_codes,
)
from remediate.model.errors import WriteRefused


def test_leaves_are_read_whatever_the_case_and_the_spaces() -> None:
    printed = b'*C XCONFIGURATION Ciphers  ReverseProxyTLSCiphers Value: "EECDH:!aNULL"\r\n\r\nOK\r\n'

    lines = strip_terminal_codes(printed).split("\n")

    assert parse_leaves(lines) == {"Ciphers ReverseProxyTLSCiphers Value": "EECDH:!aNULL"}


def test_stored_secrets_are_masked() -> None:
    assert parse_leaves(['*c xConfiguration SNMP Password: "{cipher}c2VjcmV0"']) == {"SNMP Password": "***"}


def test_a_status_block_is_read_by_its_indentation() -> None:
    block = ["*s SystemUnit: /", '  Product: "TANDBERG VCS"', "  Software: /", '    Version: "X14.2.1"', "*s/end"]

    assert parse_status(block) == {"SystemUnit/Product": "TANDBERG VCS", "SystemUnit/Software/Version": "X14.2.1"}


def test_escape_sequences_and_pagers_leave_no_trace() -> None:
    printed = b'\x1b[1m*c xConfiguration A B:\x1b[0m "1"\r\n--More--\x1b[K*c xConfiguration A C: "2"\r\nOK\r\n'

    lines = map(strip_pager, strip_terminal_codes(printed).split("\n"))

    assert parse_leaves(lines) == {"A B": "1", "A C": "2"}
    assert is_pager_prompt("*c x\n--More--")
    assert not is_pager_prompt("--More--\nOK")


def test_an_error_is_neither_an_echo_nor_a_value_nor_a_status() -> None:
    lines = ["admin$ xConfiguration Error Mode", '*c xConfiguration Error Mode: "Failed"', "*s X: /", '  Error: "1"', "*s/end"]

    assert find_error(lines, "xConfiguration Error Mode") is None
    assert find_error([*lines, "ERROR: Invalid path."], "xConfiguration Error Mode") == "ERROR: Invalid path."


@pytest.mark.parametrize("command", ["xStatus SystemUnit", "xconfiguration Ciphers", "?", "xCommand ?", "xConfiguration"])
def test_questions_only_read(command: str) -> None:
    assert is_read_only(command)


@pytest.mark.parametrize(
    "command",
    ["xConfiguration A: 1", "xCommand Restart", "xCommand Restart ?", "xStatus\nxCommand Boot", "xStatus X\rboot", "", "boot"],
)
def test_all_else_may_write(command: str) -> None:
    assert not is_read_only(command)


def test_values_are_quoted_and_bounded() -> None:
    assert format_setting("Ciphers X Value", "A:!B:+C@SECLEVEL=1") == 'xConfiguration Ciphers X Value: "A:!B:+C@SECLEVEL=1"'
    assert format_setting("A", "On", quoted=False) == "xConfiguration A: On"


@pytest.mark.parametrize("value", ['a"b', "a\nxCommand Boot", "a\rb", "a\0", "x" * 2049, "ä"])
def test_a_value_that_the_shell_could_misread_is_never_sent(value: str) -> None:
    with pytest.raises(WriteRefused, match="not sent"):
        format_setting("Ciphers X Value", value)
