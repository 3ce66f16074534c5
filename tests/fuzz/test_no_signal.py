"""No certificate ends the tool with a signal: the corpus and a little fuzzing, each through every call, in a child process."""

from __future__ import annotations

import os
import random

import pytest

from tests import corpus
from tests.fuzz.campaign import draw_batch, run
from tests.fuzz.child import CERTIFICATE, FACTS_ONLY, FILE
from tests.fuzz.mutations import armoured, mutate_certificate, parse
from tests.fuzz.samples import made_here, of_the_corpus, without_parameters
from tests.pki import issue

SEED = int(os.environ.get("REMEDIATE_SEED") or random.SystemRandom().randrange(2**32))


def test_every_kind_of_key_has_every_fact() -> None:
    certificates = made_here()
    assert {"rsa", "dsa", "ecdsa", "ed25519", "ed448", "unknown"} <= {certificate.key_family for certificate in certificates}

    assert list(run([(CERTIFICATE, certificate.der) for certificate in certificates])) == []


def test_every_certificate_of_the_corpus_has_every_fact() -> None:
    certificates = of_the_corpus()
    if not certificates:
        pytest.skip(f"the corpus is not here ({corpus.FOLDER}); set REMEDIATE_CORPUS to its folder")

    assert list(run([(FACTS_ONLY, certificate.der) for certificate in certificates])) == []


def test_damage_of_every_kind_ends_nothing() -> None:
    samples = [certificate.der for certificate in made_here()]

    findings = list(run(draw_batch(SEED, samples)))

    assert findings == [], f"REMEDIATE_SEED={SEED}"


def test_a_key_without_parameters_has_no_size() -> None:
    # Given a DSA key that leaves its parameters to its issuer (RFC 3279, 2.3.2)
    bare = next(parameter for parameter in without_parameters() if parameter.key_family == "dsa")

    assert (bare.key_bits, bare.key_family, bare.subject) == (None, "dsa", "CN=odd key")


def test_the_child_is_ended_by_what_is_reported() -> None:
    # Given, between two good inputs, one that is none
    good = (FILE, armoured(issue("Root", ca=True).certificate.der).encode())

    findings = list(run([good, (b"?", b""), good]))

    assert [(finding.input, finding.how) for finding in findings] == [((b"?", b""), "KeyError: b'?'")]


def test_a_seed_gives_the_same_damage_again() -> None:
    samples = [certificate.der for certificate in made_here()]

    assert draw_batch(7, samples, 50) == draw_batch(7, samples, 50)
    assert len(set(draw_batch(7, samples, 50))) > 40
    assert [node.encoded() for node in parse(samples[0]) or ()] == [samples[0]]
    assert mutate_certificate(samples[0], samples[1], random.Random(1))  # noqa: S311 - nothing secret != samples[0]
