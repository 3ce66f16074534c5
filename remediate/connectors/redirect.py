"""A redirect that is not followed: where it points, and what that says of the address or the port in the inventory."""

from __future__ import annotations

from urllib.parse import urlsplit

from remediate.model.expressway import ADMINISTRATOR_ACCOUNTS_PAGE
from remediate.model.text import mask_and_escape

_MAX_SHOWN = 100


def describe_redirect(status: int, location: str | None, host: str, port: int) -> str:
    """Return what a redirect says and the advice that fits it, as the end of a sentence and a second one.

    Only host and port of the target are shown: a path or a query may hold a session.

    Args:
        location: the ``Location`` header, as it came.
        host, port: who answered.
    """
    said = f"a redirect (HTTP {status})"
    if not location:
        return f"{said} to nowhere. {_SOMETHING_ELSE}"
    try:
        target = urlsplit(location)
        other_host, other_port = target.hostname, target.port or (80 if target.scheme == "http" else 443)
    except ValueError:
        return f"{said} to an address that cannot be read. {_SOMETHING_ELSE}"
    if other_host is None or (other_host == host.casefold() and other_port == port):
        return (
            f"{said} to another page of its own. "
            "It sends API requests to its login: "
            f"check that API access is on for this account ({ADMINISTRATOR_ACCOUNTS_PAGE})."
        )
    shown = mask_and_escape(other_host, _MAX_SHOWN)
    if other_host == host.casefold():
        return f"{said} to port {other_port}. If web administration is there, set `rest_port: {other_port}` in the inventory."
    return f"{said} to {shown}. {_SOMETHING_ELSE}"


_SOMETHING_ELSE = (
    "A proxy or single sign-on answers there, not the peer itself: "
    "give the peer's own address and the port of its web administration (`rest_port`)."
)
