"""Text of the platform shell of Unified CM: lists of certificates, one certificate, what it answers to a write. No I/O.

``show cert list own|trust`` prints a line a file, ``tomcat-trust/NAME_SERIAL.pem: description``. ``show cert own|trust FILE`` prints
the fields of one certificate, up to 14SU1 as ``Issuer Name``, ``Validity From`` and ``Subject Name``, from 14SU2 on as ``IssuerDN``,
``Start Date`` and ``SubjectDN`` (Unified CM administration guide), and in most releases the PEM block after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError

PROMPT = "admin:"
PASTE_REQUEST = "paste the certificate"
_FILE = re.compile(r"(?P<unit>[A-Za-z0-9-]{1,64})/(?P<name>[A-Za-z0-9_.@+=,~()-]{1,255}\.pem)(?=\s*(:|$))")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SERIAL = re.compile(r"\bserial\s*number\s*:\s*(?:0x)?([0-9a-f: ]{1,80})$", re.IGNORECASE | re.MULTILINE)
_SUBJECT = re.compile(r"\bsubject(?: name|dn)?\s*:\s*(.{1,2000})$", re.IGNORECASE | re.MULTILINE)
_REFUSED = re.compile(
    r"unsuccessful|\berror\b|\bfail|\binvalid\b|not (?:found|valid|exist)|no valid command|could not|cannot", re.IGNORECASE
)
_UNKNOWN = re.compile(r"no valid command entered|incorrect command|unknown command", re.IGNORECASE)
_YES_OR_NO = re.compile(r"\((?:y|yes)\W{1,3}(?:n|no)\)", re.IGNORECASE)
_PAGER = re.compile(r"press <enter> for 1 line, <space> for one page, or <q> to quit\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """One file of a list: ``tomcat-trust/NAME.pem``.

    Attributes:
        unit: ``tomcat`` for what the service owns, ``tomcat-trust`` for what it trusts.
        name: The file's name, safe to be typed.
    """

    unit: str
    name: str

    @property
    def service(self) -> str:
        """The service that owns or trusts it."""
        return self.unit.removesuffix("-trust")

    @property
    def path(self) -> str:
        """How the shell names it."""
        return f"{self.unit}/{self.name}"


def parse_files(lines: Iterable[str]) -> Iterator[CertificateFile]:
    """Yield the files of a list in its order; other lines are banners and blanks."""
    for line in lines:
        if match := _FILE.match(line.strip()):
            yield CertificateFile(match["unit"], match["name"])


def parse_certificate(text: str) -> Certificate | None:
    """Return the certificate whose PEM block is printed; None where its fields alone are, or the block is no certificate."""
    blocks = _PEM.findall(text)
    if not blocks:
        return None
    try:
        [certificate] = Certificate.all_from_pem("\n".join(line.strip() for line in blocks[-1].splitlines()))
    except (CertificateError, ValueError):
        return None
    return certificate


def match_fields(text: str, candidates: Iterable[Certificate]) -> Certificate | None:
    """Return the certificate of `candidates` whose serial number and common name are printed; None where none fits, or several do.

    That identifies the certificate and vouches for nothing.
    """
    serials, subject = _parse_serials(text), _find_subject(text)
    fitting = {
        certificate
        for certificate in candidates
        if certificate.serial in serials and certificate.common_name and f"CN={certificate.common_name}" in subject
    }
    return fitting.pop() if len(fitting) == 1 else None


def may_name(text: str, certificates: Iterable[Certificate]) -> bool:
    """Return whether the printed fields may be those of another certificate with the name of one of `certificates`."""
    subject = _find_subject(text)
    return not subject or any(
        certificate.common_name and f"CN={certificate.common_name}" in subject for certificate in certificates
    )


def _find_subject(text: str) -> str:
    match = _SUBJECT.search(text)
    return match[1] if match else ""


def _parse_serials(text: str) -> frozenset[int]:
    """Return the serial number as each base reads it: the releases differ, and none documents which it prints."""
    match = _SERIAL.search(text)
    digits = re.sub(r"[: ]", "", match[1]) if match else ""
    if not digits:
        return frozenset()
    return frozenset({int(digits, 16), *([int(digits)] if digits.isdecimal() else [])})


def find_refusal(text: str) -> str | None:
    """Return the line in which the shell refuses a command; None where there is none."""
    return next((line.strip() for line in text.splitlines() if _REFUSED.search(line)), None)


def is_unknown_command(text: str) -> bool:
    """Return whether the shell has no such command."""
    return _UNKNOWN.search(text) is not None


def is_at_prompt(text: str) -> bool:
    """Return whether the shell waits for the next command."""
    return text.rpartition("\n")[2].strip() == PROMPT


def is_at_pager(text: str) -> bool:
    """Return whether a pager waits for a key."""
    return _PAGER.search(text.rpartition("\n")[2]) is not None


def wants_certificate(text: str) -> bool:
    """Return whether the shell waits for a certificate to be pasted."""
    return PASTE_REQUEST in text.casefold().rpartition("\n")[2] or (
        PASTE_REQUEST in text.casefold() and text.endswith("\n") and not is_at_prompt(text)
    )


def find_question(text: str) -> str | None:
    """Return the question that an unfinished last line asks; None where it is none."""
    last = text.rpartition("\n")[2].strip()
    return last if last and last != PROMPT and (last.endswith(("?", ":")) or _YES_OR_NO.search(last)) else None


def strip_answer(text: str, command: str) -> str:
    """Return an answer without the echo of its command, the prompts of a pager, and the prompt that ends it."""
    body = _PAGER.sub("", text).rpartition("\n")[0]
    first, separator, remainder = body.partition("\n")
    return remainder if separator and command in first else body
