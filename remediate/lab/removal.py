"""Forms in which a request to remove a certificate from a trusted CA list names it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from remediate.lab.scenario import Removal
from remediate.model.certificate import Certificate


def names_certificate(certificate: Certificate, form: Removal, body: bytes) -> bool:
    """Return whether `body` names `certificate` exactly as the page's example does; a plain fingerprint may vary in spelling."""
    sha256 = certificate.fingerprint.removeprefix("sha256:")
    request = _parse_object(body)
    match form:
        case Removal.FINGERPRINT:
            return str(request.get("Fingerprint", "")).lower().removeprefix("sha256:").replace(":", "") == sha256
        case Removal.SHA256_COLONS:
            return request == {"Sha256Fingerprint": ":".join(sha256[at : at + 2] for at in range(0, 64, 2)).upper()}
        case Removal.SHA1:
            return request == {"FingerPrint": hashlib.sha1(certificate.der, usedforsecurity=False).hexdigest()}
        case Removal.PEM_FIELD:
            return request == {"Certificate": certificate.pem}
        case Removal.PEM_BODY:
            return body.decode(errors="replace") == certificate.pem
        case Removal.SUBJECT_AND_SERIAL:
            return request == {"Subject": subject_line(certificate), "SerialNumber": _serial(certificate)}
        case _:
            return False


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def subject_line(certificate: Certificate) -> str:
    """Return the subject as the web page shows it, the organization first. No name in the lab has a comma."""
    return ", ".join(reversed(certificate.subject.split(",")))


def _serial(certificate: Certificate) -> str:
    digits = f"{certificate.serial or 0:X}"
    return digits.zfill(len(digits) + len(digits) % 2)
