"""Key `mra` of a peer: the address for clients' requests through it, with which `apply` can send one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from remediate.inventory.document import Item
from remediate.inventory.pins import tls_trust
from remediate.model.access import MraAccess, TlsTrust
from remediate.model.identity import is_host
from remediate.model.secret import Login

ReadLogin = Callable[[Mapping[str, Item]], Login]
"""Reads an account from its two keys, `username` and `password`."""

_DOMAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def mra_access(item: Item, login: ReadLogin) -> MraAccess:
    """Return the value of `mra`. Raises InventoryError."""
    keys = item.mapping(required=("url",), optional=("tls", "domain", "credentials"))
    host, port = _parse_url(keys["url"])
    account = keys["credentials"].mapping(required=("username", "password")) if "credentials" in keys else None
    return MraAccess(
        host,
        port,
        tls_trust(keys["tls"]) if "tls" in keys else TlsTrust(),
        _parse_domain(keys["domain"]) if "domain" in keys else None,
        login(account) if account else None,
    )


def _parse_url(item: Item) -> tuple[str, int]:
    """Return host and port. The port is required: clients use 8443, and a URL without a port means 443."""
    try:
        parts = urlsplit(item.text())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme == "http":
        raise item.error(f"`{item.name}` must begin with https://, so that only the Expressway-E it names can answer.")
    extra = "@" in parts.netloc or parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme != "https" or not is_host(host) or not port or extra:
        # Not quoted: a URL with an account holds a password.
        raise item.error(f"`{item.name}` must be https://HOST:PORT and nothing else, such as https://expe1.example.test:8443.")
    return host, port


def _parse_domain(item: Item) -> str:
    text = item.text()
    if not _DOMAIN.fullmatch(text):
        raise item.error(f"`{item.name}` must be the domain that clients sign in with, such as example.test.")
    return text
