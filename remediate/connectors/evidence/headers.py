"""What a decoder of one header gives: what follows it, in which registry of numbers, or why it cannot be said."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Registry(Enum):
    """Who assigns the number that says what follows a header; the value is how a message calls such a number."""

    LINK = "link type {}"
    ETHERNET = "Ethernet type 0x{:04x}"
    PPP = "PPP protocol 0x{:04x}"
    IP = "IP protocol {}"
    UDP = "UDP port {}"
    GRE = "GRE protocol 0x{:04x}"
    ERSPAN = "ERSPAN version {}"

    def name_of(self, number: int) -> str:
        """Return how a message calls `number`."""
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
    """Where a piece of a datagram belongs (RFC 791, RFC 8200 4.5)."""

    identification: int
    offset: int
    more_follow: bool


@dataclass(frozen=True, slots=True)
class Inner:
    """What follows a header.

    Attributes:
        number: in `registry`, what `data` begins with.
        missing: how many octets at the end of `data` the capture does not hold; None where the header does not say.
        addresses: source and destination, of an IP header only.
        fragment: of an IP header only: `data` is a piece.
    """

    registry: Registry
    number: int
    data: bytes
    missing: int | None = None
    addresses: tuple[bytes, bytes] | None = None
    fragment: Fragment | None = None


class NotReadable(Exception):
    """This packet may carry TCP, and cannot be read.

    Attributes:
        what: its kind, for a message: ``GRE protocol 0x88be``.
        why: the rest of the sentence: ``not understood``, ``encrypted``.
    """

    def __init__(self, what: str, why: str = "not understood") -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why


# Returns None where what follows is known, and is not TCP. Raises NotReadable; LookupError and struct.error where data is short.
Decoder = Callable[[bytes], Inner | None]

IPV4, IPV6, BRIDGED_ETHERNET, MPLS = 0x0800, 0x86DD, 0x6558, 0x8847
ETHERNET_ADDRESSES: Final = 12


def numbers(form: str, data: bytes, at: int = 0) -> tuple[int, ...]:
    """Return numbers in network order. Raises struct.error where `data` is short."""
    return struct.unpack_from(f"!{form}", data, at)


def ethernet_frame(data: bytes) -> Inner:
    """Return `data` as an Ethernet frame."""
    return Inner(Registry.ETHERNET, BRIDGED_ETHERNET, data)


def ip_packet(data: bytes) -> Inner:
    """Return `data` as IPv4 or IPv6, as its first four bits say. Raises NotReadable where they say neither."""
    version = data[0] >> 4
    if version not in {4, 6}:
        raise NotReadable(f"IP version {version}")
    return Inner(Registry.ETHERNET, IPV6 if version == 6 else IPV4, data)
