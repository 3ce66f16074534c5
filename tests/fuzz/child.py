"""Reads inputs and asks everything of each: run as a process of its own, since a call into OpenSSL may end it.

`python -m tests.fuzz.child FILE` writes the number of each input to stdout before it looks at it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from remediate import Certificate, RemediateError, verify_chain
from remediate.model.certificate_file import certificates_in
from remediate.model.library import openssl
from remediate.openssl import extensions
from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.x509 import X509, Unreadable
from remediate.planner.advice.explain import find_fixes
from remediate.report.verdict import certificate_facts
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.openssl import name_hashes
from remediate.trust.openssl3 import ask_openssl_3
from remediate.trust.underlying_fault import leaf_can_pass
from tests.libraries import openssl_111
from tests.pki import NOW, issue

FACTS = [name for name, value in vars(Certificate).items() if isinstance(value, cached_property)]
FIELDS = [name for name, value in vars(X509).items() if isinstance(value, property)]
CERTIFICATE, FILE, FACTS_ONLY = b"c", b"f", b"o"
_LENGTH = 4
_MOST_OF_A_FILE = 4
_ADDRESS = "cucm.steven.lab"
_ROOT = issue("Root", ca=True)
_LEAF = issue(_ADDRESS, _ROOT, names=(_ADDRESS,)).certificate


def packed(inputs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Kind and content of each input, as a file for the child."""
    return b"".join(kind + len(content).to_bytes(_LENGTH, "big") + content for kind, content in inputs)


def unpacked(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    """What `packed` wrote."""
    at = 0
    while at < len(data):
        start = at + 1 + _LENGTH
        end = start + int.from_bytes(data[at + 1 : start], "big")
        yield data[at : at + 1], data[start:end]
        at = end


def look_at_file(content: bytes) -> None:
    """Read a file's content as commands do, and look at what is in it."""
    for keep_unreadable in (False, True):
        try:
            certificates = certificates_in(content, "FILE", keep_unreadable=keep_unreadable)
        except RemediateError:
            continue
        for certificate in certificates[:_MOST_OF_A_FILE]:
            look_at_certificate(certificate)


def look_at(kind: bytes, content: bytes) -> None:
    """Ask everything of one input. Raises what is no documented error."""
    ask = {CERTIFICATE: look_at_certificate, FACTS_ONLY: ask_every_fact, FILE: None}[kind]
    if ask is None:
        look_at_file(content)
        return
    try:
        certificate = Certificate.from_der(content)
    except RemediateError:
        return
    ask(certificate)


def ask_every_fact(certificate: Certificate) -> None:
    """Every fact and every field, by this Python's OpenSSL and by 1.1.1w."""
    for name in FACTS:
        str(getattr(certificate, name)).encode()
    for library in (openssl(), openssl_111()):
        _fields_of(library, certificate)
    certificate_facts(certificate), matching_addresses(certificate), name_matches(certificate, _ADDRESS)
    name_hashes(certificate), leaf_can_pass(certificate, NOW)
    (
        certificate.has_key_of(_LEAF),
        certificate.has_issued(_LEAF),
        _ROOT.certificate.has_issued(certificate),
        certificate.has_issued(certificate),
    )


def look_at_certificate(certificate: Certificate) -> None:
    """Every fact, and every verdict that it has a part in."""
    root = _ROOT.certificate
    ask_every_fact(certificate)
    for presented, trusted in (
        ([certificate], [certificate]),
        ([certificate, root], [root]),
        ([_LEAF, certificate, root], [certificate]),
        ([_LEAF], [root, certificate]),
    ):
        verify_chain(presented, trusted, _ADDRESS, NOW)
        ask_openssl_3(presented, trusted, NOW)
    find_fixes([certificate], [root], _ADDRESS, NOW)


def _fields_of(library: Libcrypto, certificate: Certificate) -> None:
    try:
        handle = X509(library, certificate.der)
    except Unreadable:
        return
    for name in FIELDS:
        getattr(handle, name)
    str(handle.subject), str(handle.issuer), handle.subject.common_name, len(handle.issuer)
    handle.subject.same_as(handle.issuer), handle.may_have_issued(handle), handle.has_signed(handle)
    extensions.dns_names(handle), extensions.ip_addresses(handle), extensions.is_ca(handle)
    extensions.extended_key_usages(handle)
    extensions.issuer_addresses(handle)


def main(file: Path) -> None:
    """Look at each input of `file`."""
    for number, (kind, content) in enumerate(unpacked(file.read_bytes())):
        os.write(1, f"{number}\n".encode())
        look_at(kind, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
