"""DER by hand: certificates that a careful library would not make, and that are met all the same."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from remediate.model.certificate import Certificate
from tests.pki import NOW, YEAR, Key, key

SEQUENCE, SET, OID, OCTETS, BITS, INTEGER, BOOLEAN = 0x30, 0x31, 0x06, 0x04, 0x03, 0x02, 0x01
UTF8, NUMERIC, PRINTABLE, T61, IA5, VISIBLE, UNIVERSAL, BMP = 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18

COUNTRY, ORGANIZATION, COMMON_NAME = (bytes((0x55, 0x04, last)) for last in (6, 10, 3))
SAN, BASIC_CONSTRAINTS, SUBJECT_KEY_ID, AUTHORITY_KEY_ID = (bytes((0x55, 0x1D, last)) for last in (17, 19, 14, 35))
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")

Attribute = tuple[bytes, int, bytes]
"""Type, string tag, content."""


def tlv(tag: int, *content: bytes) -> bytes:
    """`content` under `tag`, with a definite length."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def name(*attributes: Attribute) -> bytes:
    """A subject or an issuer, an RDN for each attribute."""
    return tlv(SEQUENCE, *(tlv(SET, tlv(SEQUENCE, tlv(OID, kind), tlv(tag, content))) for kind, tag, content in attributes))


def called(text: str, tag: int = PRINTABLE) -> bytes:
    """A name that is one common name, whether its string type allows the text or not."""
    encodings = {BMP: "utf-16-be", UNIVERSAL: "utf-32-be", UTF8: "utf-8"}
    return name((COMMON_NAME, tag, text.encode(encodings.get(tag, "latin-1"))))


def extension(kind: bytes, content: bytes, *, critical: bool = False) -> bytes:
    """One extension."""
    return tlv(SEQUENCE, tlv(OID, kind), *([tlv(BOOLEAN, b"\xff")] if critical else []), tlv(OCTETS, content))


def authority() -> bytes:
    """Basic constraints that say CA:TRUE."""
    return extension(BASIC_CONSTRAINTS, tlv(SEQUENCE, tlv(BOOLEAN, b"\xff")), critical=True)


def alternative(*names: bytes) -> bytes:
    """A subject alternative name of dNSNames."""
    return extension(SAN, tlv(SEQUENCE, *(tlv(0x82, name) for name in names)))


def time(moment: datetime) -> bytes:
    """A UTCTime."""
    return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def certificate(
    subject: bytes,
    issuer: bytes | None = None,
    *,
    own_key: Key | None = None,
    signer: Key | None = None,
    begins: bytes = time(NOW - YEAR),
    ends: bytes = time(NOW + YEAR),
    extensions: tuple[bytes, ...] = (),
    serial: bytes = b"\x07",
    public_key: bytes | None = None,
) -> Certificate:
    """A certificate of these parts, signed by `signer` (None: by itself).

    Args:
        public_key: a SubjectPublicKeyInfo to stand in it (None: that of `own_key`).
    """
    own = own_key or key("by hand")
    by = signer or own
    assert isinstance(by, ec.EllipticCurvePrivateKey)
    body = tlv(
        SEQUENCE,
        tlv(0xA0, tlv(INTEGER, b"\x02")),
        tlv(INTEGER, serial),
        ECDSA_WITH_SHA256,
        subject if issuer is None else issuer,
        tlv(SEQUENCE, begins, ends),
        subject,
        public_key or own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        *([tlv(0xA3, tlv(SEQUENCE, *extensions))] if extensions else []),
    )
    signature = by.sign(body, ec.ECDSA(hashes.SHA256()))
    return Certificate.from_der(tlv(SEQUENCE, body, ECDSA_WITH_SHA256, tlv(BITS, b"\0", signature)))


def signed_data(*certificates: bytes) -> bytes:
    """PKCS#7 signed data that holds `certificates` and no signature, as a CA hands out a chain (RFC 2315, 9.1)."""
    data = tlv(SEQUENCE, tlv(OID, bytes.fromhex("2a864886f70d010701")))
    content = tlv(SEQUENCE, tlv(INTEGER, b"\x01"), tlv(SET), data, tlv(0xA0, *certificates), tlv(SET))
    return tlv(SEQUENCE, tlv(OID, bytes.fromhex("2a864886f70d010702")), tlv(0xA0, content))


def key_info(algorithm: str, parameters: bytes, key: bytes) -> bytes:
    """A SubjectPublicKeyInfo of any `algorithm`, an object identifier's content in hexadecimal digits."""
    return tlv(SEQUENCE, tlv(SEQUENCE, tlv(OID, bytes.fromhex(algorithm)), parameters), tlv(BITS, b"\0", key))
