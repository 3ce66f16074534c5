"""Chains mixed from the certificates of several cases: OpenSSL 1.1.1w beside the library that answers for it."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import pytest

from remediate.model.certificate import Certificate
from remediate.model.library import openssl
from remediate.openssl.libcrypto import Libcrypto
from remediate.openssl.trust_store import TrustStore
from remediate.openssl.x509 import Unreadable
from tests.corpus import cases
from tests.libraries import openssl_35, openssl_111
from tests.properties.clusters import authorities, leaf

COUNT = int(os.environ.get("REMEDIATE_EXAMPLES", "2000"))
MAX_OTHER_CODES = 1 / 2000
"""How many answers may have another code or depth; none may accept or refuse otherwise."""

Question = tuple[Sequence[bytes], Sequence[bytes], int]
certificate = cache(Certificate.from_pem)


def answer(library: Libcrypto, question: Question) -> tuple[int, int]:
    """(code, depth) of `library`; (-1, 0) where it cannot read a presented certificate."""
    presented, trusted, at = question
    try:
        return TrustStore(library, trusted).verify(presented, at)[:2]
    except Unreadable:
        return -1, 0


def boundary(draw: random.Random, certificates: Sequence[Certificate], usual: int) -> int:
    """Draw the usual moment, or one at which a validity begins or ends, or a second beside it."""
    moments = [moment for certificate in certificates for moment in (certificate.not_before, certificate.not_after) if moment]
    if not moments or draw.random() < 0.5:
        return usual
    return int(draw.choice(moments).timestamp()) + draw.choice((-1, 0, 1))


def from_the_corpus(draw: random.Random) -> list[Question]:
    """Questions of certificates that never met: two or three neighbouring cases, shuffled."""
    corpus = list(cases("verdicts"))
    questions: list[Question] = []
    for _ in range(COUNT):
        start = draw.randrange(len(corpus) - 3)
        mixed = corpus[start : start + draw.choice((2, 3))]
        presented = [pem for case in mixed for pem in case["presented"]]
        trusted = [pem for case in mixed for pem in case["trusted"]]
        leaf_first = [presented.pop(0), *draw.sample(presented, min(len(presented), draw.randrange(6)))]
        listed = draw.sample(trusted + presented, min(len(trusted) + len(presented), draw.randrange(1, 7)))
        certificates = [certificate(pem) for pem in (*leaf_first, *listed)]
        at = boundary(draw, certificates, int(mixed[0]["time"]))
        questions.append(([certificate(pem).der for pem in leaf_first], [certificate(pem).der for pem in listed], at))
    return questions


def from_our_own(draw: random.Random) -> list[Question]:
    """Questions of the authorities that clusters are drawn from: cross-signed, renewed, expired, of one name."""
    names = sorted(authorities().keys() - {"unreadable"})
    questions: list[Question] = []
    for _ in range(COUNT):
        own = leaf(draw.randrange(3), draw.choice(["itself", *names[:6]]), fits=True)
        above = [authorities()[name].certificate for name in draw.sample(names, draw.randrange(4))]
        listed = [authorities()[name].certificate for name in draw.sample(names, draw.randrange(6))]
        usual = int((own.not_before or authorities()["root"].certificate.not_before).timestamp()) + 40_000_000  # type: ignore[union-attr]
        at = boundary(draw, [own, *above, *listed], usual)
        questions.append(([ca.der for ca in (own, *above)], [ca.der for ca in listed], at))
    return questions


@pytest.mark.parametrize("library", [openssl, openssl_35], ids=["this Python's", "3.5"])
@pytest.mark.parametrize("questions", [from_the_corpus, from_our_own])
def test_mixed_chains_get_the_answers_of_openssl_1_1_1w(
    questions: Callable[[random.Random], list[Question]], library: Callable[[], Libcrypto]
) -> None:
    seed = int(os.environ.get("REMEDIATE_SEED", "11"))
    sample = questions(random.Random(seed))  # noqa: S311 - drawn by seed, no secret
    codes: Counter[int] = Counter()
    otherwise, other_codes = [], []
    for number, question in enumerate(sample):
        expected, actual = answer(openssl_111(), question), answer(library(), question)
        codes[expected[0]] += 1
        if (expected[0] == 0) != (actual[0] == 0):
            otherwise.append((seed, number, expected, actual))
        elif expected != actual:
            other_codes.append((seed, number, expected, actual))
    assert otherwise == []
    assert len(other_codes) <= len(sample) * MAX_OTHER_CODES, other_codes
    assert codes[0] > len(sample) / 100, codes
