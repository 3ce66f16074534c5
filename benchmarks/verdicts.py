"""Verdicts a second on one core, parsing included, beside pyOpenSSL's X509StoreContext on the same chains in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from OpenSSL import crypto

from benchmarks.fleet import NOW, certificate
from remediate import Certificate, verify_chain

COUNT = 1500
ROUNDS = 3
"""Each kind of chain is measured so often with new leaves, ours and theirs in turn; the best of each counts, as timeit has it."""


CHAINS = (
    ("RSA-2048", "rsa", "rsa"),
    ("P-256 under RSA-2048 CAs, as an -ECDSA certificate of Unified CM usually is", "ecdsa", "rsa"),
    ("P-256 throughout", "ecdsa", "ecdsa"),
)
"""Chains of three: what they are, the family of the leaf's key, that of the CAs'."""


def run() -> None:
    """Print both rates and their ratio for each kind of chain."""
    for name, of_leaf, of_ca in CHAINS:
        root = certificate("Root", "Root", ca=True, family=of_ca).der
        issuing = certificate("Issuing", "Root", ca=True, family=of_ca).der
        ours = theirs = 0.0
        for _ in range(ROUNDS):
            leaves = [
                certificate(f"node{number}.bench", "Issuing", (f"node{number}.bench",), family=of_leaf, signer=of_ca).der
                for number in range(COUNT)
            ]
            ours = max(ours, _rate(partial(_remediate, leaves, issuing, root)))
            theirs = max(theirs, _rate(partial(_pyopenssl, leaves, issuing, root)))
        print(f"verdicts: {ours:,.0f}/s, pyOpenSSL {theirs:,.0f}/s, ratio {ours / theirs:.2f} ({name})")


def _rate(work: Callable[[], int]) -> float:
    started = time.process_time()
    assert work() == COUNT
    return COUNT / (time.process_time() - started)


def _remediate(leaves: list[bytes], issuing: bytes, root: bytes) -> int:
    accepted = 0
    for index, leaf in enumerate(leaves):
        chain = [Certificate.from_der(leaf), Certificate.from_der(issuing)]
        accepted += verify_chain(chain, [Certificate.from_der(root)], f"node{index}.bench", NOW).ok
    return accepted


def _pyopenssl(leaves: list[bytes], issuing: bytes, root: bytes) -> int:
    store = crypto.X509Store()
    store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, root))
    store.set_time(NOW.replace(tzinfo=None))
    for leaf in leaves:
        presented = crypto.load_certificate(crypto.FILETYPE_ASN1, leaf)
        above = crypto.load_certificate(crypto.FILETYPE_ASN1, issuing)
        crypto.X509StoreContext(store, presented, [above]).verify_certificate()
    return len(leaves)
