"""The TLS records of one direction, and the handshake messages in them, as far as the capture holds them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.tcp_streams import ENCRYPTED_TYPES, RECORD_HEADER, Half, read_record_header

ALERT, HANDSHAKE = 21, 22
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, CERTIFICATE_REQUEST = 1, 2, 11, 13
_CLIENT_MESSAGES: Final = frozenset({CLIENT_HELLO, 15, 16})
"""ClientHello, CertificateVerify, ClientKeyExchange; up to TLS 1.2, as TLS 1.3 encrypts all messages behind the hellos."""
_SERVER_MESSAGES: Final = frozenset({0, SERVER_HELLO, 12, CERTIFICATE_REQUEST, 14, 22})
"""HelloRequest, ServerHello, ServerKeyExchange, CertificateRequest, ServerHelloDone, CertificateStatus."""
_KNOWN_MESSAGES: Final = _CLIENT_MESSAGES | _SERVER_MESSAGES | {4, CERTIFICATE, 20}
_MESSAGE_HEADER: Final = 4
_ALERT_LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class Message:
    """A handshake message; of an incomplete one, the capture holds only the beginning of the body."""

    body: bytes
    complete: bool = True


@dataclass(slots=True)
class SentMessages:
    """The messages and alerts that one side sent in the clear.

    Attributes:
        records: The number of TLS records.
        server_hello: The last one: another follows a HelloRetryRequest (RFC 8446, 4.1.4).
        requests_certificate: The side sent a CertificateRequest.
        alerts: The numbers of the alerts.
        is_encrypted: The side sent encrypted records.
        incomplete: A part was not captured.
        headless: The first bytes were not captured, so it is not known whether this is TLS.
        is_client: The side sent messages of clients.
        is_server: The side sent messages of servers.
        is_before_1_3: The side sent messages in the clear that TLS 1.3 encrypts.
    """

    records: int = 0
    client_hello: Message | None = None
    server_hello: Message | None = None
    certificates: Message | None = None
    requests_certificate: bool = False
    alerts: list[int] = field(default_factory=list)
    is_encrypted: bool = False
    incomplete: bool = False
    headless: bool = False
    is_client: bool = False
    is_server: bool = False
    is_before_1_3: bool = False


@dataclass(slots=True)
class _RecordRun:
    """Consecutive handshake records without a gap between them; `cut` if the last one lacks its end."""

    content: bytearray = field(default_factory=bytearray)
    cut: bool = False


def read_messages(half: Half) -> SentMessages:
    """Return the messages in `half`, whose gaps must have been filled."""
    sent_messages, run = SentMessages(is_encrypted=half.is_encrypted), _RecordRun()
    sent_messages.headless = bool(half.gaps) and half.gaps[0][0] < RECORD_HEADER
    for at, kind, length, follows_gap in _walk_records(half, sent_messages):
        sent_messages.records += 1
        if kind in ENCRYPTED_TYPES:
            sent_messages.is_encrypted = True
            break
        body, complete = _read_captured(half, at, length)
        sent_messages.incomplete = sent_messages.incomplete or not complete
        if kind == ALERT and complete and length == _ALERT_LENGTH:
            sent_messages.alerts.append(body[1])
        elif kind == HANDSHAKE:
            if follows_gap or run.cut:
                _split_messages(run, sent_messages)
                run = _RecordRun()
            run.content += body
            run.cut = not complete
    _split_messages(run, sent_messages)
    return sent_messages


def _walk_records(half: Half, sent_messages: SentMessages) -> Iterator[tuple[int, int, int, bool]]:
    """Yield the offset of each record's content, its type, its length, and whether records before it may have been lost."""
    at, may_be_lost = 0, False
    while at < len(half.data):
        gap = _find_gap(half, at)
        in_gap = gap is not None and gap[0] < at + RECORD_HEADER
        record = None if in_gap else read_record_header(half.data, at)
        if record is not None:
            sent_messages.incomplete = sent_messages.incomplete or may_be_lost
            yield at + RECORD_HEADER, record[0], record[1], may_be_lost
            at, may_be_lost = at + RECORD_HEADER + record[1], False
            continue
        # No header is here, or it was not captured. Reading continues at the next segment that begins with one.
        sent_messages.incomplete = sent_messages.incomplete or in_gap or sent_messages.records > 0
        index = bisect_right(half.segment_starts, at)
        if index == len(half.segment_starts):
            return
        at, may_be_lost = half.segment_starts[index], True


def _find_gap(half: Half, at: int) -> tuple[int, int] | None:
    """Return the first gap that ends behind `at`; None if there is none."""
    index = bisect_right(half.gaps, at, key=lambda gap: gap[1])
    return half.gaps[index] if index < len(half.gaps) else None


def _read_captured(half: Half, at: int, length: int) -> tuple[bytes, bool]:
    """Return the content of a record up to the first gap in it, and whether that is all of it."""
    gap = _find_gap(half, at)
    end = min(at + length, len(half.data), max(at, gap[0]) if gap else at + length)
    return bytes(half.data[at:end]), end == at + length


def _split_messages(run: _RecordRun, sent_messages: SentMessages) -> None:
    content, at = bytes(run.content), 0
    while len(content) - at >= _MESSAGE_HEADER:
        kind, length = content[at], int.from_bytes(content[at + 1 : at + _MESSAGE_HEADER], "big")
        if kind not in _KNOWN_MESSAGES:
            sent_messages.incomplete = True  # this is the middle of a message
            return
        at += _MESSAGE_HEADER
        message = Message(content[at : at + length], complete=len(content) - at >= length)
        sent_messages.incomplete = sent_messages.incomplete or not message.complete
        _record_message(kind, message, sent_messages)
        at += length
    sent_messages.incomplete = sent_messages.incomplete or at < len(content)


def _record_message(kind: int, message: Message, sent_messages: SentMessages) -> None:
    sent_messages.is_client = sent_messages.is_client or kind in _CLIENT_MESSAGES
    sent_messages.is_server = sent_messages.is_server or kind in _SERVER_MESSAGES
    sent_messages.is_before_1_3 = sent_messages.is_before_1_3 or kind not in {CLIENT_HELLO, SERVER_HELLO}
    if kind == CLIENT_HELLO:
        sent_messages.client_hello = sent_messages.client_hello or message
    elif kind == SERVER_HELLO:
        sent_messages.server_hello = message
    elif kind == CERTIFICATE:
        sent_messages.certificates = sent_messages.certificates or message
    elif kind == CERTIFICATE_REQUEST:
        sent_messages.requests_certificate = True
