"""Connection errors in words, and addresses in what systems say."""

from __future__ import annotations

import socket
import ssl

import pytest

from remediate.connectors.text import describe_failure, parse_address
from remediate.model.secret import Secret


def fail_to_connect() -> OSError:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError) as refused:  # noqa: PT011 - the kind of it is what is described
        socket.create_connection(("127.0.0.1", port), 5).close()
    return refused.value


def wrap(error: BaseException) -> Exception:
    """Return an error of a library that has `error` among its arguments."""
    return RuntimeError("Max retries exceeded", error)


def test_a_failure_is_described_by_what_it_wraps() -> None:
    refused = fail_to_connect()

    assert describe_failure(refused) == describe_failure(wrap(wrap(refused))) == "connection refused"
    assert describe_failure(wrap(TimeoutError())) == "no answer in time"
    assert describe_failure(socket.gaierror(-2, "unknown")) == "its name does not resolve"
    assert describe_failure(ConnectionResetError()) == "the connection was closed or reset"
    assert describe_failure(OSError(113, "No route to host")) == "No route to host"
    assert describe_failure(ValueError("\x1b[2J")) == "“ValueError: \\x1b[2J”"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no TLS version in common"),
        ("WRONG_VERSION_NUMBER", "does not speak TLS"),
        ("X", "“x”"),
    ],
)
def test_a_failed_handshake_is_described_in_words(reason: str, words: str) -> None:
    error = ssl.SSLError(1, "x")
    error.reason = reason

    assert words in describe_failure(error)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" cucm.test\n", "cucm.test"),
        ("2001:db8::1", "2001:db8::1"),
        ("a b", None),
        ("", None),
        ("<a>", None),
        ("a" * 300, None),
    ],
)
def test_an_address_is_a_host_name_or_an_ip_address(text: str, address: str | None) -> None:
    assert parse_address(text) == address


def test_a_repeated_secret_is_no_address() -> None:
    assert parse_address(Secret("canary-1618").reveal()) is None
