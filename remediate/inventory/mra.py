"""The `mra` of a peer: the way through it that clients take, so that `apply` can send a request as one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from remediate.inventory.document import Item
from remediate.inventory.pins import tls_trust
from remediate.model.access import MraAccess, PeerAccess, TlsTrust
from remediate.model.identity import is_host
from remediate.model.secret import Login

LoginOf = Callable[[Mapping[str, Item]], Login]
"""Makes an account of its two keys, `username` and `password`."""

_DOMAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def mra_access(item: Item, login: LoginOf) -> MraAccess:
    """Return what stands under `mra`. Raises InventoryError."""
    keys = item.mapping(required=("url",), optional=("tls", "domain", "credentials"))
    host, port = _place(keys["url"])
    account = keys["credentials"].mapping(required=("username", "password")) if "credentials" in keys else None
    return MraAccess(
        host,
        port,
        tls_trust(keys["tls"]) if "tls" in keys else TlsTrust(),
        _domain(keys["domain"]) if "domain" in keys else None,
        login(account) if account else None,
    )


def refuse_shared(item: Item, peer: PeerAccess, others: Iterable[PeerAccess]) -> None:
    """Raise InventoryError when another peer has the `mra` of `peer` too: an answer would not tell whose it is."""
    for other in others:
        if peer.mra and other.mra and (peer.mra.host, peer.mra.port) == (other.mra.host, other.mra.port):
            raise item.error(
                f"the `mra` of {peer.address} is that of {other.address} too, so an answer from {peer.mra.url} would not tell through "
                "which of them it came: give each peer its own, or leave the key out."
            )


def _place(item: Item) -> tuple[str, int]:
    """Host and port. The port must stand there: clients use 8443, and a URL without a port means 443."""
    try:
        parts = urlsplit(item.text())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme == "http":
        raise item.error(f"`{item.name}` must begin with https://, so that only the box it means can answer.")
    extra = "@" in parts.netloc or parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme != "https" or not is_host(host) or not port or extra:
        # Not quoted: whoever writes an account into a URL writes a password into it.
        raise item.error(f"`{item.name}` must be https://HOST:PORT and nothing else, such as https://expe1.example.test:8443.")
    return host, port


def _domain(item: Item) -> str:
    text = item.text()
    if not _DOMAIN.fullmatch(text):
        raise item.error(f"`{item.name}` must be the domain that clients sign in with, such as example.test.")
    return text
