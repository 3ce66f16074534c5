"""OpenSSL's error texts, as logs have them, back to its numbers; 1.1.1 and 3.x do not spell all of them alike."""

from __future__ import annotations

from functools import cache
from typing import Final

from remediate.openssl.libcrypto import appliance, modern

_LARGEST_CODE: Final = 110
_OTHER_SPELLINGS: Final = (
    ("self-signed", "self signed"),
    ("unsuitable certificate purpose", "unsupported certificate purpose"),
)


def code_of(text: str) -> int | None:
    """Return the ``X509_V_ERR_*`` number, as 1.1.1 counts, that `text` stands for; None where it is none of OpenSSL's."""
    return _codes().get(_normalise(whole_text(text)))


def whole_text(text: str) -> str:
    """Return OpenSSL's text with the letters of `text`, which lost or got a space where a line was broken; else `text` itself."""
    return _texts().get("".join(text.split()), text)


@cache
def _codes() -> dict[str, int]:
    """Return numbers by text; of two numbers with one text the lower: 24 and not 79 for a CA that is none."""
    codes: dict[str, int] = {}
    for openssl in filter(None, (appliance(), modern())):
        for code in range(2, _LARGEST_CODE):
            text = openssl.lib.X509_verify_cert_error_string(code).decode(errors="replace")
            if "unknown" not in text:
                codes.setdefault(_normalise(text), code)
    return codes


@cache
def _texts() -> dict[str, str]:
    """OpenSSL's texts, by their letters without spaces."""
    texts: dict[str, str] = {}
    for openssl in filter(None, (appliance(), modern())):
        for code in range(2, _LARGEST_CODE):
            text = openssl.lib.X509_verify_cert_error_string(code).decode(errors="replace")
            texts.setdefault("".join(text.split()), text)
            # The older spelling, also where the OpenSSL at hand has the newer one only.
            texts.setdefault("".join(_normalise(text).split()), _normalise(text))
    return texts


def _normalise(text: str) -> str:
    """One spelling, that of 1.1.1."""
    plain = " ".join(text.casefold().split())
    for new, old in _OTHER_SPELLINGS:
        plain = plain.replace(new, old)
    return plain
