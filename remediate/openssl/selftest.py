"""The self-test: does a library answer as OpenSSL 1.1.1 does, on chains where libraries are known to differ?

It catches what a version number does not show: LibreSSL and BoringSSL behind OpenSSL's names, a system policy that refuses SHA-1
whatever the level, a FIPS provider. The chains and 1.1.1w's answers are in ``selftest.json``, which
``scripts/make_openssl_selftest.py`` writes.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from importlib.resources import files
from typing import Any

from remediate.openssl.libcrypto import Libcrypto, default_libcrypto
from remediate.openssl.trust_store import TrustStore
from remediate.openssl.x509 import Unreadable

_UNREADABLE = (-1, -1)


def failed_self_tests(openssl: Libcrypto) -> tuple[str, ...]:
    """Return the names of the chains that `openssl` judges otherwise than 1.1.1w, such as ``a SHA-1 signature``; empty is good."""
    document = _document()
    failed: list[str] = []
    for case in document["cases"]:
        trusted, presented = ([base64.b64decode(text) for text in case[key]] for key in ("trusted", "presented"))
        try:
            answer = TrustStore(openssl, trusted).verify(presented, document["at"])[:2]
        except Unreadable:
            answer = _UNREADABLE
        if answer != (case["code"], case["depth"]):
            failed.append(case["name"])
    return tuple(failed)


@cache
def default_failures() -> tuple[str, ...]:
    """Return the self-tests that the library of this Python fails, tested once a process."""
    return failed_self_tests(default_libcrypto())


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files("remediate.openssl").joinpath("selftest.json").read_text(encoding="utf-8"))
    return document
