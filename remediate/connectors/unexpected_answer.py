"""Descriptions of HTTP answers that are not what was requested: a web page, a redirect. They are bounded and safe to print."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from remediate.model.expressway import ADMINISTRATOR_ACCOUNTS_PAGE
from remediate.model.text import mask_and_escape

_MAX_SEARCHED = 4096
"""Characters of a body that are searched for the signs of a web page."""

_HTML = re.compile(r"<!doctype\s|<html[\s>]", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,80}>([^<]{1,200})", re.IGNORECASE)


def is_html(text: str) -> bool:
    """Return whether `text` begins like a web page.

    The content decides: a peer sends its PEM as ``text/html``, too.
    """
    return bool(_HTML.search(text, 0, _MAX_SEARCHED))


def describe_body(text: str) -> str:
    """Describe in a few words what `text` is: ``a web page (HTML), “Sign in”``."""
    if not text.strip():
        return "an empty answer"
    if is_html(text):
        title = _TITLE.search(text, 0, _MAX_SEARCHED)
        return f"a web page (HTML), “{mask_and_escape(' '.join(title[1].split()), 60)}”" if title else "a web page (HTML)"
    return f"`{mask_and_escape(text, 80)}`"


_MAX_HOST_CHARACTERS = 100


def describe_redirect(status: int, location: str | None, host: str, port: int) -> str:
    """Describe a redirect and give the advice that fits it, as the end of a sentence and a second one.

    Only host and port of the target are shown: a path or a query may hold a session.

    Args:
        status: HTTP status.
        location: The ``Location`` header, unchanged.
        host: Host that answered.
        port: Port that answered.
    """
    return ". ".join(_explain_redirect(status, location, host, port))


def name_redirect(status: int, location: str | None, host: str, port: int) -> str:
    """Describe a redirect without the advice, which is about a peer; the arguments are those of `describe_redirect`."""
    return _explain_redirect(status, location, host, port)[0]


def _explain_redirect(status: int, location: str | None, host: str, port: int) -> tuple[str, str]:
    redirect = f"a redirect (HTTP {status})"
    if not location:
        return f"{redirect} without a target", _PROXY_ADVICE
    try:
        target = urlsplit(location)
        other_host, other_port = target.hostname, target.port or (80 if target.scheme == "http" else 443)
    except ValueError:
        return f"{redirect} to an address that cannot be read", _PROXY_ADVICE
    if other_host is None or (other_host == host.casefold() and other_port == port):
        return f"{redirect} to another of its own pages", _LOGIN_ADVICE
    host_name = mask_and_escape(other_host, _MAX_HOST_CHARACTERS)
    if other_host == host.casefold():
        return (
            f"{redirect} to port {other_port}",
            f"If web administration is there, set `rest_port: {other_port}` in the inventory.",
        )
    return f"{redirect} to {host_name}", _PROXY_ADVICE


_PROXY_ADVICE = (
    "A proxy or single sign-on answers there, not the peer itself: "
    "give the peer's own address and the port of its web administration (`rest_port`)."
)
_LOGIN_ADVICE = (
    "It redirects API requests to its login page: check that API access is on for this account "
    f"({ADMINISTRATOR_ACCOUNTS_PAGE})."
)
