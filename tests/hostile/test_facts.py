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
from remediate.report.chain import draw as drawn_chain
from remediate.report.drawing import show_verdict
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from remediate.report.terminal import make_console, show_plan
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.openssl import name_hashes
from remediate.trust.verify import explain_chain
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


def said_by_the_program(certificate: Certificate) -> dict[str, str] | None:
    """What `openssl x509` prints; None where it cannot read the certificate."""
    wanted = ["-subject_hash", "-issuer_hash", "-startdate", "-enddate", "-dateopt", "iso_8601"]
    command = ["openssl", "x509", "-inform", "DER", "-noout", *wanted]
    done = subprocess.run(command, input=certificate.der, capture_output=True, check=False, timeout=30)
    lines = done.stdout.decode(errors="replace").splitlines()
    if len(lines) < 4:
        return None
    subject, issuer, begins, ends = lines
    return {"subject": subject, "issuer": issuer, "begins": begins.partition("=")[2], "ends": ends.partition("=")[2]}


def moment(printed: str) -> datetime | None:
    """A date as the program prints it, where it prints one that Python has."""
    found = _ISO.fullmatch(printed)
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=UTC) if found else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def is_safe(shown: str) -> bool:
    """Nothing in it steers a terminal."""
    return all(one.isprintable() or one == "\n" for one in shown)


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(families(size=1))
def test_the_facts_are_what_the_program_reads(family: list[Certificate]) -> None:
    (one,) = family
    facts, said = facts_of(one), said_by_the_program(one)

    if not facts["readable"]:
        assert (facts["subject"], facts["not_after"], facts["self_issued"]) == ("", None, False)
    if said is None:
        return  # 1.1.1 reads a little more than 3.x does: surrogate pairs in a BMPString
    assert facts["readable"]
    assert facts["self_issued"] == (said["subject"] == said["issuer"])
    assert (f"{name_hashes(one).subject:08x}", f"{name_hashes(one).issuer:08x}") == (said["subject"], said["issuer"])
    assert (facts["not_before"], facts["not_after"]) == (moment(said["begins"]), moment(said["ends"]))


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(families(), st.data())
def test_every_question_about_them_has_an_answer(family: list[Certificate], data: st.DataObject) -> None:
    presented = data.draw(st.lists(st.sampled_from(family), min_size=1, max_size=3))
    trusted = data.draw(st.lists(st.sampled_from(family), max_size=3))
    for one in family:
        facts_of(one)
        assert common_name_group(one)
        assert {name_matches(one, ADDRESS), name_matches(one, "\ud800")} <= {True, False}
        assert all(name.encode() for name in matching_addresses(one))
        role = Candidates((one,), frozenset({one.fingerprint}), frozenset(), frozenset()).role(one)
        assert (role == "self-signed") == one.self_issued

    explained = explain_chain(presented, trusted, ADDRESS, NOW)
    links = drawn_chain(presented, trusted, explained.verdict, explained.built_chain)
    fixes = find_fixes(presented, trusted, ADDRESS, NOW)
    stream = io.StringIO()
    show_verdict(make_console(stream, color=False), ADDRESS, explained.verdict, links, fixes.advice)

    assert is_safe(stream.getvalue())
    # Above what OpenSSL built, a certificate stands only over one that it issued.
    drawn = [link.certificate for link in links if link.certificate]
    built = max(1, len(explained.built_chain))
    assert all(above.issued(below) for below, above in zip(drawn[built - 1 :], drawn[built:], strict=False))


@settings(max_examples=max(1, MANY // 2), deadline=None, suppress_health_check=list(HealthCheck))
@given(families(), st.data())
def test_a_plan_with_them_is_made_and_shown(family: list[Certificate], data: st.DataObject) -> None:
    entities = [Entity(one, key("by hand"), x509.Name([])) for one in family]
    some = st.lists(st.sampled_from(entities), max_size=3)
    seen = snapshot(
        [peer(number, data.draw(some)) for number in (1, 2)],
        [
            endpoint(ADDRESS, port, ecdsa=[data.draw(st.sampled_from(entities)), *data.draw(some)], tls13=False)
            for port in (8443, 6972)
        ],
        entities,
        available=data.draw(some),
        vouched=data.draw(some),
    )
    policy = Policy(trust_self_signed=data.draw(st.booleans()))

    plan = make_plan(Snapshot.from_json(seen.to_json()), policy)

    assert Plan.from_json(plan.to_json()) == plan
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), plan, every_row=True, explain=True)
    assert is_safe(stream.getvalue())
    assert is_safe(plan_ticket(plan))
    assert is_safe(plan_page(plan))
    if not policy.trust_self_signed:
        own = {chain[0] for one in seen.endpoints for chain in one.presented.values()}
        trusts = [action.certificate for action in plan.actions if isinstance(action, TrustCertificate)]
        assert not [trust for trust in trusts if trust in own and seen.certificates[trust].self_issued]
