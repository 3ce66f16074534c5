"""The forms of requests and answers of Mobile and Remote Access, whatever a system sends."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from remediate.connectors.expressway.mra_forms import classify, guess_domain, read_session, request_path, sign_in_path
from remediate.connectors.http import Answer
from remediate.model.identity import Address
from remediate.model.masking import mask
from remediate.model.secret import Secret

TEXT = st.text(st.characters(codec="latin-1"), max_size=120)
NAMES = st.text(string.ascii_letters + string.digits + ".-", min_size=1, max_size=60)


@given(TEXT, TEXT)
def test_no_cookie_ends_a_header(value: str, attributes: str) -> None:
    session = read_session(Answer(200, b"", cookies=(f"X-Auth={value};{attributes}",)), 4096)
    if isinstance(session, Secret):
        header = session.reveal()
        assert header.startswith("X-Auth=")
        assert all("!" <= character <= "~" and character not in ';,"\\' for character in header)


@given(st.integers(100, 599), st.binary(max_size=60), TEXT, TEXT)
def test_every_answer_has_a_meaning_that_can_be_printed(status: int, body: bytes, reason: str, server: str) -> None:
    answer = classify(Answer(status, body, reason=reason, server=server), "/x/cucm-uds/version")
    for text in (answer.detail, answer.reason, answer.server):
        assert text.isprintable()


@given(NAMES, NAMES, st.integers(1, 65535))
def test_a_target_is_one_part_of_a_path(domain: str, address: str, port: int) -> None:
    target, remainder = request_path(domain, Address(address), port, None)[1:].split("/", 1)
    assert (remainder, set(target) & set("=+")) == ("", set())
    assert sign_in_path(domain).count("/") == 2


def test_a_short_cookie_masks_no_word() -> None:
    read_session(Answer(200, b"", cookies=("X-Auth=peer",)), 4096)
    assert mask("the peer answers X-Auth=peer") == "the peer answers ***"


def test_the_first_session_cookie_counts_among_others() -> None:
    cookies = ("JSESSIONID=1; Path=/", "X-Auth=first; Path=/", "X-Auth=second")
    session = read_session(Answer(200, b"", cookies=cookies), 4096)
    assert isinstance(session, Secret)
    assert session.reveal() == "X-Auth=first"


def test_the_domain_of_a_node_is_what_follows_its_name() -> None:
    domains = [guess_domain(Address(address)) for address in ("cucm.steven.lab", "cucm", "10.48.36.215", "2001:db8::1")]
    assert domains == ["steven.lab", None, None, None]
