"""Whatever a certificate holds: its facts are what the `openssl` program reads, and nothing that shows or uses them raises."""

from __future__ import annotations

import io
import os
import re
import subprocess
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediate import Certificate, Plan, Policy, Snapshot, make_plan
from remediate.model.plan import TrustCertificate
from remediate.planner.advice.explain import find_fixes
from remediate.planner.solver.candidates import Candidates, common_name_group
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from remediate.report.terminal import make_console, show_plan
from remediate.report.verdict import draw_chain, show_verdict
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.openssl import name_hashes
from remediate.trust.verifier import verify_chain
from tests.hostile.forgeries import ADDRESS, families
from tests.pki import NOW, Entity, key
from tests.planner.build import endpoint, peer, snapshot

MANY = int(os.environ.get("REMEDIATE_EXAMPLES", "100"))
FACTS = [name for name, value in vars(Certificate).items() if isinstance(value, cached_property)]
_ISO = re.compile(r" *(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?Z")


def facts_of(certificate: Certificate) -> dict[str, object]:
    """Every fact, asked anew; whatever is text can be written down."""
    facts = {name: getattr(Certificate(certificate.der), name) for name in FACTS}
    str(facts).encode()
    return facts


def run_openssl(certificate: Certificate) -> dict[str, str] | None:
    """Return what `openssl x509` prints; None where it cannot read the certificate."""
    options = ["-subject_hash", "-issuer_hash", "-startdate", "-enddate", "-dateopt", "iso_8601"]
    command = ["openssl", "x509", "-inform", "DER", "-noout", *options]
    process = subprocess.run(command, input=certificate.der, capture_output=True, check=False, timeout=30)
    lines = process.stdout.decode(errors="replace").splitlines()
    if len(lines) < 4:
        return None
    subject, issuer, begins, ends = lines
    return {"subject": subject, "issuer": issuer, "begins": begins.partition("=")[2], "ends": ends.partition("=")[2]}


def moment(printed: str) -> datetime | None:
    """Parse a date of the program; None where Python cannot hold it."""
    match = _ISO.fullmatch(printed)
    try:
        return datetime(*(int(part) for part in match.groups()), tzinfo=UTC) if match else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def is_safe(text: str) -> bool:
    """Nothing in it steers a terminal."""
    return all(character.isprintable() or character == "\n" for character in text)


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(families(size=1))
def test_the_facts_are_what_the_program_reads(family: list[Certificate]) -> None:
    (certificate,) = family
    facts, printed = facts_of(certificate), run_openssl(certificate)

    if not facts["readable"]:
        assert (facts["subject"], facts["not_after"], facts["self_issued"]) == ("", None, False)
    if printed is None:
        return  # 1.1.1 reads a little more than 3.x does: surrogate pairs in a BMPString
    assert facts["readable"]
    assert facts["self_issued"] == (printed["subject"] == printed["issuer"])
    assert (f"{name_hashes(certificate).subject:08x}", f"{name_hashes(certificate).issuer:08x}") == (
        printed["subject"],
        printed["issuer"],
    )
    assert (facts["not_before"], facts["not_after"]) == (moment(printed["begins"]), moment(printed["ends"]))


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(families(), st.data())
def test_every_question_about_them_has_an_answer(family: list[Certificate], data: st.DataObject) -> None:
    presented = data.draw(st.lists(st.sampled_from(family), min_size=1, max_size=3))
    trusted = data.draw(st.lists(st.sampled_from(family), max_size=3))
    for certificate in family:
        facts_of(certificate)
        assert common_name_group(certificate)
        assert {name_matches(certificate, ADDRESS), name_matches(certificate, "\ud800")} <= {True, False}
        assert all(name.encode() for name in matching_addresses(certificate))
        role = Candidates((certificate,), frozenset({certificate.fingerprint}), frozenset(), frozenset()).role(certificate)
        assert (role == "self-signed") == certificate.self_issued

    verdict = verify_chain(presented, trusted, ADDRESS, NOW)
    links = draw_chain(presented, trusted, verdict)
    fixes = find_fixes(presented, trusted, ADDRESS, NOW)
    stream = io.StringIO()
    show_verdict(make_console(stream, color=False), ADDRESS, verdict, links, fixes.advice)

    assert is_safe(stream.getvalue())
    # Above what OpenSSL built, a certificate stands only over one that it issued.
    certificates = [link.certificate for link in links if link.certificate]
    built_length = max(1, len(verdict.built_chain))
    assert all(
        above.has_issued(below)
        for below, above in zip(certificates[built_length - 1 :], certificates[built_length:], strict=False)
    )


@settings(max_examples=max(1, MANY // 2), deadline=None, suppress_health_check=list(HealthCheck))
@given(families(), st.data())
def test_a_plan_with_them_is_made_and_shown(family: list[Certificate], data: st.DataObject) -> None:
    entities = [Entity(certificate, key("by hand"), x509.Name([])) for certificate in family]
    entity_lists = st.lists(st.sampled_from(entities), max_size=3)
    cluster = snapshot(
        [peer(number, data.draw(entity_lists)) for number in (1, 2)],
        [
            endpoint(ADDRESS, port, ecdsa=[data.draw(st.sampled_from(entities)), *data.draw(entity_lists)], tls13=False)
            for port in (8443, 6972)
        ],
        entities,
        available=data.draw(entity_lists),
        vouched=data.draw(entity_lists),
    )
    policy = Policy(trust_self_signed=data.draw(st.booleans()))

    plan = make_plan(Snapshot.from_json(cluster.to_json()), policy)

    assert Plan.from_json(plan.to_json()) == plan
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), plan, every_row=True, explain=True)
    assert is_safe(stream.getvalue())
    assert is_safe(plan_ticket(plan))
    assert is_safe(plan_page(plan))
    if not policy.trust_self_signed:
        own = {chain[0] for node in cluster.endpoints for chain in node.presented.values()}
        trusts = [action.certificate for action in plan.actions if isinstance(action, TrustCertificate)]
        assert not [trust for trust in trusts if trust in own and cluster.certificates[trust].self_issued]
