"""Verdicts on anything that a node can present or a list can hold: each is a verdict or a documented error, and quick."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from remediate import Cause, Certificate, RemediateError, Verdict, make_plan, verify_chain
from remediate.model.plan import Plan, TrustCertificate
from tests.pki import NOW, YEAR, issue
from tests.planner.build import endpoint, peer, snapshot
from tests.timing import assert_done_within

ADDRESS = "cucm.steven.lab"
root = issue("Root", ca=True)
issuing = issue("Issuing", root, ca=True)
leaf = issue(ADDRESS, issuing, names=(ADDRESS,))


def total(presented: list[Certificate], trusted: list[Certificate]) -> Verdict:
    """Return the verdict, after a check that its fields agree."""
    started = time.process_time()
    verdict = verify_chain(presented, trusted, ADDRESS, NOW)
    assert time.process_time() - started < 5
    assert verdict.ok == (verdict.cause is None) == (verdict.error is None) == (verdict.depth is None)
    return verdict


def read(der: bytes) -> Certificate | None:
    """Return the certificate, or None where it is refused with the documented error."""
    try:
        return Certificate.from_der(der)
    except RemediateError:
        return None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_damage_to_any_certificate_of_the_chain_gives_a_verdict(data: st.DataObject) -> None:
    chain = [leaf.certificate, issuing.certificate, root.certificate]
    victim = data.draw(st.integers(0, 2))
    der = bytearray(chain[victim].der)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(4, len(der) - 1))] = data.draw(st.integers(0, 255))
    damaged = read(bytes(der))
    assert damaged is not None
    chain[victim] = damaged
    total(chain[:2], [chain[2]])
    # Every fact can be asked for, and is empty rather than invented.
    assert isinstance(damaged.subject, str)
    assert isinstance(damaged.san_dns, tuple)
    assert damaged.not_after is None or damaged.not_after.tzinfo is not None
    assert damaged.self_signed in {True, False}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_certificate_or_a_documented_error(der: bytes) -> None:
    certificate = read(der)
    if certificate is not None:
        assert total([certificate], [root.certificate]).ok is False
        assert total([leaf.certificate], [certificate]).ok is False


def test_a_certificate_that_cannot_be_read_is_named_by_its_place() -> None:
    broken = Certificate.from_der(b"\x30\x03\x02\x01\x01")
    verdict = total([leaf.certificate, broken], [root.certificate])
    assert (verdict.cause, verdict.code, verdict.depth) == (Cause.CHAIN_INVALID, 1, 1)
    # and one in the list makes the traffic server drop the whole list
    assert "trusted CA list" in str(total([leaf.certificate, issuing.certificate], [root.certificate, broken]).error)


def test_a_plan_is_made_around_a_certificate_that_cannot_be_read() -> None:
    from tests.pki import Entity

    broken = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), root.private_key, root.name)
    cluster = snapshot(
        [peer(1, [])],
        [endpoint(ADDRESS, 8443, rsa=[leaf, issuing]), endpoint(ADDRESS, 6972, rsa=[leaf, broken])],
        [root, issuing, leaf, broken],
        available=[root, broken],
    )
    plan = make_plan(cluster)
    assert [forecast.after.ok for forecast in plan.endpoints] == [False, True]
    assert plan.unresolved[0].cause is Cause.CHAIN_INVALID


def test_a_hundred_certificates() -> None:
    extra = [issue(f"extra {number}", ca=True, key_name="one key for all").certificate for number in range(100)]
    assert total([leaf.certificate, *extra, issuing.certificate], [root.certificate]).ok
    deep = root
    chain: list[Certificate] = []
    for number in range(100):
        deep = issue(f"deep {number}", deep, ca=True, key_name="one key for all")
        chain.insert(0, deep.certificate)
    last = issue(ADDRESS, deep, names=(ADDRESS,)).certificate
    assert total([last, *chain], [root.certificate]).code == 22


def test_loops_of_cross_signed_authorities_end() -> None:
    count = 8
    roots = [issue(f"CA {number}", ca=True) for number in range(count)]
    crossed = [issue(f"CA {subject}", roots[issuer], ca=True) for subject, issuer in itertools.permutations(range(count), 2)]
    end = issue(ADDRESS, roots[0], names=(ADDRESS,))
    assert not total([end.certificate, *(cross.certificate for cross in crossed)], []).ok
    assert not total([end.certificate], [cross.certificate for cross in crossed]).ok
    # and the plan for them is quick and exact, though a chain has more ways to be mended than can be tried
    cluster = snapshot(
        [peer(1, [])], [endpoint(ADDRESS, rsa=[end])], [*roots, *crossed, end], available=[*roots, *crossed], vouched=roots
    )
    plans: list[Plan] = []
    assert_done_within(20, lambda: plans.append(make_plan(cluster)))
    plan = plans[0]
    assert [action.certificate for action in plan.actions if isinstance(action, TrustCertificate)] == [
        roots[0].certificate.fingerprint
    ]
    assert plan.shortfall is None


def test_two_authorities_with_one_subject_and_different_keys() -> None:
    twin = issue("Issuing", root, ca=True, key_name="another key")
    assert total([leaf.certificate, twin.certificate, issuing.certificate], [root.certificate]).ok
    without_key_ids = issue("Bare", ca=True, key_ids=False)
    bare_twin = issue("Bare", ca=True, key_ids=False, key_name="another bare key")
    end = issue(ADDRESS, without_key_ids, names=(ADDRESS,), key_ids=False)
    assert total([end.certificate], [without_key_ids.certificate, bare_twin.certificate]).ok
    shadowed = total([end.certificate], [bare_twin.certificate, without_key_ids.certificate])
    assert (shadowed.cause, shadowed.code) == (Cause.SHADOWED, 7)


def test_odd_certificates() -> None:
    base = (
        x509.CertificateBuilder()
        .subject_name(leaf.name)
        .issuer_name(issuing.name)
        .serial_number(1)
        .not_valid_before(NOW - YEAR)
        .not_valid_after(NOW + YEAR)
    )
    odd = [
        base.public_key(rsa.generate_private_key(65537, 1024).public_key()),
        base.public_key(ec.generate_private_key(ec.SECP521R1()).public_key()),
        base.public_key(ed25519.Ed25519PrivateKey.generate().public_key()),
    ]
    critical = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    odd.append(odd[0].add_extension(critical, critical=True))
    for builder in odd:
        signed = builder.sign(issuing.private_key, hashes.SHA256())
        total([Certificate.from_der(signed.public_bytes(Encoding.DER)), issuing.certificate], [root.certificate])


def test_a_weak_key_passes_on_the_appliance() -> None:
    small = rsa.generate_private_key(65537, 1024)
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.name)
        .issuer_name(leaf.name)
        .serial_number(1)
        .not_valid_before(NOW - YEAR)
        .not_valid_after(NOW + timedelta(days=400))
        .public_key(small.public_key())
    )
    certificate = Certificate.from_der(builder.sign(small, hashes.SHA256()).public_bytes(Encoding.DER))
    assert verify_chain([certificate], [certificate], None, NOW).ok
    assert certificate.key_bits == 1024
