"""Kind of a file that holds no certificate, and what to do about it: by its first bytes, its DER's outline or its PEM label."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SEQUENCE, _INTEGER, _OCTETS, _BITS, _OID, _VERSION = 0x30, 0x02, 0x04, 0x03, 0x06, 0xA0
_TIMES = frozenset({0x17, 0x18})
_OID_PKCS7: Final = bytes.fromhex("2a864886f70d0107")
_MOST_ELEMENTS = 8
_MUCH_OF_A_TEXT = 4096
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}")


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file or of PEM block that is no certificate.

    Attributes:
        name: With an article.
        remedy: One sentence; ``FILE`` in it is replaced by the name of the file.
        secret: It must not be where certificates are expected.
    """

    name: str
    remedy: str
    secret: bool = False

    def remedy_for(self, file: str) -> str:
        """Return the remedy for `file`, ready to be pasted."""
        return self.remedy.replace("FILE.pem", shlex.quote(f"{file}.pem")).replace("FILE", shlex.quote(file))


EMPTY = FileKind("an empty file", "Export the certificate again, PEM or DER: this file has nothing in it.")
PRIVATE_KEY = FileKind(
    "a private key", "Remove it: a private key must never be in this file. Give the certificate alone, PEM or DER.", secret=True
)
PKCS12 = FileKind("a PKCS#12 file", "Convert it: `openssl pkcs12 -in FILE -nokeys -out FILE.pem`.")
JAVA_KEYSTORE = FileKind("a Java keystore", "Convert it: `keytool -list -rfc -keystore FILE > FILE.pem`.")
REQUEST = FileKind("a certificate signing request (CSR)", "Give the certificate that the CA issued for this request.")
CRL = FileKind("a certificate revocation list (CRL)", "Give the CA certificate itself: a revocation list holds none.")
PUBLIC_KEY = FileKind("a public key", "Give the certificate that holds this key.")
TRUSTED = FileKind("an OpenSSL trusted certificate", "Convert it: `openssl x509 -in FILE -out FILE.pem`.")
PARAMETERS = FileKind("a set of key parameters", "Give the certificate alone, PEM or DER.")
SSH_KEY = FileKind("an SSH key", "Give an X.509 certificate, PEM or DER.")
PGP = FileKind("a PGP message or key", "Give an X.509 certificate, PEM or DER.")
PKCS7_OTHER = FileKind(
    "a PKCS#7 file that is not signed data", "Export the certificates again: `openssl asn1parse -in FILE` shows what it holds."
)
PKCS7_BROKEN = FileKind(
    "a PKCS#7 file that OpenSSL cannot read",
    "Export the chain again, or try `openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem`.",
)
PKCS7_EMPTY = FileKind("a PKCS#7 file without certificates", "Export the chain again, with its certificates.")
OTHER_DER = FileKind("DER, but not a certificate", "Check what it is: `openssl asn1parse -inform DER -in FILE`.")
WEB_PAGE = FileKind(
    "a web page (HTML)", "Download the certificate again: a login page or an error page was saved in its place."
)
XML = FileKind("an XML document", "Give the certificate alone, PEM or DER.")
JSON = FileKind("a JSON document", "Give the certificate alone, PEM or DER.")
WORD = FileKind("a Word document", "Save the certificate as plain text, or ask for it as a .cer or .pem file.")
ARCHIVE = FileKind("an archive", "Unpack it, and give the certificates that are in it.")
PDF = FileKind("a PDF document", "Ask for the certificate as a .cer or .pem file.")
PRINTED = FileKind(
    "what `openssl x509 -text` prints, without the certificate",
    "Export it again: `openssl x509 -in CERTIFICATE -out FILE.pem`.",
)
UNKNOWN = FileKind("neither PEM nor DER nor PKCS#7", "Export the certificate again, as PEM or DER.")

_BY_FIRST_BYTES: tuple[tuple[bytes, FileKind], ...] = (
    (b"\xfe\xed\xfe\xed", JAVA_KEYSTORE),
    (b"\xce\xce\xce\xce", JAVA_KEYSTORE),  # JCEKS
    (b"\xd0\xcf\x11\xe0", WORD),  # OLE, Word up to 2003
    (b"{\\rtf", WORD),
    (b"%PDF", PDF),
    (b"\x1f\x8b", ARCHIVE),
    (b"7z\xbc\xaf", ARCHIVE),
    (b"Rar!", ARCHIVE),
)
_BY_LABEL: tuple[tuple[str, FileKind], ...] = (
    ("PGP", PGP),
    ("SSH", SSH_KEY),
    ("PRIVATE KEY", PRIVATE_KEY),
    ("CERTIFICATE REQUEST", REQUEST),
    ("CRL", CRL),
    ("PUBLIC KEY", PUBLIC_KEY),
    ("PARAMETERS", PARAMETERS),
    ("PKCS12", PKCS12),
    ("TRUSTED CERTIFICATE", TRUSTED),
)


def kind_of_binary(content: bytes) -> FileKind | None:
    """Return what `content` is by its first bytes; None where they do not show it."""
    if content[:4] == b"PK\x03\x04":
        return WORD if b"word/" in content else ARCHIVE
    return next((kind for start, kind in _BY_FIRST_BYTES if content.startswith(start)), None)


def kind_of_text(text: str) -> FileKind:
    """Return what a text is that holds no PEM block."""
    start = text[:_MUCH_OF_A_TEXT].lstrip("\ufeff \t\r\n").casefold()
    if start.startswith("<"):
        return WEB_PAGE if "<html" in start or "<!doctype html" in start else XML
    if start.startswith(("certificate:", "data:")) and "serial number" in start:
        return PRINTED
    if start.startswith(("ssh-", "ecdsa-sha2-", "---- begin ssh2")):
        return SSH_KEY
    return JSON if start.startswith(("{", "[")) else UNKNOWN


def is_base64(text: str) -> bool:
    """Whether `text` is base64 and nothing else."""
    return _BASE64.fullmatch(text.strip()) is not None


def kind_of_label(label: str) -> FileKind:
    """Return what a PEM block under `label` is, which is none of a certificate's labels."""
    return next((kind for part, kind in _BY_LABEL if part in label), FileKind(f"a {label}", UNKNOWN.remedy))


def kind_of_der(der: bytes) -> FileKind | None:
    """Return what `der` is by its outline; None where it looks like a certificate, or like nothing that is known."""
    outer = next(_elements(der), None)
    if outer is None or outer[0] != _SEQUENCE:
        return None
    elements = list(_elements(outer[1]))
    tags = tuple(tag for tag, _ in elements)
    if tags[:1] == (_OID,):
        return PKCS7_OTHER if elements[0][1].startswith(_OID_PKCS7) else None
    if tags[:2] == (_INTEGER, _SEQUENCE) and len(elements) < 4 and _OID_PKCS7 in elements[1][1][:16]:
        return PKCS12
    if tags[:2] in {(_INTEGER, _INTEGER), (_INTEGER, _OCTETS)} or tags[:3] == (_INTEGER, _SEQUENCE, _OCTETS):
        return PUBLIC_KEY if tags == (_INTEGER, _INTEGER) else PRIVATE_KEY
    if tags == (_SEQUENCE, _OCTETS):
        return PRIVATE_KEY  # PKCS#8, encrypted (RFC 5958, 3)
    if tags == (_SEQUENCE, _BITS):
        return PUBLIC_KEY
    return _kind_of_signed(elements[0][1]) if tags == (_SEQUENCE, _SEQUENCE, _BITS) else None


def _kind_of_signed(body: bytes) -> FileKind | None:
    """Certificate, request and revocation list are signed alike; what is signed differs (RFC 5280, 4.1 and 5.1; RFC 2986, 4.1)."""
    tags = [tag for tag, _ in _elements(body)]
    if tags[:1] == [_VERSION]:
        return None
    unversioned = tags[1:] if tags[:1] == [_INTEGER] else tags
    if unversioned[:2] == [_SEQUENCE, _SEQUENCE] and len(unversioned) > 2 and unversioned[2] in _TIMES:
        return CRL
    return REQUEST if tags[:3] == [_INTEGER, _SEQUENCE, _SEQUENCE] and _SEQUENCE not in tags[3:4] else None


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of the first elements in `der` with definite lengths (X.690, 8.1)."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        if len(der) < at + 2:
            return
        size, start = der[at + 1], at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[at + 2 : start], "big")
        if len(der) < start + size:
            return
        yield der[at], der[start : start + size]
        at = start + size
