"""Certificates to begin with: of every kind of key that OpenSSL knows, and the corpus where it is at hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from remediate import Certificate
from tests import corpus, der
from tests.pki import issue

DSA, EC, DH, GOST = "2a8648ce380401", "2a8648ce3d0201", "2a864886f70d010301", "2a850302020113"
RSA, RSA_PSS, RSA_OAEP, SM2 = "2a864886f70d010101", "2a864886f70d01010a", "2a864886f70d010107", "2a811ccf5501822d"
UNKNOWN = "2a0304"
_POINT = b"\x04" + b"\x11" * 64
_NUMBER = der.tlv(der.INTEGER, b"\x11" * 128)


def without_parameters() -> tuple[Certificate, ...]:
    """Keys of every algorithm with no parameters, with NULL, and with something else in their place."""
    certificates = []
    for algorithm in (DSA, EC, DH, GOST, RSA, RSA_PSS, RSA_OAEP, SM2, UNKNOWN):
        for parameters in (b"", b"\x05\x00", der.tlv(der.SEQUENCE), der.tlv(der.SEQUENCE, _NUMBER), der.tlv(der.OID, b"\x2a")):
            for key in (_NUMBER, _POINT, b""):
                info = der.key_info(algorithm, parameters, key)
                certificates.append(der.certificate(der.called("odd key"), public_key=info, extensions=(der.authority(),)))
    return tuple(certificates)


def _of_every_key() -> Iterator[Certificate]:
    keys = (
        rsa.generate_private_key(65537, 1024),
        dsa.generate_private_key(1024),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        x448.X448PrivateKey.generate(),
    )
    for key in keys:
        info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield der.certificate(der.called("a_b"), public_key=info, extensions=(der.authority(), der.alternative(b"*.lab")))


def made_here() -> tuple[Certificate, ...]:
    """What the tests make by themselves."""
    root = issue("Root", ca=True, family="rsa")
    leaf = issue("cucm.steven.lab", root, names=("cucm.steven.lab", "*.lab"))
    return (root.certificate, leaf.certificate, *_of_every_key(), *without_parameters())


def of_the_corpus() -> tuple[Certificate, ...]:
    """Every certificate of the corpus, each once; none where it is not at hand."""
    certificates: dict[str, None] = {}
    for name in ("verdicts", "plans"):
        file = corpus.FOLDER / f"{name}.jsonl.gz"
        if not file.exists():
            continue
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for case in map(json.loads, lines):
                pems = [*case.get("trusted", ()), *case.get("presented", ())]
                certificates |= dict.fromkeys([*pems, *(entry["pem"] for entry in case.get("certs", {}).values())])
    return tuple(Certificate.from_pem(pem) for pem in certificates)
