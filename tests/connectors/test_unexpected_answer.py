"""HTTP answers that are not what was requested, in a few safe words."""

from __future__ import annotations

import pytest

from remediate.connectors.unexpected_answer import describe_body, describe_redirect, is_html


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \n", "an empty answer"),
        ("<!DOCTYPE html><title>\nSign  in</title>", "a web page (HTML), “Sign in”"),
        ("<html>", "a web page (HTML)"),
        ("plain \x1b[2J", "`plain \\x1b[2J`"),
    ],
)
def test_a_body_is_described(text: str, words: str) -> None:
    assert describe_body(text) == words


def test_a_pem_is_no_web_page_whatever_it_is_sent_as() -> None:
    assert not is_html("-----BEGIN CERTIFICATE-----\n")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (None, "without a target"),
        ("https://[", "to an address that cannot be read"),
        ("/login", "to another of its own pages"),
        ("https://EXPC1.test:443/login?session=canary", "to another of its own pages"),
        ("https://expc1.test:7443/", "set `rest_port: 7443`"),
        ("https://sso.test/?session=canary", "to sso.test. A proxy or single sign-on answers there"),
    ],
)
def test_a_redirect_has_its_advice_and_shows_no_session(location: str | None, words: str) -> None:
    text = describe_redirect(302, location, "expc1.test", 443)

    assert words in text
    assert text.startswith("a redirect (HTTP 302)")
    assert "canary" not in text
