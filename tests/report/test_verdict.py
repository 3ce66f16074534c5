"""The drawn chain, the event lines, and progress."""

from __future__ import annotations

import io

from remediate.model.certificate import Certificate
from remediate.model.verdict import Cause, Verdict
from remediate.report.terminal import make_console
from remediate.report.text import short_fingerprint
from remediate.report.verdict import draw_chain, show_verdict
from tests.der import called, certificate
from tests.pki import issue
from tests.report.builders import authority

LEAF = authority("leaf", issuer="root")


def test_a_chain_ends_in_the_missing_issuer() -> None:
    verdict = Verdict(ok=False, cause=Cause.ISSUER_UNKNOWN, error="unable to get local issuer certificate", code=20, depth=0)

    leaf, missing = draw_chain([LEAF], [], verdict)

    assert (leaf.origin, leaf.breaks, leaf.depth) == ("presented", True, 0)
    assert (missing.origin, missing.certificate, missing.name) == ("missing", None, "CN=root,O=Lab")


def test_a_namesake_with_another_key_stays_out_of_the_chain() -> None:
    # Given a list that holds a CA with the issuer's name and another key
    namesake = issue("root", ca=True, key_name="another key").certificate
    verdict = Verdict(ok=False, cause=Cause.ISSUER_UNKNOWN, error="unable to get local issuer certificate", code=20, depth=0)
    stream = io.StringIO()

    links = draw_chain([LEAF], [namesake], verdict)
    show_verdict(make_console(stream, color=False), "cucm.test", verdict, links, [])

    assert [(link.origin, link.namesakes) for link in links] == [("presented", ()), ("missing", (namesake,))]
    assert f"a CA with the same name that did not issue it: {short_fingerprint(namesake.fingerprint)}" in stream.getvalue()
    assert "✓" not in stream.getvalue()


def test_nothing_is_drawn_above_what_cannot_be_read() -> None:
    unreadable = Certificate.from_der(b"\x30\x03\x02\x01\x01")
    verdict = Verdict(ok=False, cause=Cause.CHAIN_INVALID, error="a presented certificate cannot be read", code=1, depth=0)
    stream = io.StringIO()

    links = draw_chain([unreadable], [unreadable, Certificate.from_der(b"\x30\x03\x02\x01\x02")], verdict)
    show_verdict(make_console(stream, color=False), "cucm.test", verdict, links, [])

    assert [link.certificate for link in links] == [unreadable]
    assert "✗ (a certificate that cannot be read)" in stream.getvalue()


def test_an_issuer_whose_name_a_strict_reader_refuses_is_found_by_it() -> None:
    # Given two CAs with names that a PrintableString does not allow, one of which issued the leaf
    issuing, other_ca = certificate(called("Corp_Root")), certificate(called("Other_CA"))
    leaf = certificate(called("n.lab"), called("Corp_Root"))

    links = [draw_chain([leaf], [issuer], Verdict(ok=False, code=20, depth=0))[-1] for issuer in (issuing, other_ca)]

    assert [(link.certificate, link.name) for link in links] == [(issuing, "CN=Corp_Root"), (None, "CN=Corp_Root")]


def test_the_trusted_list_comes_before_what_was_presented() -> None:
    trusted, presented = authority("root"), authority("root")

    links = draw_chain([LEAF, presented], [trusted], Verdict(ok=True))

    assert [link.origin for link in links] == ["presented", "trusted"]
    assert links[1].certificate == trusted


def test_a_loop_of_cross_signed_authorities_ends() -> None:
    first, second = authority("a", issuer="b"), authority("b", issuer="a")

    assert len(draw_chain([first, second], [], Verdict(ok=False, cause=Cause.ISSUER_UNKNOWN, code=20, depth=1))) <= 3


def test_the_drawing_names_the_break_and_the_fix() -> None:
    stream = io.StringIO()
    verdict = Verdict(ok=False, cause=Cause.ISSUER_UNKNOWN, error="unable to get local issuer certificate", code=20, depth=0)

    show_verdict(make_console(stream, color=False), "cucm.test", verdict, draw_chain([LEAF], [], verdict), ["add CN=\x1b root"])

    assert "✗ cucm.test is refused: issuer-unknown" in stream.getvalue()
    assert "(code 20, at depth 0)" in stream.getvalue()
    assert "└─ ✗ CN=root,O=Lab  [1] not found" in stream.getvalue()
    assert "→ add CN=\\u{1b} root" in stream.getvalue()
