"""Captures for tests: real handshakes, recorded between two TLS ends, in real frames of every kind."""

from __future__ import annotations

import io
import ssl
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import dpkt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from remediate.connectors.evidence.content_kind import Kind
from tests.pki import NOW, Entity

LEGACY = "ALL:@SECLEVEL=0"
PEER, NODE = "10.48.36.46", "10.48.36.215"
RAW, ETHERNET, SLL, SLL2, LOOPBACK, PPP = 101, 1, 113, 276, 0, 9
SYN, ACK, PSH, RST = 2, 16, 8, 4
START = 4_294_966_000
"""A sequence number that soon begins at 0 again."""


@dataclass(frozen=True)
class Speech:
    """What one side said, in order."""

    by_client: bool
    data: bytes


@dataclass(frozen=True)
class Parties:
    """Who talks: addresses and ports."""

    client: str = PEER
    server: str = NODE
    port: int = 8443
    client_port: int = 40_000


def record_handshake(
    chains: Sequence[Sequence[Entity]],
    *,
    server_name: str | None = "cucm.steven.lab",
    trusted: Iterable[Entity] | None = None,
    ciphers: str = LEGACY,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    client_cas: Iterable[Entity] = (),
    client_chain: Sequence[Entity] = (),
    resumed: bool = False,
) -> list[Speech]:
    """A real handshake with a server that holds `chains` (one a key family). The client trusts anything unless `trusted` is given.

    Args:
        client_authorities: the server asks for a client's certificate by these.
        shows: the client's own chain.
        again: what is said when the session is resumed.
    """
    server = _context(ssl.PROTOCOL_TLS_SERVER, chains, version)
    if client_cas:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(cadata="".join(ask.certificate.pem for ask in client_cas))
    client = _context(ssl.PROTOCOL_TLS_CLIENT, [client_chain] if client_chain else [], version)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.set_ciphers(ciphers)
    if trusted is not None:
        client.verify_mode = ssl.CERT_REQUIRED
        client.load_verify_locations(cadata="".join(certificate.certificate.pem for certificate in trusted))
    first = _ends(client, server, server_name)
    speeches = list(first.talk())
    return list(_ends(client, server, server_name, first.client.session).talk()) if resumed else speeches


def _context(protocol: int, chains: Sequence[Sequence[Entity]], version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, version
    context.set_ciphers(LEGACY)
    for chain in chains:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "chain.pem"
            file.write_text(_pem(tuple(chain)))
            context.load_cert_chain(file)
    return context


@cache
def _pem(chain: tuple[Entity, ...]) -> str:
    private = chain[0].private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private + "".join(certificate.certificate.pem for certificate in chain)


@dataclass(frozen=True)
class _Ends:
    """A client and a server, with what each of them hears and says."""

    client: ssl.SSLObject
    server: ssl.SSLObject
    bios: dict[bool, tuple[ssl.MemoryBIO, ssl.MemoryBIO]]

    def talk(self) -> Iterator[Speech]:
        for _ in range(4):
            for end, by_client in ((self.client, True), (self.server, False)):
                with suppress(ssl.SSLError):
                    end.do_handshake()
                if data := self.bios[by_client][1].read():
                    self.bios[not by_client][0].write(data)
                    yield Speech(by_client, data)


def _ends(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None, session: ssl.SSLSession | None = None) -> _Ends:
    bios = {side: (ssl.MemoryBIO(), ssl.MemoryBIO()) for side in (True, False)}
    return _Ends(
        client.wrap_bio(*bios[True], server_hostname=name, session=session),
        server.wrap_bio(*bios[False], server_side=True),
        bios,
    )


def segments(
    speeches: Sequence[Speech], parties: Parties = Parties(), size: int = 500, *, syn: bool = True, begin: int = START
) -> list[bytes]:
    """What was said as IP packets: a TCP handshake, then segments of at most `size` bytes."""
    numbers = {True: begin, False: 77}
    packets = []
    if syn:
        packets = [
            _packet(parties, by_client=True, number=begin - 1, flags=SYN),
            _packet(parties, by_client=False, number=76, flags=SYN | ACK, acknowledged=begin),
        ]
    for speech in speeches:
        for at in range(0, len(speech.data), size):
            piece = speech.data[at : at + size]
            number, acknowledged = numbers[speech.by_client], numbers[not speech.by_client]
            packets.append(
                _packet(
                    parties, by_client=speech.by_client, number=number, flags=ACK | PSH, data=piece, acknowledged=acknowledged
                )
            )
            numbers[speech.by_client] = (numbers[speech.by_client] + len(piece)) % (1 << 32)
    return packets


def _packet(parties: Parties, *, by_client: bool, number: int, flags: int, data: bytes = b"", acknowledged: int = 0) -> bytes:
    ends = [(parties.client, parties.client_port), (parties.server, parties.port)]
    (source, source_port), (target, target_port) = ends if by_client else reversed(ends)
    tcp = dpkt.tcp.TCP(
        sport=source_port, dport=target_port, seq=number % (1 << 32), ack=acknowledged % (1 << 32), flags=flags, data=data
    )
    addresses = {"src": ip_address(source).packed, "dst": ip_address(target).packed}
    if ":" in source:
        return bytes(dpkt.ip6.IP6(nxt=6, plen=len(tcp), data=tcp, **addresses))
    return bytes(dpkt.ip.IP(p=6, data=tcp, **addresses))


def put_in_frame(packet: bytes, link: int, vlan: int | None = None) -> bytes:
    """An IP packet in a frame of this link type, with a VLAN tag or without."""
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    tag = b"" if vlan is None else vlan.to_bytes(2, "big") + kind.to_bytes(2, "big")
    outer = (0x8100 if tag else kind).to_bytes(2, "big")
    if link == ETHERNET:
        frame = b"\x02" * 6 + b"\x04" * 6 + outer + tag + packet
        return frame.ljust(60, b"\x00")
    if link == SLL:
        return b"\x00\x00\x00\x01\x00\x06" + b"\x02" * 8 + outer + tag + packet
    if link == SLL2:
        return outer + b"\x00\x00\x00\x00\x00\x03\x00\x01\x00\x06" + b"\x02" * 8 + tag + packet
    if link == LOOPBACK:
        return (30 if packet[0] >> 4 == 6 else 2).to_bytes(4, "little") + packet
    return packet


def capture(
    packets: Iterable[bytes], link: int = ETHERNET, kind: Kind = Kind.PCAP, at: datetime = NOW, vlan: int | None = None
) -> bytes:
    """A capture file of these IP packets, a millisecond apart."""
    file = io.BytesIO()
    module = dpkt.pcap if kind is Kind.PCAP else dpkt.pcapng
    writer = module.Writer(file, snaplen=262_144, linktype=link)
    for number, packet in enumerate(packets):
        writer.writepkt(put_in_frame(packet, link, vlan), at.timestamp() + number / 1000)
    return file.getvalue()


def pcap(
    frames: Iterable[bytes],
    link: int = ETHERNET,
    *,
    order: str = "<",
    nanoseconds: bool = False,
    cut_to: int | None = None,
    at: datetime = NOW,
) -> bytes:
    """A pcap file of these frames, a millisecond apart.

    Args:
        order: of its bytes, as `struct` writes it.
        cut_to: what the capture keeps of each frame (``tcpdump -s``).
    """
    magic, ticks = (0xA1B23C4D, 10**9) if nanoseconds else (0xA1B2C3D4, 10**6)
    file = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, cut_to or 262_144, link)]
    for number, frame in enumerate(frames):
        data = frame[:cut_to]
        now = (at + timedelta(milliseconds=number)) - datetime(1970, 1, 1, tzinfo=UTC)
        seconds = now.days * 86_400 + now.seconds
        file.append(struct.pack(f"{order}IIII", seconds, now.microseconds * (ticks // 10**6), len(data), len(frame)) + data)
    return b"".join(file)


def pcapng(
    frames: Iterable[tuple[int, bytes]], links: Sequence[int], *, order: str = "<", cut_to: int = 0, simple: bool = False
) -> bytes:
    """A pcapng file with an interface of each link type; each frame with the number of its interface."""
    blocks = [_block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)]
    blocks += [_block(1, struct.pack(f"{order}HHI", link, 0, cut_to), order) for link in links]
    ticks = int(NOW.timestamp()) * 10**6
    for interface, frame in frames:
        data = frame[: cut_to or None]
        head = struct.pack(f"{order}IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(frame))
        blocks.append(
            _block(3, struct.pack(f"{order}I", len(frame)) + data, order) if simple else _block(6, head + data, order)
        )
    return b"".join(blocks)


def _block(kind: int, body: bytes, order: str) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length
