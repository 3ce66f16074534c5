"""Write `remediate/openssl/selftest.json`: chains on which OpenSSL 1.1.1 and other libraries differ, with the answers of 1.1.1w.

Run it with the tests' extra installed, which brings the 1.1.1w that answers:

    python -m scripts.make_openssl_selftest
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from remediate.model.certificate import Certificate
from remediate.openssl.trust_store import TrustStore
from tests import der
from tests.libraries import openssl_111
from tests.pki import NOW, YEAR, issue, key, signed_with_sha1

TARGET = Path(__file__).parents[1] / "remediate" / "openssl" / "selftest.json"
_OCSP_NO_CHECK = bytes.fromhex("2b0601050507300105")


@dataclass(frozen=True)
class PublicKey:
    """A public key by its SubjectPublicKeyInfo in DER, in the place of a key of `cryptography`, which refuses odd ones."""

    info: bytes

    def public_key(self) -> PublicKey:
        """Return itself."""
        return self

    def public_bytes(self, _encoding: Encoding, _format: PublicFormat) -> bytes:
        """Return the DER."""
        return self.info


def generate(*arguments: str) -> PublicKey:
    """Return the public key that ``openssl`` generates with `arguments`."""
    program = shutil.which("openssl") or "openssl"
    private = subprocess.run([program, *arguments], check=True, capture_output=True).stdout
    public = subprocess.run([program, "pkey", "-pubout", "-outform", "DER"], input=private, check=True, capture_output=True)
    return PublicKey(public.stdout)


def leaf_of(subject: str, public_key: PublicKey) -> Certificate:
    """Return a certificate for an odd public key, issued by the root of this module."""
    return der.certificate(der.called(subject), der.called("Self-test root"), own_key=public_key, signer=key("self-test"))  # type: ignore[arg-type]


def chains() -> dict[str, tuple[Sequence[Certificate], Sequence[Certificate]]]:
    """Return (presented, trusted) by a name that says what the chain tests."""
    root = der.certificate(der.called("Self-test root"), own_key=key("self-test"), extensions=(der.authority(),))
    rsa_root = issue("Self-test RSA root", ca=True, family="rsa")
    rsa_ca = issue("Self-test RSA CA", rsa_root, ca=True, family="rsa")
    ec_root = issue("Self-test EC root", ca=True)
    ec_leaf = issue("ec.test", ec_root, names=("ec.test",))
    no_ca = issue("Self-test, no CA", ec_root)
    path_length = der.extension(der.BASIC_CONSTRAINTS, der.tlv(der.SEQUENCE, der.tlv(der.INTEGER, b"\x01")))
    no_check = der.extension(_OCSP_NO_CHECK, b"\x05\x00", critical=True)
    old, older = (
        issue("Self-test old root", ca=True, starts=-years * YEAR, lasts=timedelta(days=300), key_ids=False) for years in (2, 4)
    )
    long_chain = [issue("Self-test root of many", ca=True)]
    for number in range(9):
        long_chain.append(issue(f"Self-test CA {number}", long_chain[-1], ca=True))
    deep_leaf = issue("deep.test", long_chain[-1])
    sha1 = signed_with_sha1(rsa_ca, rsa_root)
    return {
        "a chain with RSA keys": ([issue("rsa.test", rsa_ca).certificate, rsa_ca.certificate], [rsa_root.certificate]),
        "a chain with EC keys": ([ec_leaf.certificate], [ec_root.certificate]),
        "an unknown issuer": ([ec_leaf.certificate], [rsa_root.certificate]),
        "a self-signed certificate": ([issue("self.test").certificate], [ec_root.certificate]),
        "an untrusted root that is presented": ([ec_leaf.certificate, ec_root.certificate], []),
        "a SHA-1 signature": ([issue("sha1.test", rsa_ca).certificate, sha1.certificate], [rsa_root.certificate]),
        "an RSA key of 768 bits": ([leaf_of("weak.test", generate("genrsa", "768"))], [root]),
        "explicit EC parameters": (
            [leaf_of("curve.test", generate("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit"))],
            [root],
        ),
        "an issuer that is no CA": ([issue("no-ca.test", no_ca).certificate, no_ca.certificate], [ec_root.certificate]),
        "a path length without CA": (
            [
                der.certificate(
                    der.called("path.test"), der.called("Self-test root"), signer=key("self-test"), extensions=(path_length,)
                )
            ],
            [root],
        ),
        "a critical OCSP no-check": (
            [
                der.certificate(
                    der.called("nocheck.test"), der.called("Self-test root"), signer=key("self-test"), extensions=(no_check,)
                )
            ],
            [root],
        ),
        "two expired issuers": ([issue("expired.test", old, key_ids=False).certificate], [old.certificate, older.certificate]),
        "a chain that is too deep": (
            [deep_leaf.certificate, *(ca.certificate for ca in reversed(long_chain[1:]))],
            [long_chain[0].certificate],
        ),
    }


def main() -> None:
    """Write the file."""
    at = int(NOW.timestamp())
    cases = []
    for name, (presented, trusted) in chains().items():
        code, depth, _ = TrustStore(openssl_111(), [certificate.der for certificate in trusted]).verify(
            [certificate.der for certificate in presented], at
        )
        cases.append(
            {
                "name": name,
                "presented": [base64.b64encode(certificate.der).decode() for certificate in presented],
                "trusted": [base64.b64encode(certificate.der).decode() for certificate in trusted],
                "code": code,
                "depth": depth,
            }
        )
        print(f"{code:3} {depth}  {name}")
    TARGET.write_text(json.dumps({"at": at, "cases": cases}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
