"""OpenSSL 1.1.1's answers from an OpenSSL 3.x: what differs between the two sources, made good, and nothing else.

The appliance's traffic server is built on 1.1.1. A comparison of both sources (1.1.1w and 3.0 to 3.6: crypto/x509/x509_vfy.c and
v3_purp.c) shows these differences for a TLS client at security level 1:

1. Choice of issuer. Of several issuers none of which is valid in time, 1.1.1 takes the last, 3.x the one that expired last
   (find_issuer, X509_STORE_CTX_get1_issuer). `IssuerChoice` chooses as 1.1.1 does.
2. Security level. 1.1.1 counts a digest as four bits for each of its bytes, 3.x counts SHA-1 as 63 bits. 3.x runs at level 0, and
   1.1.1's own level 1 is applied to the chain: RSA, DSA from 1,024 bits, EC from 160, digests from 80 bits of strength.
3. A path length in a certificate that is no CA makes it unusable for 1.1.1: it is no certificate's issuer, and has none.
4. id-pkix-ocsp-nocheck, marked critical, is an unknown critical extension to 1.1.1 (34).
5. 1.1.1's builder lets an RSA-PSS key have made a PKCS #1 signature, and knows no SM2 signature (check_sig_alg_match).
6. Explicit EC parameters are refused by 1.1.1 in strict mode only: 3.x's error 94 passes.
7. "invalid CA certificate" is number 24 in 1.1.1, and 79 in 3.x.

One difference stays: an empty key usage makes a certificate unusable for 3.x, and no callback undoes that (10 of 25,083 cases, in
the error number only).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from ctypes import CFUNCTYPE, POINTER, byref, c_int, c_long, c_uint32, c_void_p
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal

from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.x509 import x509

# x509_vfy.h, X509_V_ERR_*
_SELF_SIGNED: Final = frozenset({18, 19})
_ISSUER_NOT_FOUND_LOCALLY: Final = 20
_BUILDING: Final = frozenset({1, 2, 18, 19, 20, 22, 27, 28})
"""Errors of building the chain: OpenSSL reports them before it checks anything on the chain."""
_EXTENSIONS: Final = frozenset({24, 25, 26, 34, 37, 38, 40, 79, 94})
"""Errors of check_chain_extensions, certificate by certificate, the leaf first."""
_UNHANDLED_CRITICAL_EXTENSION: Final = 34
_LEAF_KEY_TOO_WEAK: Final = 66
_CA_KEY_TOO_WEAK: Final = 67
_CA_DIGEST_TOO_WEAK: Final = 68
_INVALID_CA: Final = 24
_INVALID_CA_3X: Final = 79
_EXPLICIT_PARAMETERS: Final = 94
_KEY_USAGE_ERRORS: Final = frozenset({32, 39})
_SIGNATURE_MISMATCH: Final = 77

# obj_mac.h, NIDs
_RSA_KEYS: Final = frozenset({6, 912, 116, 28, 920})  # RSA, RSA-PSS, DSA, DH and X9.42 DH: sizes of their kind
_EC_KEYS: Final = frozenset({408, 1172, 1087, 1088, 1034, 1035, 811, 979, 980})  # EC, SM2, Ed and X curves, GOST
_PKCS1_SIGNATURES: Final = frozenset({65, 668, 669, 670, 671, 8})
_EC: Final = 408
_RSA_PSS: Final = 912
_SM2_SIGNATURE: Final = 1204
_OCSP_NO_CHECK: Final = 369
_DIGEST_BITS: Final = {64: 80, 117: 80, 114: 144, 4: 64, 257: 64, 3: 64, 95: 64}
"""Strength as 1.1.1 counts it, size times four: SHA-1, RIPEMD-160, MD5-SHA-1, MD5, MD4, MD2, MDC2. Others are as in 3.x."""
# x509v3.h, EXFLAG_*
_HAS_BASIC_CONSTRAINTS: Final = 0x1
_IS_CA: Final = 0x10
_IS_SELF_ISSUED: Final = 0x20

_LEVEL_1_BITS: Final = 80
_MIN_RSA_BITS: Final = 1024
_MIN_EC_BITS: Final = 160

_VERIFY = CFUNCTYPE(c_int, c_int, c_void_p)
_GET_ISSUER = CFUNCTYPE(c_int, POINTER(c_void_p), c_void_p, c_void_p)
_CHECK_ISSUED = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p)


@dataclass(frozen=True, slots=True)
class Traits:
    """What the corrections need to know of one certificate.

    Attributes:
        is_unusable: It is no CA and has a path length above 0.
        has_critical_no_check: Id-pkix-ocsp-nocheck is there, and critical.
        has_strong_key: Its key is allowed at 1.1.1's level 1.
        has_strong_signature: Its signature is allowed at 1.1.1's level 1.
        subject_hash: X509_subject_name_hash.
        kind: ``sm2`` where it has an SM2 signature, ``pss`` where it has an RSA-PSS key, else None.
    """

    is_unusable: bool
    has_critical_no_check: bool
    has_strong_key: bool
    has_strong_signature: bool
    subject_hash: int
    kind: Literal["sm2", "pss"] | None


@lru_cache(maxsize=65_536)
def traits_of(openssl: Libcrypto, der: bytes) -> Traits:
    """Return the traits of the certificate `der`.

    Raises:
        Unreadable: OpenSSL cannot parse it.
    """
    lib, handle = openssl.lib, x509(openssl, der)
    pointer = handle.pointer
    flags = lib.X509_get_extension_flags(pointer)
    is_no_ca = bool(flags & _HAS_BASIC_CONSTRAINTS) and not flags & _IS_CA
    position = lib.X509_get_ext_by_NID(pointer, _OCSP_NO_CHECK, -1)
    no_check = lib.X509_get_ext(pointer, position) if position >= 0 else None
    key_kind, key_bits = _key_of(openssl, pointer, handle.key_bits or 0)
    minimum = _MIN_RSA_BITS if key_kind in _RSA_KEYS else _MIN_EC_BITS
    signed_by_sm2 = lib.X509_get_signature_nid(pointer) == _SM2_SIGNATURE
    traits = Traits(
        is_unusable=is_no_ca and lib.X509_get_pathlen(pointer) > 0,
        has_critical_no_check=bool(no_check) and bool(lib.X509_EXTENSION_get_critical(no_check)),
        has_strong_key=key_kind in _RSA_KEYS | _EC_KEYS and key_bits >= minimum,
        has_strong_signature=_signature_bits(lib, pointer) >= _LEVEL_1_BITS,
        subject_hash=lib.X509_subject_name_hash(pointer),
        kind="sm2" if signed_by_sm2 else "pss" if key_kind == _RSA_PSS else None,
    )
    lib.ERR_clear_error()
    return traits


def _key_of(openssl: Libcrypto, pointer: int, bits: int) -> tuple[int, int]:
    """Return the NID of the key's type and its size in bits; (0, 0) where it is not understood."""
    lib = openssl.lib
    key = lib.X509_get0_pubkey(pointer)
    if not key:
        return 0, 0
    kind = lib.EVP_PKEY_base_id(key)
    # 3.x gives an SM2 key no NID; 1.1.1 reads it as an EC key.
    return (_EC if not kind and lib.EVP_PKEY_is_a(key, b"SM2") else kind), bits


def _signature_bits(lib: Any, pointer: int) -> int:
    """Return the strength of a signature as 1.1.1 counts it; 0 where it is not known."""
    digest, key, bits, flags = c_int(), c_int(), c_int(), c_uint32()
    has_digest = lib.X509_get_signature_info(pointer, byref(digest), byref(key), byref(bits), byref(flags))
    return _DIGEST_BITS.get(digest.value, bits.value) if has_digest else 0


def may_choose_otherwise(certificates: Iterable[Traits]) -> bool:
    """Return whether 1.1.1 might choose other issuers among `certificates` than 3.x: two share a subject, or one is odd."""
    traits = list(certificates)
    subjects = Counter(trait.subject_hash for trait in traits)
    return max(subjects.values(), default=0) > 1 or any(trait.is_unusable or trait.kind for trait in traits)


class IssuerChoice:
    """Chooses issuers as 1.1.1 does: the first that is valid in time, otherwise the last.

    The callbacks live as long as this object, which must therefore outlive the verification.
    """

    def __init__(
        self, openssl: Libcrypto, trusted: Sequence[int], presented: Sequence[int], traits: Mapping[int, Traits], at: int
    ) -> None:
        """Choose among the X509 pointers `trusted` (in the list's order) and `presented` (leaf first) at `at` (epoch seconds)."""
        self._lib = openssl.lib
        self._trusted = trusted
        self._presented = presented
        self._traits = traits
        self._now = c_long(at)
        self._is_valid = cache(self._compute_validity)
        self._has_issued = cache(self._compute_issued)
        self._get_issuer_callback = _GET_ISSUER(self._get_issuer)
        self._check_issued_callback = _CHECK_ISSUED(self._check_issued)

    def install(self, store: int) -> None:
        """Have every verification with `store` ask this object for issuers."""
        self._lib.X509_STORE_set_get_issuer(store, self._get_issuer_callback)
        self._lib.X509_STORE_set_check_issued(store, self._check_issued_callback)

    def _get_issuer(self, out: Any, _context: int, certificate: int) -> int:
        """X509_STORE_CTX_get1_issuer: the issuer from the trusted list; 1 and a reference of its own, or 0."""
        issuer = self._pick([candidate for candidate in self._trusted if self._has_issued(certificate, candidate)])
        if issuer is None:
            return 0
        self._lib.X509_up_ref(issuer)
        out[0] = issuer
        return 1

    def _check_issued(self, context: int, certificate: int, issuer: int) -> int:
        """find_issuer: asked of the presented ones only, since the trusted ones are found by `_get_issuer`."""
        stack = self._lib.X509_STORE_CTX_get0_chain(context)
        count = self._lib.OPENSSL_sk_num(stack) if stack else 0
        chain = {self._lib.OPENSSL_sk_value(stack, position) for position in range(count)}
        is_alone = count == 1 and self._lib.X509_get_extension_flags(certificate) & _IS_SELF_ISSUED
        candidates = [
            candidate
            for candidate in self._presented
            if self._has_issued(certificate, candidate) and (is_alone or candidate not in chain)
        ]
        return int(issuer == self._pick(candidates))

    def _pick(self, candidates: Sequence[int]) -> int | None:
        return next((pointer for pointer in candidates if self._is_valid(pointer)), candidates[-1] if candidates else None)

    def _compute_validity(self, pointer: int) -> bool:
        lib, now = self._lib, byref(self._now)
        begun = lib.X509_cmp_time(lib.X509_get0_notBefore(pointer), now) < 0
        return bool(begun and lib.X509_cmp_time(lib.X509_get0_notAfter(pointer), now) > 0)

    def _compute_issued(self, certificate: int, issuer: int) -> bool:
        """x509_likely_issued: X509_check_issued without its look at the key usage."""
        subject, signer = self._traits[certificate], self._traits[issuer]
        if subject.is_unusable or signer.is_unusable or subject.kind == "sm2":
            return False
        code = self._lib.X509_check_issued(issuer, certificate)
        if code == _SIGNATURE_MISMATCH:
            return signer.kind == "pss" and self._lib.X509_get_signature_nid(certificate) in _PKCS1_SIGNATURES
        return code == 0 or code in _KEY_USAGE_ERRORS


@lru_cache(maxsize=4)
def pass_explicit_parameters(openssl: Libcrypto) -> object:
    """Return a verify callback that lets a certificate with explicit EC parameters pass."""

    def verify(ok: int, context: int) -> int:
        return ok or int(openssl.lib.X509_STORE_CTX_get_error(context) == _EXPLICIT_PARAMETERS)

    return _VERIFY(verify)


def answer_as_111(code: int, depth: int, chain: Sequence[Traits]) -> tuple[int, int]:
    """Return 1.1.1's error and depth for a chain that 3.x at level 0 answered with `code` at `depth`; 0 is no error.

    1.1.1 checks in this order: the leaf's key, the building of the chain, extensions, the security level, then signatures with dates,
    and names.
    """
    if chain and not chain[0].has_strong_key:
        return _LEAF_KEY_TOO_WEAK, 0
    if code in _SELF_SIGNED and (chain[-1].is_unusable or chain[-1].kind == "sm2"):
        return _ISSUER_NOT_FOUND_LOCALLY, len(chain) - 1
    if code in _BUILDING:
        return code, depth
    with_checked_extensions = chain[: depth + 1] if code in _EXTENSIONS else chain
    for position, certificate in enumerate(with_checked_extensions):
        if certificate.has_critical_no_check:
            return _UNHANDLED_CRITICAL_EXTENSION, position
    if code not in _EXTENSIONS:
        for position, certificate in enumerate(chain):
            if position and not certificate.has_strong_key:
                return _CA_KEY_TOO_WEAK, position
            if position < len(chain) - 1 and not certificate.has_strong_signature:
                return _CA_DIGEST_TOO_WEAK, position
    return (_INVALID_CA if code == _INVALID_CA_3X else code), depth
