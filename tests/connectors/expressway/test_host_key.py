"""known_hosts as OpenSSH writes it: what a line means, and that what is not understood accepts nobody."""

from __future__ import annotations

import base64

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.connectors.expressway.host_key import find_known_keys
from tests.timing import assert_done_within

KEY, OTHER = paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)
HOST = "expc1.example.test"


def entry(hosts: str, key: paramiko.PKey = KEY, marker: str = "", comment: str = "") -> bytes:
    return f"{marker} {hosts} {key.get_name()} {key.get_base64()} {comment}\n".lstrip().encode()


def accepted(content: bytes, host: str = HOST, port: int = 22) -> bool:
    keys = find_known_keys(content, host, port)
    return KEY.fingerprint in keys.accepted - keys.revoked


SALT = base64.b64encode(bytes(range(20))).decode()
"""A fixed salt: the names of the tests hold what they try, and must be the same in every process."""


def hash_host(name: str) -> str:
    """`name` as OpenSSH hashes it (sshd(8), *SSH_KNOWN_HOSTS FILE FORMAT*)."""
    return paramiko.HostKeys.hash_host(name, f"|1|{SALT}|")


@pytest.mark.parametrize(
    "hosts",
    [
        HOST,
        "EXPC1.Example.Test",
        f"other.test,{HOST},192.0.2.1",
        "*.example.test",
        "expc?.example.test",
        "*",
        "e*1*test",
        hash_host(HOST),
        f"!expe.example.test,{HOST}",
    ],
)
def test_a_host_is_known_by_its_name_a_pattern_or_a_hash(hosts: str) -> None:
    assert accepted(entry(hosts))
    assert accepted(b"# a comment\n\n \t\n" + entry(hosts, comment="somebody on some machine").replace(b" ", b" \t "))
    assert accepted(entry(hosts).replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    "hosts",
    [
        "expc1",
        "example.test",
        "?.example.test",
        "*.example.test.evil",
        f"{HOST}.evil",
        f"*.example.test,!{HOST}",
        f"!*,{HOST}",
        f"[{HOST}]:2222",
        f"[{HOST}]:22",
        hash_host("expc2.example.test"),
        "!" + hash_host(HOST),
        "|1|AAAA|" + "A" * 27 + "=",
        "|1|not base64|at all",
        "|2|" + hash_host(HOST)[3:],
        hash_host(HOST) + ",more",
    ],
)
def test_another_name_is_not_this_host(hosts: str) -> None:
    assert not accepted(entry(hosts))


@pytest.mark.parametrize("hosts", [f"[{HOST}]:2222", "[*.example.test]:2222", hash_host(f"[{HOST}]:2222")])
def test_another_port_is_another_name(hosts: str) -> None:
    assert accepted(entry(hosts), port=2222)
    assert not accepted(entry(hosts), port=2223)
    assert not accepted(entry(hosts))
    assert not accepted(entry(HOST), port=2222)


@pytest.mark.parametrize("hosts", [HOST, "*", hash_host(HOST), f"[{HOST}]:2222"])
def test_a_revoked_key_is_never_accepted(hosts: str) -> None:
    revoked = entry(hosts, marker="@revoked")
    for content in (revoked + entry(f"[{HOST}]:2222"), entry(f"[{HOST}]:2222") + revoked):
        assert not accepted(content, port=2222)
        assert find_known_keys(content, HOST, 2222).revoked == {KEY.fingerprint}


def test_a_key_revoked_for_another_host_changes_nothing() -> None:
    assert accepted(entry(HOST) + entry("expc2.example.test", marker="@revoked") + entry(HOST, OTHER, marker="@revoked"))


@pytest.mark.parametrize(
    "line",
    [
        entry("*", marker="@cert-authority"),
        entry("*", marker="@new-in-a-later-version"),
        entry(HOST, marker="@Revoked"),
        b"\xe9\xff\x00 not UTF-8\n",
        b"@revoked\n",
        b"@cert-authority *\n",
        HOST.encode() + b" ssh-rsa\n",
        HOST.encode() + b" ssh-rsa !!!!\n",
        HOST.encode() + b" 1024 35 12345\n",
        HOST.encode() + f" ssh-rsa {KEY.get_base64()}\n".encode(),
        f"{HOST} {KEY.get_name()} {KEY.get_base64()[:-3]}\n".encode(),
    ],
)
def test_a_line_that_is_not_understood_is_passed_over(line: bytes) -> None:
    assert find_known_keys(line, HOST, 22) == find_known_keys(b"", HOST, 22)
    assert accepted(line + entry(HOST))
    assert accepted(entry(HOST) + line)


@given(st.lists(st.sampled_from([b"@revoked", b"*", b"|1|", HOST.encode(), b" ", b"\n", b"ssh-rsa", b"\xff", b"!", b","])))
def test_no_file_is_an_error_and_none_accepts_without_the_key(pieces: list[bytes]) -> None:
    assert not find_known_keys(b"".join(pieces), HOST, 22).accepted


def test_stars_do_not_multiply_the_time() -> None:
    assert not accepted(entry("*a" * 500 + "b"), host="a" * 253)
    assert_done_within(2, lambda: accepted(entry("*a" * 500 + "b"), host="a" * 253))
