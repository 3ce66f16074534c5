"""Verdicts of this machine's OpenSSL, corrected to 1.1.1, beside the appliance's own 1.1.1w, on the same parsed chains."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from benchmarks.fleet import NOW, certificate
from benchmarks.verdicts import CHAINS
from remediate.model.library import openssl
from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.trust_store import TrustStore
from tests.libraries import openssl_35, openssl_111

COUNT = 1500
ROUNDS = 4
"""The best round of each library counts, as timeit has it; the libraries take turns."""


def run() -> None:
    """Print the rate of each library, and its ratio to 1.1.1w, for each kind of chain."""
    try:
        libraries = {"1.1.1w": openssl_111(), "this machine's": openssl()}
    except pytest.skip.Exception as reason:
        print(f"libraries: {reason}")
        return
    with suppress(AssertionError):  # `make setup` unpacks it
        libraries["3.5"] = openssl_35()
    for name, of_leaf, of_ca in CHAINS:
        root = certificate("Root", "Root", ca=True, family=of_ca).der
        issuing = certificate("Issuing", "Root", ca=True, family=of_ca).der
        leaves = [certificate(f"node{number}.bench", "Issuing", family=of_leaf, signer=of_ca).der for number in range(COUNT)]
        works = {label: partial(_verify, library, root, issuing, leaves) for label, library in libraries.items()}
        for work in works.values():
            work()  # Parsing is the same everywhere, and is not measured here.
        rates = {label: max(_rate(work) for _ in range(ROUNDS)) for label, work in works.items()}
        each = ", ".join(f"{libraries[label].version.split()[1]} {rate:,.0f}/s" for label, rate in rates.items())
        ratios = ", ".join(f"{rate / rates['1.1.1w']:.2f}" for label, rate in rates.items() if label != "1.1.1w")
        print(f"libraries: {each}; ratio to 1.1.1w {ratios} ({name})")


def _verify(library: Libcrypto, root: bytes, issuing: bytes, leaves: list[bytes]) -> int:
    store, at = TrustStore(library, [root]), int(NOW.timestamp())
    return sum(store.verify([leaf, issuing], at)[0] == 0 for leaf in leaves)


def _rate(work: Callable[[], int]) -> float:
    started = time.process_time()
    assert work() == COUNT
    return COUNT / (time.process_time() - started)
