"""Records that a peer holds of its cluster and of its publishers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediate.model.identity import Address, CipherList, Product
from remediate.model.text import mask_and_escape

_PRIMARY_LEAVES = ("ConfigurationPrimary", "ConfigurationMaster")
"""The leaf was renamed; older versions have the second."""
_MAX_SYSTEM_NAME = 60
_NUMBERS = ("1", "2", "3", "4", "5", "6")
"""The numbers that peers have; a cluster has up to six."""


@dataclass(frozen=True, slots=True)
class Alternates:
    """A peer's view of its cluster.

    Attributes:
        primary: Position in `peers`, from 1, of the peer that the configuration comes from; None when it is not stated.
        peers: In the cluster's order; empty on a standalone peer.
    """

    cluster_name: str
    primary: int | None
    peers: tuple[Address, ...]

    @property
    def primary_address(self) -> Address | None:
        """The primary; None on a standalone peer, or when it is not stated."""
        return self.peers[self.primary - 1] if self.primary and self.primary <= len(self.peers) else None


VERIFY_FLAG = "EdgeConfigServer VerifyOriginServer"
"""X14.2 release notes; absent from the X15.0 command reference."""
CIPHER_LIST = re.compile(r"Ciphers (\w*(?:TLS|HTTPS)Ciphers) Value", re.IGNORECASE)
"""OpenSSL lists end like this; ``sshd_*`` are OpenSSH's and are never touched (X15.0 reference)."""

PASSWORD_SETTING = "AxlPassword"  # noqa: S105 - the name of a field
_KNOWN_SETTINGS = frozenset(
    {
        "Publisher",
        "AxlUsername",
        PASSWORD_SETTING,
        "TlsVerify",
        "AesGcm",
        "Deployment",
        "SipUpdateForSessionRefresh",
        "IcePassthrough",
    }
)
"""What a publisher is added with (MRA deployment guide X15.2; public clients of the REST interface)."""


@dataclass(frozen=True, slots=True)
class PublisherRecord:
    """A publisher as a peer holds it. The password is never returned.

    Attributes:
        settings: Every field that the peer gave, the password apart: what adding it again must send back.
    """

    address: Address
    product: Product
    axl_username: str
    tls_verify: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def describe_obstacle(self, axl_username: str) -> str | None:
        """Return why this publisher cannot be added again with the account `axl_username`; None: it can."""
        unknown = sorted(mask_and_escape(name, 40) for name in self.settings.keys() - _KNOWN_SETTINGS)
        if unknown:
            return f"it has unknown settings ({', '.join(unknown)}), which adding it again could lose"
        if self.axl_username != axl_username:
            return "it was added with another AXL account than the one in the inventory"
        return None


def parse_cipher_lists(leaves: Mapping[str, str]) -> dict[str, CipherList]:
    """Parse the leaves of ``xConfiguration Ciphers``: the OpenSSL cipher lists by name (``ReverseProxyTLSCiphers``)."""
    settings = ((match[1], value) for path, value in leaves.items() if (match := CIPHER_LIST.fullmatch(path)))
    return {name: CipherList(value) for name, value in sorted(settings)}


def parse_system_name(name: str | None) -> str | None:
    """Return what the administrators call a peer, fit for a file and a screen; None where nothing is stated."""
    return mask_and_escape(name, _MAX_SYSTEM_NAME) if name else None


def parse_verify_flag(leaves: Mapping[str, str]) -> bool | None:
    """Return the workaround flag, True being the safe state; None where it is not among the leaves."""
    value = next((value for path, value in leaves.items() if path.casefold() == VERIFY_FLAG.casefold()), "")
    return {"on": True, "off": False}.get(value.casefold())


def parse_alternates(leaves: Mapping[str, str]) -> Alternates:
    """Parse the leaves of ``xConfiguration Alternates``: up to six peers, numbered, perhaps with gaps."""
    values = {path.casefold(): value for path, value in leaves.items()}
    by_number = {int(number): values.get(f"alternates peer {number} address", "") for number in _NUMBERS}
    peer_numbers = [number for number, address in by_number.items() if address]
    primary_number = next((values[path] for leaf in _PRIMARY_LEAVES if (path := f"alternates {leaf}".casefold()) in values), "")
    primary = int(primary_number) if primary_number in _NUMBERS else 0
    return Alternates(
        cluster_name=mask_and_escape(values.get("alternates cluster name", ""), 80),
        primary=peer_numbers.index(primary) + 1 if primary in peer_numbers else None,
        peers=tuple(Address(by_number[number]) for number in peer_numbers),
    )
