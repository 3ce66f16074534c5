"""Decoders of tunnel headers, as mirror ports, overlays and access networks use them."""

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
    unpack_numbers,
)

_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACKNOWLEDGED = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
_ERSPAN, _ERSPAN_III, _PPP, _WCCP = 0x88BE, 0x22EB, 0x880B, 0x883E
_MAX_ROUTES: Final = 16
_UDP_HEADER: Final = 8
_COMMON_TYPES: Final = frozenset({IPV4, IPV6, 0x0806, 0x8100, 0x88A8})
# RFC 8300, 2.2, and of the same numbers draft-ietf-nvo3-vxlan-gpe
_NSH_PROTOCOLS: Final = {1: IPV4, 2: IPV6, 3: BRIDGED_ETHERNET, 4: 0x894F, 5: MPLS}


def decode_gre(data: bytes) -> Inner | None:
    """Decode GRE: RFC 2784 and RFC 2890 (version 0), RFC 2637 (version 1, PPTP)."""
    flags, protocol = unpack_numbers("HH", data)
    version = flags & 7
    if version == 1 and protocol == _PPP:
        at = 8 + 4 * bool(flags & _SEQUENCE) + 4 * bool(flags & _ACKNOWLEDGED)
        return _decode_ppp(data[at:])
    if version:
        raise NotReadable(f"GRE version {version} with protocol 0x{protocol:04x}")
    at = 4 + 4 * bool(flags & (_CHECKSUM | _ROUTING)) + 4 * bool(flags & _KEY) + 4 * bool(flags & _SEQUENCE)
    if flags & _ROUTING:
        at = _skip_routes(data, at)
    if protocol == _ERSPAN and not flags & _SEQUENCE:
        return ethernet_frame(data[at:])  # ERSPAN type I has no header of its own (draft-foschiano-erspan, 4.1)
    return Inner(Registry.GRE, protocol, data[at:])


def _skip_routes(data: bytes, at: int) -> int:
    """Return the offset behind the source routes (RFC 1701)."""
    for _ in range(_MAX_ROUTES):
        family, _, length = unpack_numbers("HBB", data, at)
        at += 4 + length
        if not family and not length:
            return at
    raise NotReadable("GRE with many source routes")


def _decode_erspan(data: bytes) -> Inner:
    """Decode ERSPAN (draft-foschiano-erspan, 4.2 and 4.3): the version in the first four bits is 1 for type II, 2 for type III."""
    version = data[0] >> 4
    if version == 1:
        return ethernet_frame(data[8:])
    if version != 2:
        raise NotReadable(Registry.ERSPAN.name_of(version))
    last = unpack_numbers("H", data, 10)[0]
    content = data[20 if last & 1 else 12 :]  # with the platform's own subheader or without
    return ip_packet(content) if (last >> 10) & 0x1F == 2 else ethernet_frame(content)


def _decode_ppp(data: bytes) -> Inner:
    return Inner(Registry.LINK, 9, data)


def _decode_wccp(data: bytes) -> Inner:
    """Decode Cisco's WCCP: version 2 has a redirect header of four octets, version 1 has none."""
    return ip_packet(data if data[0] >> 4 == 4 else data[4:])


# Other GRE protocols are Ethernet types.
GRE_PROTOCOLS: Final[dict[int, Decoder]] = {
    _ERSPAN: _decode_erspan,
    _ERSPAN_III: _decode_erspan,
    _PPP: _decode_ppp,
    _WCCP: _decode_wccp,
    0x0000: lambda _: None,  # Cisco's keepalive
    0x2001: lambda _: None,  # NHRP, RFC 2332
    0x00FE: lambda _: None,  # OSI protocols such as IS-IS
}


def decode_mpls(data: bytes) -> Inner | None:
    """Decode MPLS (RFC 3032); its content, IP, a pseudowire's control word (RFC 4385) or Ethernet, can only be guessed."""
    at = 0
    while not data[at + 2] & 1:
        at += 4
    content = data[at + 4 :]
    version = content[0] >> 4
    if version == 4 or (version == 6 and not _is_ethernet(content)):
        return ip_packet(content)
    if version == 1 and not _is_ethernet(content):
        return None  # the pseudowire's control channel
    has_control_word = version == 0 and not _is_ethernet(content)
    return ethernet_frame(content[4:] if has_control_word else content)


def _is_ethernet(content: bytes) -> bool:
    """Whether `content` begins with two addresses and a common Ethernet type."""
    return int.from_bytes(content[ETHERNET_ADDRESSES : ETHERNET_ADDRESSES + 2], "big") in _COMMON_TYPES


def decode_nsh(data: bytes) -> Inner:
    """Decode NSH (RFC 8300, 2.2)."""
    first, _, protocol = unpack_numbers("HBB", data)
    return _wrap_protocol(protocol, data[(first & 0x3F) * 4 :], "NSH")


def _wrap_protocol(protocol: int, content: bytes, tunnel: str) -> Inner:
    if protocol not in _NSH_PROTOCOLS:
        raise NotReadable(f"{tunnel} protocol {protocol}")
    return Inner(Registry.ETHERNET, _NSH_PROTOCOLS[protocol], content)


def _decode_vxlan(data: bytes) -> Inner:
    """Decode VXLAN (RFC 7348), or VXLAN-GPE where a flag announces it (draft-ietf-nvo3-vxlan-gpe)."""
    flags, protocol = data[8], data[11]
    if flags & 0x04:
        return _wrap_protocol(protocol, data[16:], "VXLAN-GPE")
    if not flags & 0x08:
        raise NotReadable("VXLAN without a network identifier")
    return ethernet_frame(data[16:])


def _decode_geneve(data: bytes) -> Inner:
    """Decode GENEVE (RFC 8926, 3.4)."""
    first, _, protocol = unpack_numbers("BBH", data, _UDP_HEADER)
    if first >> 6:
        raise NotReadable(f"GENEVE version {first >> 6}")
    return Inner(Registry.ETHERNET, protocol, data[16 + 4 * (first & 0x3F) :])


def _decode_gtp(data: bytes) -> Inner | None:
    """Decode GTP-U (3GPP TS 29.281, 5.1); other message types than user data are signalling."""
    flags, kind = unpack_numbers("BB", data, _UDP_HEADER)
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


def _decode_capwap(data: bytes) -> Inner | None:
    """Decode CAPWAP (RFC 5415, 4.1 and 4.3), to and from access points."""
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


def _decode_l2tp(data: bytes) -> Inner | None:
    """Decode L2TP version 2 (RFC 2661, 3.1); version 3 has a cookie whose length only its ends know."""
    flags = unpack_numbers("H", data, _UDP_HEADER)[0]
    if flags & 0x8000:
        return None  # a control message
    if flags & 0x0F != 2:
        raise NotReadable(f"L2TP version {flags & 0x0F}")
    at = 14 + 2 * bool(flags & 0x4000) + 4 * bool(flags & 0x0800)
    if flags & 0x0200:
        at += 2 + unpack_numbers("H", data, at)[0]
    return _decode_ppp(data[at:])


def _decode_tzsp(data: bytes) -> Inner | None:
    """Decode the TaZmen Sniffer Protocol, as MikroTik and wireless sniffers send it: a header, tags, the frame."""
    version, kind, protocol = unpack_numbers("BBH", data, _UDP_HEADER)
    if version != 1 or kind > 1:
        return None  # the port is ephemeral, and this is another protocol
    at = 12
    while data[at] != 1:
        at += 1 if data[at] == 0 else 2 + data[at + 1]
    return ethernet_frame(data[at + 1 :]) if protocol == 1 else Inner(Registry.LINK, 105, data[at + 1 :])


def _decode_encrypted_udp(data: bytes) -> Inner | None:
    """Decode UDP encapsulation of IPsec (RFC 3948): ESP, or IKE behind four zero octets, or a keepalive of one octet."""
    content = data[_UDP_HEADER:]
    if len(content) < 8 or not any(content[:4]):
        return None
    raise NotReadable("IPsec ESP in UDP", "encrypted")


def _decode_teredo(data: bytes) -> Inner:
    """Decode Teredo (RFC 4380, 5.1.1): IPv6 behind an authentication and an origin indication, either of which may be absent."""
    at = _UDP_HEADER
    if data[at : at + 2] == b"\x00\x01":
        at += 13 + data[at + 2] + data[at + 3]
    if data[at : at + 2] == b"\x00\x00":
        at += 8
    return ip_packet(data[at:])


def _decode_gue(data: bytes) -> Inner | None:
    """Decode Generic UDP Encapsulation (draft-ietf-intarea-gue, 3 and 4): a header in variant 0, IP alone in variant 1."""
    first, protocol = unpack_numbers("BB", data, _UDP_HEADER)
    variant, is_control, header_words = first >> 6, first >> 5 & 1, first & 0x1F
    if variant == 1:
        return ip_packet(data[_UDP_HEADER:])
    if variant:
        raise NotReadable(f"GUE variant {variant}")
    return None if is_control else Inner(Registry.IP, protocol, data[_UDP_HEADER + 4 + 4 * header_words :])


def _decode_wireguard(data: bytes) -> Inner | None:
    """Decode WireGuard (its white paper, 5.4): transport data is of type 4; the port is ephemeral, and others use it too."""
    if data[_UDP_HEADER : _UDP_HEADER + 4] == b"\x04\x00\x00\x00":
        raise NotReadable("WireGuard", "encrypted")
    return None


# https://www.iana.org/assignments/service-names-port-numbers; 8472 is VXLAN before it had a port. By custom, 37008 is TZSP's and
# 51820 WireGuard's.
UDP_PORTS: Final[dict[int, Decoder]] = {
    1701: _decode_l2tp,
    2152: _decode_gtp,
    3544: _decode_teredo,
    4341: lambda data: ip_packet(data[16:]),  # LISP (RFC 9300, 5.1)
    4500: _decode_encrypted_udp,
    4789: _decode_vxlan,
    4790: _decode_vxlan,
    5247: _decode_capwap,
    6080: _decode_gue,
    6081: _decode_geneve,
    6635: lambda data: Inner(Registry.ETHERNET, MPLS, data[_UDP_HEADER:]),  # RFC 7510
    8472: _decode_vxlan,
    37008: _decode_tzsp,
    51820: _decode_wireguard,
}
SYMMETRIC_PORTS: Final = frozenset({1701, 3544, 4500, 5247, 51820})
"""Tunnel ports that both ends send from, so that packets are recognised by their source port too."""
