"""A trusted CA list as a peer sends it, parsed strictly: one that may be cut, or is no list, is never believed.

`Certificate.all_from_pem` skips what it does not understand, as OpenSSL does. Here a certificate that is not in the text counts
as absent, so the text must be able to be whole.
"""

from __future__ import annotations

import binascii
import re
import textwrap
from dataclasses import dataclass

from remediate.connectors.unexpected_answer import describe_body, is_html
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, ObservationError
from remediate.model.text import quote

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_LINE_END = re.compile(r"\r\n|\n|\r")
# OpenSSL reads certificates under both labels (pem.h: PEM_STRING_X509, PEM_STRING_X509_OLD).
_CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_REVOCATION_LIST = "X509 CRL"
"""Line of the trusted CA file where LDAP servers are checked for revocation (Expressway Administrator Guide, security)."""
_PEM_LINE = 64


@dataclass(frozen=True, slots=True)
class CertificateList:
    """A list that can be whole.

    Attributes:
        revocation_lists: The CRLs between the certificates, as PEM. Their content is not read, and one that is broken is kept too.
    """

    certificates: tuple[Certificate, ...]
    revocation_lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    """One PEM block.

    Attributes:
        number: Counts from 1.
    """

    number: int
    label: str
    body: str

    @property
    def pem(self) -> str:
        """The block as PEM, in lines that OpenSSL reads."""
        lines = textwrap.wrap("".join(self.body.split()), _PEM_LINE)
        return "\n".join([f"-----BEGIN {self.label}-----", *lines, f"-----END {self.label}-----", ""])


class _NotAWholeList(Exception):
    """The text cannot be a whole list; `str()` is the clause that explains why."""


def parse_certificate_list(text: str, source: str) -> CertificateList:
    """Return the certificates in `text`, in order; there is at least one.

    Text between the blocks is skipped, as long as it cannot be a part of a block.

    `source`: Names the list in messages: ``The trusted CA list of 192.0.2.1``.

    Raises:
        ObservationError: It cannot be a whole list of certificates.
    """
    try:
        blocks, between = _split_into_blocks(text.removeprefix("\ufeff"))
        if is_html(between):
            raise _NotAWholeList(f"it is {describe_body(text)}")
        if not blocks:
            raise _NotAWholeList(f"{describe_body(text)} came instead of PEM")
        certificates = tuple(_parse_certificate(block) for block in blocks if block.label != _REVOCATION_LIST)
    except _NotAWholeList as error:
        raise ObservationError(f"{source} cannot be read: {error}.") from error
    if not certificates:
        raise ObservationError(f"{source} cannot be read: it contains no certificate, but a peer's list always does.")
    return CertificateList(certificates, tuple(block.pem for block in blocks if block.label == _REVOCATION_LIST))


def _split_into_blocks(text: str) -> tuple[list[_Block], str]:
    """Return the blocks, and the text between them."""
    blocks: list[_Block] = []
    between: list[str] = []
    label, body = "", list[str]()
    for line in map(str.rstrip, _LINE_END.split(text)):
        if label:
            if line == f"-----END {label}-----":
                blocks.append(_Block(len(blocks) + 1, label, "".join(body)))
                label = ""
            else:
                _refuse_dashes(line, len(blocks) + 1)
                body.append(line)
        elif begin := _BEGIN.fullmatch(line):
            label, body = begin[1], []
        elif line.startswith("-") or "-----" in line:
            raise _NotAWholeList(
                f"a line of dashes that begins no block follows PEM block {len(blocks)}: the list may be truncated"
            )
        else:
            between.append(line)
    if label:
        raise _NotAWholeList(f"PEM block {len(blocks) + 1} has no matching END line, so the list is truncated")
    return blocks, "\n".join(between)


def _refuse_dashes(line: str, number: int) -> None:
    """Refuse a line inside PEM block `number` that is none of its body."""
    if "----------BEGIN" in line:
        raise _NotAWholeList(f"PEM block {number} ends on the line on which the next begins, so neither can be used")
    if line.startswith("-"):
        raise _NotAWholeList(f"PEM block {number} has no matching END line")


def _parse_certificate(block: _Block) -> Certificate:
    if block.label not in _CERTIFICATES:
        raise _NotAWholeList(f"PEM block {block.number} is a {block.label}, not a certificate")
    try:
        der = binascii.a2b_base64("".join(block.body.split()).encode("ascii"), strict_mode=True)
        return Certificate.from_der(der)
    except UnicodeEncodeError as error:
        raise _NotAWholeList(f"PEM block {block.number} is broken: it has a character that is not base64") from error
    except CertificateError as error:
        raise _NotAWholeList(f"PEM block {block.number} is broken: {str(error).rstrip('.')}") from error
    except ValueError as error:
        raise _NotAWholeList(f"PEM block {block.number} is broken: {quote(str(error))}") from error
