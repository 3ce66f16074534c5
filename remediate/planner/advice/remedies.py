"""What to do about each error for which OpenSSL refuses a chain that trust does not mend, by its number (x509_vfy.h)."""

from __future__ import annotations

from typing import Final

_REISSUE_LEAF = "Reissue {fault} from another certificate template: renewing it from the same one repeats the failure."
_ASK_THE_CA = "Ask the owner of that CA, or have {address} signed by another CA that the peers trust."

# {fault}: the certificate at that depth. {address}: the endpoint's.
REMEDIES: Final[dict[int, tuple[str, ...]]] = {
    4: ("Compare {fault} with the one on its server: its signature cannot even be read.",),
    6: ("Reissue {fault}: OpenSSL cannot read its public key.",),
    7: (
        "A CA certificate with the issuer's name and another key stands in its place, in the trusted CA list or in what is sent.",
        "Send and trust the CA certificate whose key signed {fault}.",
    ),
    13: ("Reissue {fault}: the beginning of its validity is no date.",),
    14: ("Reissue {fault}: the end of its validity is no date.",),
    22: ("Have {address} signed by a CA nearer to its root: the traffic server follows seven intermediates at the most.",),
    24: (
        "{fault} is used as a CA and is none (basicConstraints CA:TRUE, or keyCertSign in its key usage, is missing).",
        "Have {address} signed by a real CA, or have that CA certificate reissued.",
    ),
    25: ("A CA above {fault} allows fewer CAs below itself (pathLenConstraint).", _ASK_THE_CA),
    26: (
        "Its extended key usage lacks Server Authentication (1.3.6.1.5.5.7.3.1): ask the CA for a template that has it, or none.",
        _REISSUE_LEAF,
    ),
    32: ("{fault} signed another certificate without keyCertSign in its key usage.", _ASK_THE_CA),
    34: ("{fault} has a critical extension that OpenSSL does not know.", _REISSUE_LEAF),
    40: ("{fault} is a proxy certificate (RFC 3820), which no TLS server may present.", _REISSUE_LEAF),
    41: ("An extension of {fault} is broken.", _REISSUE_LEAF),
    42: ("The policy extension of {fault} is broken.", _REISSUE_LEAF),
    47: ("A CA above {fault} permits other names than it has (nameConstraints).", _ASK_THE_CA),
    48: ("A CA above {fault} forbids a name that it has (nameConstraints).", _ASK_THE_CA),
    49: ("A CA above {fault} has name constraints of a form that OpenSSL does not take (minimum or maximum).", _ASK_THE_CA),
    51: ("A CA above {fault} has name constraints of a type that OpenSSL does not know.", _ASK_THE_CA),
    52: ("A CA above {fault} has name constraints that OpenSSL cannot read.", _ASK_THE_CA),
    53: ("A name in {fault} cannot be read, and a CA above constrains names.", _REISSUE_LEAF),
    66: ("Reissue {fault} with a larger key: RSA 2048 or P-256.",),
    67: ("Its CA has too small a key.", _ASK_THE_CA),
    68: ("{fault} is signed with a digest that is too weak: have it signed again with SHA-256.", _ASK_THE_CA),
}
_ANY_OTHER: Final = ("Read what OpenSSL says of {fault}, and reissue it without that.",)


def remedies(code: int, fault: str, address: str) -> tuple[str, ...]:
    """Return what to do about ``X509_V_ERR_*`` `code`, in sentences that name the certificate (`fault`) and the endpoint's address."""
    return tuple(_filled(one, fault, address) for one in REMEDIES.get(code, _ANY_OTHER))


def _filled(sentence: str, fault: str, address: str) -> str:
    # Not str.format: what a hostile certificate is called may hold braces.
    return sentence.replace("{address}", address).replace("{fault}", fault)
