"""Fingerprints in the spellings of OpenSSL, OpenSSH and Expressway."""

from __future__ import annotations

import pytest

from remediate.model.fingerprints import read_fingerprint, read_host_key

_DIGITS = "0a" * 31 + "ff"
_PAIRS = ":".join(["0A"] * 31 + ["FF"])
_KEY = "SHA256:" + "aB3/" * 10 + "xyZ"


@pytest.mark.parametrize(
    "text",
    [
        f"sha256:{_DIGITS}",
        f"SHA256:{_DIGITS.upper()}",
        f"sha256:{_PAIRS}",
        f"sha256 Fingerprint={_PAIRS}",
        f"SHA256 Fingerprint={_PAIRS}",
        f"SHA-256 Fingerprint={_PAIRS}",
        f"SHA-256: {_PAIRS}",
        f"SHA2-256(server.der)= {_DIGITS}",
        f"SHA256(server.der)= {_DIGITS}",
        _PAIRS,
        _PAIRS.lower(),
        _PAIRS.replace(":", " "),
        _DIGITS,
        f"  sha256:{_DIGITS}\n",
    ],
)
def test_a_certificate(text: str) -> None:
    assert read_fingerprint(text) == f"sha256:{_DIGITS}"


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:0a", f"sha1:{_DIGITS}", f"md5:{_DIGITS}", _DIGITS[:40], f"{_PAIRS}:00", "x" * 64]
)
def test_what_is_no_sha256_of_a_certificate(text: str) -> None:
    assert read_fingerprint(text) is None


@pytest.mark.parametrize(
    "text",
    [
        _KEY,
        f"{_KEY}=",
        f"256 {_KEY} root@expc1 (ED25519)",
        f"3072 {_KEY} no comment (RSA)",
        f" {_KEY}",
        f"ED25519 key fingerprint is {_KEY}.",
        f"ED25519 key fingerprint is: {_KEY}",
        f"debug1: Server host key: ssh-ed25519 {_KEY}",
    ],
)
def test_a_host_key(text: str) -> None:
    assert read_host_key(text) == _KEY


@pytest.mark.parametrize("text", ["", "MD5:00:11", "SHA256:short", f"{_KEY}AAAA", f"x {_KEY}"])
def test_what_is_no_sha256_of_a_host_key(text: str) -> None:
    assert read_host_key(text) is None
