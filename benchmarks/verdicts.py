"""Verdicts a second on one core, parsing included, beside pyOpenSSL's X509StoreContext on the same chains in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from OpenSSL import crypto

from benchmarks.fleet import NOW, certificate
from remediate import Certificate, verify_chain

COUNT = 3000


def run() -> None:
    """Print both rates and their ratio, for RSA chains and for ECDSA chains."""
    for family, name in (("rsa", "RSA-2048"), ("ecdsa", "P-256")):
        root = certificate("Root", "Root", ca=True, family=family).der
        issuing = certificate("Issuing", "Root", ca=True, family=family).der
        leaves = [
            certificate(f"node{number}.bench", "Issuing", (f"node{number}.bench",), family=family).der
            for number in range(COUNT)
        ]
        ours = _rate(partial(_remediate, leaves, issuing, root))
        theirs = _rate(partial(_pyopenssl, leaves, issuing, root))
        print(f"verdicts: {ours:,.0f}/s, pyOpenSSL {theirs:,.0f}/s ({name} chains of 3), ratio {ours / theirs:.2f}")


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
