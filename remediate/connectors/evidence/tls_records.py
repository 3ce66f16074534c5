"""The TLS records of one direction, and the handshake messages in them, as far as the capture holds them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.tcp_streams import ENCRYPTED, RECORD_HEADER, Half, record_at

ALERT, HANDSHAKE = 21, 22
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, CERTIFICATE_REQUEST = 1, 2, 11, 13
_SAID_BY_CLIENTS: Final = frozenset({CLIENT_HELLO, 15, 16})
"""ClientHello, CertificateVerify, ClientKeyExchange; up to TLS 1.2, as behind the hello all is encrypted in TLS 1.3."""
_SAID_BY_SERVERS: Final = frozenset({0, SERVER_HELLO, 12, CERTIFICATE_REQUEST, 14, 22})
"""HelloRequest, ServerHello, ServerKeyExchange, CertificateRequest, ServerHelloDone, CertificateStatus."""
_MESSAGES: Final = _SAID_BY_CLIENTS | _SAID_BY_SERVERS | {4, CERTIFICATE, 20}
_MESSAGE_HEADER: Final = 4
_ALERT_BODY: Final = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One handshake message. Where not `whole`, the capture holds no more than the beginning of its body."""

    body: bytes
    whole: bool = True


@dataclass(slots=True)
class Sent:
    """What one side sent in the clear.

    Attributes:
        records: how many TLS records were seen.
        alerts: their codes.
        encrypted: it went on encrypted.
        broken: something of it was not captured.
        headless: its very beginning was not captured, so nobody can say whether it is TLS.
        client: it sent what clients send.
        server: it sent what servers send.
        before_1_3: it sent messages in the clear that TLS 1.3 encrypts.
    """

    records: int = 0
    hello: Message | None = None
    answer: Message | None = None
    certificates: Message | None = None
    asks: bool = False
    alerts: list[int] = field(default_factory=list)
    encrypted: bool = False
    broken: bool = False
    headless: bool = False
    client: bool = False
    server: bool = False
    before_1_3: bool = False


@dataclass(slots=True)
class _Run:
    """Handshake records one after the other, as far as nothing is lost between them. `cut`: the last lacks its end."""

    content: bytearray = field(default_factory=bytearray)
    cut: bool = False


def read_half(half: Half) -> Sent:
    """Return what `half` sent. Its gaps have to be filled."""
    sent, run = Sent(encrypted=half.encrypted), _Run()
    sent.headless = bool(half.gaps) and half.gaps[0][0] < RECORD_HEADER
    for at, kind, length, follows_gap in _records(half, sent):
        sent.records += 1
        if kind in ENCRYPTED:
            sent.encrypted = True
            break
        body, whole = _captured(half, at, length)
        sent.broken = sent.broken or not whole
        if kind == ALERT and whole and length == _ALERT_BODY:
            sent.alerts.append(body[1])
        elif kind == HANDSHAKE:
            if follows_gap or run.cut:
                _read_messages(run, sent)
                run = _Run()
            run.content += body
            run.cut = not whole
    _read_messages(run, sent)
    return sent


def _records(half: Half, sent: Sent) -> Iterator[tuple[int, int, int, bool]]:
    """Give where the content of each record begins, its type, its length, and whether records before it may have been lost."""
    at, lost = 0, False
    while at < len(half.data):
        gap = _gap_after(half, at)
        in_gap = gap is not None and gap[0] < at + RECORD_HEADER
        record = None if in_gap else record_at(half.data, at)
        if record is not None:
            sent.broken = sent.broken or lost
            yield at + RECORD_HEADER, record[0], record[1], lost
            at, lost = at + RECORD_HEADER + record[1], False
            continue
        # No header stands here, or it was not captured. Where a segment begins with one, reading goes on.
        sent.broken = sent.broken or in_gap or sent.records > 0
        index = bisect_right(half.starts, at)
        if index == len(half.starts):
            return
        at, lost = half.starts[index], True


def _gap_after(half: Half, at: int) -> tuple[int, int] | None:
    """Return the first gap that ends behind `at`."""
    index = bisect_right(half.gaps, at, key=lambda gap: gap[1])
    return half.gaps[index] if index < len(half.gaps) else None


def _captured(half: Half, at: int, length: int) -> tuple[bytes, bool]:
    """Return what was captured of a record's content before the first gap in it, and whether that is all."""
    gap = _gap_after(half, at)
    end = min(at + length, len(half.data), max(at, gap[0]) if gap else at + length)
    return bytes(half.data[at:end]), end == at + length


def _read_messages(run: _Run, sent: Sent) -> None:
    content, at = bytes(run.content), 0
    while len(content) - at >= _MESSAGE_HEADER:
        kind, length = content[at], int.from_bytes(content[at + 1 : at + _MESSAGE_HEADER], "big")
        if kind not in _MESSAGES:
            sent.broken = True  # it is the middle of a message
            return
        at += _MESSAGE_HEADER
        message = Message(content[at : at + length], whole=len(content) - at >= length)
        sent.broken = sent.broken or not message.whole
        _note(kind, message, sent)
        at += length
    sent.broken = sent.broken or at < len(content)


def _note(kind: int, message: Message, sent: Sent) -> None:
    sent.client = sent.client or kind in _SAID_BY_CLIENTS
    sent.server = sent.server or kind in _SAID_BY_SERVERS
    sent.before_1_3 = sent.before_1_3 or kind not in {CLIENT_HELLO, SERVER_HELLO}
    if kind == CLIENT_HELLO:
        sent.hello = sent.hello or message
    elif kind == SERVER_HELLO:
        # A second one follows a request to try again (RFC 8446, 4.1.4).
        sent.answer = message
    elif kind == CERTIFICATE:
        sent.certificates = sent.certificates or message
    elif kind == CERTIFICATE_REQUEST:
        sent.asks = True
