"""Address and pins of a peer or node: its host name, its web certificate, its SSH host key."""

from __future__ import annotations

import re

from remediate.inventory.document import Item
from remediate.model.access import HostKeyTrust, TlsTrust
from remediate.model.identity import Address, Fingerprint, host_within, is_host

_HEX_DIGITS = re.compile(r"[0-9a-f]{64}")
_HOST_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def address(item: Item) -> Address:
    """Return one host name or IP address, without anything around it. Raises InventoryError."""
    text = item.text()
    if not is_host(text):
        host = host_within(text)
        right = f": {host}; the port stands under a key of its own (`ports`, `rest_port`, `ssh_port`)" if host else ""
        raise item.error(
            f"`{item.name}` must be one host name or IP address, without scheme, port or brackets and without a dot at its end{right}."
        )
    return Address(text)


def tls_trust(item: Item) -> TlsTrust:
    """Return how a web certificate is trusted: by `fingerprint` or by `ca`. Raises InventoryError."""
    keys = _either(item, ("fingerprint", "ca"))
    return TlsTrust(
        fingerprint=_parse_fingerprint(keys["fingerprint"]) if "fingerprint" in keys else None,
        ca=keys["ca"].existing_path() if "ca" in keys else None,
    )


def host_key_trust(item: Item) -> HostKeyTrust:
    """Return how an SSH host key is trusted: by `host_key` or by `known_hosts`. Raises InventoryError."""
    keys = _either(item, ("host_key", "known_hosts"))
    return HostKeyTrust(
        host_key=_parse_host_key(keys["host_key"]) if "host_key" in keys else None,
        known_hosts=keys["known_hosts"].existing_path() if "known_hosts" in keys else None,
    )


def _either(item: Item, choices: tuple[str, str]) -> dict[str, Item]:
    keys = item.mapping(optional=choices)
    if len(keys) != 1:
        raise item.error(f"`{item.name}` must have either `{choices[0]}` or `{choices[1]}`.")
    return keys


def _parse_fingerprint(item: Item) -> Fingerprint:
    # `openssl x509 -fingerprint` prints upper case and colons.
    digits = item.text().removeprefix("sha256:").replace(":", "").lower()
    if not item.text().startswith("sha256:") or not _HEX_DIGITS.fullmatch(digits):
        raise item.error(f"`{item.name}` must be `sha256:` and the 64 hexadecimal digits of the certificate's SHA-256.")
    return Fingerprint(f"sha256:{digits}")


def _parse_host_key(item: Item) -> str:
    text = item.text()
    if not _HOST_KEY.fullmatch(text):
        raise item.error(f"`{item.name}` must be `SHA256:` and 43 characters, as `ssh-keygen -lf` prints it.")
    return text
