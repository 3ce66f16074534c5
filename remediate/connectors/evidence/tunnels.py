"""Headers that carry the packets of one network over another: what mirror ports, overlays and access networks use."""

from __future__ import annotations

from typing import Final

from remediate.connectors.evidence.headers import (
    BRIDGED_ETHERNET,
    ETHERNET_ADDRESSES,
    IPV4,
    IPV6,
    MPLS,
    Decoder,
    Inner,
    NotReadable,
    Registry,
    ethernet_frame,
    ip_packet,
    numbers,
)

_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACKNOWLEDGED = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
_ERSPAN, _ERSPAN_III, _PPP, _WCCP = 0x88BE, 0x22EB, 0x880B, 0x883E
_MOST_ROUTES: Final = 16
_UDP_HEADER: Final = 8
_COMMON_TYPES: Final = frozenset({IPV4, IPV6, 0x0806, 0x8100, 0x88A8})
# RFC 8300, 2.2, and of the same numbers draft-ietf-nvo3-vxlan-gpe
_NSH_PROTOCOLS: Final = {1: IPV4, 2: IPV6, 3: BRIDGED_ETHERNET, 4: 0x894F, 5: MPLS}


def gre(data: bytes) -> Inner | None:
    """RFC 2784 and RFC 2890 (version 0), RFC 2637 (version 1, PPTP)."""
    flags, protocol = numbers("HH", data)
    version = flags & 7
    if version == 1 and protocol == _PPP:
        at = 8 + 4 * bool(flags & _SEQUENCE) + 4 * bool(flags & _ACKNOWLEDGED)
        return _ppp(data[at:])
    if version:
        raise NotReadable(f"GRE version {version} with protocol 0x{protocol:04x}")
    at = 4 + 4 * bool(flags & (_CHECKSUM | _ROUTING)) + 4 * bool(flags & _KEY) + 4 * bool(flags & _SEQUENCE)
    if flags & _ROUTING:
        at = _after_routes(data, at)
    if protocol == _ERSPAN and not flags & _SEQUENCE:
        return ethernet_frame(data[at:])  # ERSPAN type I has no header of its own (draft-foschiano-erspan, 4.1)
    return Inner(Registry.GRE, protocol, data[at:])


def _after_routes(data: bytes, at: int) -> int:
    """Return where the source routes of RFC 1701 end."""
    for _ in range(_MOST_ROUTES):
        family, _, length = numbers("HBB", data, at)
        at += 4 + length
        if not family and not length:
            return at
    raise NotReadable("GRE with many source routes")


def _erspan(data: bytes) -> Inner:
    """draft-foschiano-erspan, 4.2 and 4.3: the version in the first four bits is 1 for type II, 2 for type III."""
    version = data[0] >> 4
    if version == 1:
        return ethernet_frame(data[8:])
    if version != 2:
        raise NotReadable(Registry.ERSPAN.name_of(version))
    last = numbers("H", data, 10)[0]
    content = data[20 if last & 1 else 12 :]  # with the platform's own subheader or without
    return ip_packet(content) if (last >> 10) & 0x1F == 2 else ethernet_frame(content)


def _ppp(data: bytes) -> Inner:
    return Inner(Registry.LINK, 9, data)


def _wccp(data: bytes) -> Inner:
    """Cisco's WCCP version 2 puts a redirect header of four octets before the packet; version 1 has none."""
    return ip_packet(data if data[0] >> 4 == 4 else data[4:])


# Other GRE protocols are Ethernet types.
GRE_PROTOCOLS: Final[dict[int, Decoder]] = {
    _ERSPAN: _erspan,
    _ERSPAN_III: _erspan,
    _PPP: _ppp,
    _WCCP: _wccp,
    0x0000: lambda _: None,  # a keepalive of Cisco's
    0x2001: lambda _: None,  # NHRP, RFC 2332
    0x00FE: lambda _: None,  # IS-IS and its kin
}


def mpls(data: bytes) -> Inner | None:
    """RFC 3032. Nothing says what follows the labels: an IP version, or a pseudowire's control word (RFC 4385), or Ethernet."""
    at = 0
    while not data[at + 2] & 1:
        at += 4
    content = data[at + 4 :]
    version = content[0] >> 4
    if version == 4 or (version == 6 and not _is_ethernet(content)):
        return ip_packet(content)
    if version == 1 and not _is_ethernet(content):
        return None  # a pseudowire's own channel
    behind_control_word = version == 0 and not _is_ethernet(content)
    return ethernet_frame(content[4:] if behind_control_word else content)


def _is_ethernet(content: bytes) -> bool:
    """Whether two addresses with a common Ethernet type behind them stand here."""
    return int.from_bytes(content[ETHERNET_ADDRESSES : ETHERNET_ADDRESSES + 2], "big") in _COMMON_TYPES


def service_header(data: bytes) -> Inner:
    """NSH, RFC 8300, 2.2."""
    first, _, protocol = numbers("HBB", data)
    return _numbered(protocol, data[(first & 0x3F) * 4 :], "NSH")


def _numbered(protocol: int, content: bytes, tunnel: str) -> Inner:
    if protocol not in _NSH_PROTOCOLS:
        raise NotReadable(f"{tunnel} protocol {protocol}")
    return Inner(Registry.ETHERNET, _NSH_PROTOCOLS[protocol], content)


def _vxlan(data: bytes) -> Inner:
    """RFC 7348, and draft-ietf-nvo3-vxlan-gpe where it says what follows."""
    flags, protocol = data[8], data[11]
    if flags & 0x04:
        return _numbered(protocol, data[16:], "VXLAN-GPE")
    if not flags & 0x08:
        raise NotReadable("VXLAN without a network identifier")
    return ethernet_frame(data[16:])


def _geneve(data: bytes) -> Inner:
    """RFC 8926, 3.4."""
    first, _, protocol = numbers("BBH", data, _UDP_HEADER)
    if first >> 6:
        raise NotReadable(f"GENEVE version {first >> 6}")
    return Inner(Registry.ETHERNET, protocol, data[16 + 4 * (first & 0x3F) :])


def _gtp(data: bytes) -> Inner | None:
    """GTP-U, 3GPP TS 29.281, 5.1: what is no user's packet is signalling."""
    flags, kind = numbers("BB", data, _UDP_HEADER)
    if flags >> 5 != 1:
        raise NotReadable(f"GTP-U version {flags >> 5}")
    if kind != 255:
        return None
    at = 16
    if flags & 7:
        following, at = data[19], 20
        while following and flags & 4:
            length = 4 * data[at]
            if not length:
                raise NotReadable("GTP-U", "broken: an extension header has no length")
            following, at = data[at + length - 1], at + length
    return ip_packet(data[at:])


def _capwap(data: bytes) -> Inner | None:
    """RFC 5415, 4.1 and 4.3: to and from access points."""
    preamble, bits = data[8], int.from_bytes(data[9:12], "big")
    if preamble & 0x0F:
        raise NotReadable("CAPWAP with DTLS", "encrypted")
    native, fragmented, keep_alive = bits >> 8 & 1, bits >> 7 & 1, bits >> 3 & 1
    if keep_alive:
        return None
    if fragmented:
        raise NotReadable("a CAPWAP fragment")
    content = data[_UDP_HEADER + 4 * (bits >> 19) :]
    return Inner(Registry.LINK, 105, content) if native else ethernet_frame(content)


def _l2tp(data: bytes) -> Inner | None:
    """L2TP version 2, RFC 2661, 3.1. Version 3 has a cookie whose length only its ends know."""
    flags = numbers("H", data, _UDP_HEADER)[0]
    if flags & 0x8000:
        return None  # a control message
    if flags & 0x0F != 2:
        raise NotReadable(f"L2TP version {flags & 0x0F}")
    at = 14 + 2 * bool(flags & 0x4000) + 4 * bool(flags & 0x0800)
    if flags & 0x0200:
        at += 2 + numbers("H", data, at)[0]
    return _ppp(data[at:])


def _tzsp(data: bytes) -> Inner | None:
    """TaZmen Sniffer Protocol, as MikroTik and wireless sniffers send it: a header, tags, the frame."""
    version, kind, protocol = numbers("BBH", data, _UDP_HEADER)
    if version != 1 or kind > 1:
        return None  # an ephemeral port like any other
    at = 12
    while data[at] != 1:
        at += 1 if data[at] == 0 else 2 + data[at + 1]
    return ethernet_frame(data[at + 1 :]) if protocol == 1 else Inner(Registry.LINK, 105, data[at + 1 :])


def _encrypted_udp(data: bytes) -> Inner | None:
    """RFC 3948: ESP, or IKE behind four zero octets, or a keepalive of one octet."""
    content = data[_UDP_HEADER:]
    if len(content) < 8 or not any(content[:4]):
        return None
    raise NotReadable("IPsec ESP in UDP", "encrypted")


def _mpls_in_udp(data: bytes) -> Inner:
    """RFC 7510."""
    return Inner(Registry.ETHERNET, MPLS, data[_UDP_HEADER:])


def _lisp(data: bytes) -> Inner:
    """RFC 9300, 5.1."""
    return ip_packet(data[16:])


# https://www.iana.org/assignments/service-names-port-numbers; 8472 is VXLAN before it had a port, 37008 is TZSP's by custom.
UDP_PORTS: Final[dict[int, Decoder]] = {
    1701: _l2tp, 2152: _gtp, 4341: _lisp, 4500: _encrypted_udp, 4789: _vxlan, 4790: _vxlan, 5247: _capwap, 6081: _geneve,
    6635: _mpls_in_udp, 8472: _vxlan, 37008: _tzsp,
}  # fmt: skip
BOTH_WAYS: Final = frozenset({1701, 4500, 5247})
"""Ports of tunnels whose ends both send from it: the packets to the other end are known by their source port."""
