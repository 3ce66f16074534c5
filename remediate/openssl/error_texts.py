"""OpenSSL 1.1.1's error texts by number (X509_verify_cert_error_string), which the appliance logs.

Later versions spell some of them otherwise (`self-signed`), and use some numbers for other errors (24, 79). A verdict always has
these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ERROR_TEXTS: Final[Mapping[int, str]] = {
    0: "ok",
    1: "unspecified certificate verification error",
    2: "unable to get issuer certificate",
    3: "unable to get certificate CRL",
    4: "unable to decrypt certificate's signature",
    5: "unable to decrypt CRL's signature",
    6: "unable to decode issuer public key",
    7: "certificate signature failure",
    8: "CRL signature failure",
    9: "certificate is not yet valid",
    10: "certificate has expired",
    11: "CRL is not yet valid",
    12: "CRL has expired",
    13: "format error in certificate's notBefore field",
    14: "format error in certificate's notAfter field",
    15: "format error in CRL's lastUpdate field",
    16: "format error in CRL's nextUpdate field",
    17: "out of memory",
    18: "self signed certificate",
    19: "self signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate",
    22: "certificate chain too long",
    23: "certificate revoked",
    24: "invalid CA certificate",
    25: "path length constraint exceeded",
    26: "unsupported certificate purpose",
    27: "certificate not trusted",
    28: "certificate rejected",
    29: "subject issuer mismatch",
    30: "authority and subject key identifier mismatch",
    31: "authority and issuer serial number mismatch",
    32: "key usage does not include certificate signing",
    33: "unable to get CRL issuer certificate",
    34: "unhandled critical extension",
    35: "key usage does not include CRL signing",
    36: "unhandled critical CRL extension",
    37: "invalid non-CA certificate (has CA markings)",
    38: "proxy path length constraint exceeded",
    39: "key usage does not include digital signature",
    40: "proxy certificates not allowed, please set the appropriate flag",
    41: "invalid or inconsistent certificate extension",
    42: "invalid or inconsistent certificate policy extension",
    43: "no explicit policy",
    44: "Different CRL scope",
    45: "Unsupported extension feature",
    46: "RFC 3779 resource not subset of parent's resources",
    47: "permitted subtree violation",
    48: "excluded subtree violation",
    49: "name constraints minimum and maximum not supported",
    50: "application verification failure",
    51: "unsupported name constraint type",
    52: "unsupported or invalid name constraint syntax",
    53: "unsupported or invalid name syntax",
    54: "CRL path validation error",
    55: "Path Loop",
    56: "Suite B: certificate version invalid",
    57: "Suite B: invalid public key algorithm",
    58: "Suite B: invalid ECC curve",
    59: "Suite B: invalid signature algorithm",
    60: "Suite B: curve not allowed for this LOS",
    61: "Suite B: cannot sign P-384 with P-256",
    62: "Hostname mismatch",
    63: "Email address mismatch",
    64: "IP address mismatch",
    65: "No matching DANE TLSA records",
    66: "EE certificate key too weak",
    67: "CA certificate key too weak",
    68: "CA signature digest algorithm too weak",
    69: "Invalid certificate verification context",
    70: "Issuer certificate lookup error",
    71: "Certificate Transparency required, but no valid SCTs found",
    72: "proxy subject name violation",
    73: "OCSP verification needed",
    74: "OCSP verification failed",
    75: "OCSP unknown cert",
    79: "Certificate public key has explicit ECC parameters",
}


def error_text(code: int) -> str:
    """Return 1.1.1's text for ``X509_V_ERR_*`` `code`, also for a number that it does not know."""
    return ERROR_TEXTS.get(code, f"unknown certificate verification error ({code})")


ERROR_TEXTS_3: Final[Mapping[int, str]] = {
    **ERROR_TEXTS,
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    24: "issuer certificate doesn't have a public key",
    26: "unsuitable certificate purpose",
    76: "Cannot find certificate signature algorithm",
    77: "subject signature algorithm and issuer public key algorithm mismatch",
    78: "cert info signature and signature algorithm mismatch",
    79: "invalid CA certificate",
    94: "Certificate public key has explicit ECC parameters",
}
"""3.0's texts. Data of ours, since 3.0, 3.5 and 3.6 differ among themselves, and a plan's id must not depend on them."""


def error_text_3(code: int) -> str:
    """Return the text of OpenSSL 3.0 for its own ``X509_V_ERR_*`` `code`."""
    return ERROR_TEXTS_3.get(code, f"unknown certificate verification error ({code})")
