"""The result of decoding one header: its content with the registry of its type, or why it is not readable."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Registry(Enum):
    """The registry of the number that identifies a header's content; the value names such a number in a message."""

    LINK = "link type {}"
    ETHERNET = "Ethernet type 0x{:04x}"
    PPP = "PPP protocol 0x{:04x}"
    IP = "IP protocol {}"
    UDP = "UDP port {}"
    GRE = "GRE protocol 0x{:04x}"
    ERSPAN = "ERSPAN version {}"

    def name_of(self, number: int) -> str:
        """Return the name of `number` for a message."""
        return _NAMES.get((self, number)) or self.value.format(number)


_NAMES: Final = {
    (Registry.ETHERNET, 0x0800): "IPv4",
    (Registry.ETHERNET, 0x86DD): "IPv6",
    (Registry.ETHERNET, 0x6558): "Ethernet",
    (Registry.ETHERNET, 0x8847): "MPLS",
    (Registry.IP, 6): "TCP",
    (Registry.IP, 17): "UDP",
    (Registry.IP, 47): "GRE",
    (Registry.GRE, 0x88BE): "ERSPAN",
    (Registry.GRE, 0x22EB): "ERSPAN",
    (Registry.UDP, 2152): "GTP-U",
    (Registry.UDP, 4789): "VXLAN",
    (Registry.UDP, 5247): "CAPWAP",
    (Registry.UDP, 6081): "GENEVE",
}


@dataclass(frozen=True, slots=True)
class Fragment:
    """The place of a fragment in its datagram (RFC 791, RFC 8200 4.5); `offset` in octets."""

    identification: int
    offset: int
    more_follow: bool


@dataclass(frozen=True, slots=True)
class Inner:
    """The content of a header.

    Attributes:
        number: The type of `data` in `registry`.
        missing: The number of octets at the end of `data` that the capture does not hold; None where the header does not tell.
        addresses: Source and destination; of an IP header only.
        fragment: Set where `data` is a fragment; of an IP header only.
    """

    registry: Registry
    number: int
    data: bytes
    missing: int | None = None
    addresses: tuple[bytes, bytes] | None = None
    fragment: Fragment | None = None


class NotReadable(Exception):
    """A packet that may carry TCP cannot be read.

    Attributes:
        kind: The kind of the header, for a message: ``GRE protocol 0x88be``.
        reason: The end of the sentence: ``not understood``, ``encrypted``.
    """

    def __init__(self, kind: str, reason: str = "not understood") -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


# Returns None where the content is known not to carry TCP. Raises NotReadable; LookupError and struct.error where data is short.
Decoder = Callable[[bytes], Inner | None]

IPV4, IPV6, BRIDGED_ETHERNET, MPLS = 0x0800, 0x86DD, 0x6558, 0x8847
ETHERNET_ADDRESSES: Final = 12


def unpack_numbers(form: str, data: bytes, at: int = 0) -> tuple[int, ...]:
    """Return the numbers at `at`, in network byte order.

    Raises:
        struct.error: `data` is too short.
    """
    return struct.unpack_from(f"!{form}", data, at)


def ethernet_frame(data: bytes) -> Inner:
    """Return `data` as an Ethernet frame."""
    return Inner(Registry.ETHERNET, BRIDGED_ETHERNET, data)


def ip_packet(data: bytes) -> Inner:
    """Return `data` as IPv4 or IPv6, by its first four bits.

    Raises:
        NotReadable: They are another version.
    """
    version = data[0] >> 4
    if version not in {4, 6}:
        raise NotReadable(f"IP version {version}")
    return Inner(Registry.ETHERNET, IPV6 if version == 6 else IPV4, data)
