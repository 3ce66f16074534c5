"""The reader of logs: refusals of the traffic server, the requests that they ended, and failures of other processes.

Only the fields of the patterns below are kept: no headers, cookies or tokens, and of a URL only its target.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from remediate.connectors.evidence.client_log import CLIENT_WORDS, parse_refused_request
from remediate.connectors.evidence.line_search import find_lines, has_any, list_lines_before
from remediate.connectors.evidence.log_prefix import Prefix, find_prefixes, has_prefix, parse_prefix, parse_utc_time
from remediate.connectors.evidence.mra_target import Target, parse_target
from remediate.connectors.evidence.open_requests import Key, OpenRequests
from remediate.connectors.evidence.openssl_signs import find_generation
from remediate.connectors.evidence.other_processes import FAILURE_WORDS, TRAFFIC_SERVER, is_sip_failure, parse_sip_failure
from remediate.connectors.evidence.plain_text import has_refusal_words, may_hold_a_refusal, strip_terminal, to_plain_text
from remediate.connectors.evidence.refusal_messages import (
    MARK,
    RefusalMessage,
    count_places,
    find_messages,
    parse_message,
    rejoin,
    remove_messages,
)
from remediate.connectors.evidence.tally import Tally
from remediate.connectors.evidence.text_blocks import read_blocks
from remediate.model.client import NEXT_HOP_FAILED
from remediate.model.evidence import Coverage, LoggedFailure, LogKind
from remediate.model.limits import Limits

_TRANSACTION: Final = re.compile(
    r"Detail=\"\s*(?P<event>[A-Za-z]{1,12} [A-Za-z]{1,12})\s*\".{0,400}?Txn-id=\"(?P<id>\d{1,20})\""
)
_SOURCE: Final = re.compile(r"Src-ip=\"(?P<ip>[0-9A-Fa-f:.]{2,45})\"\s+Src-port=\"(?P<port>\d{1,5})\"")
_DESTINATION: Final = re.compile(r"Dst-ip=\"(?P<ip>[0-9A-Fa-f:.]{2,45})\"\s+Dst-port=\"(?P<port>\d{1,5})\"")
_REQUEST: Final = re.compile(r"\b(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH) (?P<url>\S{1,4096})")
_METHODS: Final = ("GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH ")
_STATUS: Final = re.compile(r"\bHTTP/1\.[01]\"? (?P<code>\d{3})\b")
# An access log has the request and the status on one line: … ERR_CONNECT_FAIL/502 512 GET http://… or "GET … HTTP/1.1" 502
_REFUSED_AT_ONCE: Final = re.compile(r"[A-Z_]/502\b|HTTP/1\.[01]\" 502\b|Status=\"502\"")
_LOOPBACK: Final = ("127.", "::1")
_MAX_LINES_BEFORE: Final = 6
"""The number of lines before its words in which a message may begin."""
_DIAGS_LINE: Final = re.compile(rb"^\[[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?\]", re.MULTILINE)
_ACCESS_LINE: Final = re.compile(rb" (?:TCP|ERR)_[A-Z_]{2,40}/\d{3} \d{1,12} ")
_REFUSALS: Final = (b"certificate verification failed", b"not in certificate", b"SSL connection failed")
_ALL_FAILURE_WORDS: Final = (*_REFUSALS, *FAILURE_WORDS)
# Of a million lines a few matter. A search for one plain word is thirty times as fast as a pattern, so one stands for several.
_REQUEST_WORDS: Final = (b"Txn-id=", b"HTTP/1.")
_WORDS_OF_OTHER_LOGS: Final = (b"/502 ", *CLIENT_WORDS)
"""Words of access logs and of clients. Behind the first block of a log that has lines of a traffic server, none is expected."""
WORDS: Final = (*_REQUEST_WORDS, *_WORDS_OF_OTHER_LOGS, *dict.fromkeys(_ALL_FAILURE_WORDS))
"""Every line that matters has one of these words, unless it was broken."""
_IN_FAILURE_WORDS: Final = (b"ertificate", b"SSL", b"Nego")
"""Each of the words of a failure has one of these in it."""
_IN_BROKEN_WORDS: Final = (b"Action=", b"tiation Error")
"""A message that one break divides within a word of `_IN_FAILURE_WORDS` has one of these whole, or another of those."""


@dataclass(frozen=True, slots=True)
class _TransactionEvent:
    """The event of a transaction whose lines follow, such as ``Receive Request`` or ``Sending Response``."""

    event: str
    key: Key


class _Parts:
    """A block, with lines of it replaced."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._replaced: dict[int, tuple[int, bytes]] = {}

    def replace(self, begin: int, end: int, line: bytes) -> None:
        """Put `line` in the place of the one from `begin` to `end`."""
        if line != self._block[begin:end]:
            self._replaced[begin] = (end, line)

    def has_replaced(self, lines: Iterable[int]) -> bool:
        """Whether every one of `lines`, by its begin, was replaced."""
        return all(begin in self._replaced for begin in lines)

    def list_lines_before(self, begin: int) -> list[bytes]:
        """Return the lines before the one that begins at `begin` in which its message may begin, as they are now."""
        places = list_lines_before(self._block, begin, _MAX_LINES_BEFORE)
        return [self._replaced[at][1] if at in self._replaced else self._block[at:end] for at, end in places]

    def join(self) -> bytes:
        """Return the block with what was replaced in it."""
        if not self._replaced:
            return self._block
        fragments, at = [], 0
        for begin, (end, line) in self._replaced.items():
            fragments += [self._block[at:begin], line]
            at = end
        return b"".join([*fragments, self._block[at:]])


class LogReader:
    """Reads a log, block after block, into a tally."""

    def __init__(self, tally: Tally, limits: Limits) -> None:
        self._tally = tally
        self._max_line_bytes = limits.evidence_line_bytes
        self._prefix = Prefix()
        self._context: _TransactionEvent | None = None
        self._open_requests = OpenRequests()
        self._request_words: tuple[bytes, ...] = _REQUEST_WORDS
        self._traffic_server_lines = self._joined = self._unread = self._other_failures = self._unknown_bad_gateways = 0

    @property
    def coverage(self) -> Coverage:
        """The counts of what was read so far."""
        return Coverage(
            traffic_server_lines=self._traffic_server_lines, joined_messages=self._joined, unread_refusals=self._unread,
            other_failures=self._other_failures, unknown_bad_gateways=self._unknown_bad_gateways,
        )  # fmt: skip

    def read(self, block: bytes) -> None:
        """Read the next block of whole lines."""
        traffic_server_lines = _count_traffic_server_lines(block)
        is_known_log = self._traffic_server_lines > 0 and traffic_server_lines > 0
        self._traffic_server_lines += traffic_server_lines
        self._request_words = _REQUEST_WORDS if is_known_log else (*_REQUEST_WORDS, *_WORDS_OF_OTHER_LOGS)
        failures = find_lines(block, _IN_FAILURE_WORDS)
        parts = self._read_lines(block, failures)
        block = parts.join()
        # Most blocks have nothing more: a look for words with a break in them costs as much as all searches before.
        is_suspicious = not parts.has_replaced(failures) or has_any(block, _IN_BROKEN_WORDS)
        if (is_suspicious or not is_known_log) and may_hold_a_refusal(block):
            self._read_broken(block)

    def _read_lines(self, block: bytes, failures: dict[int, int]) -> _Parts:
        """Read the lines of `block`. Return it; of a line with a message that was read, only the text before it."""
        parts, at = _Parts(block), 0
        for begin, end in sorted((find_lines(block, self._request_words) | failures).items()):
            line = block[begin:end]
            is_failure = begin in failures and any(word in line for word in _ALL_FAILURE_WORDS)
            if not is_failure and begin in failures and not any(word in line for word in self._request_words):
                continue
            self._leave_event(block, at, begin)
            if len(line) > self._max_line_bytes:
                pass
            elif is_failure:
                parts.replace(begin, end, self._read_failure(line, parts, begin))
            else:
                self._read_request(line)
            at = end + 1
        self._leave_event(block, at, len(block))
        return parts

    def _leave_event(self, block: bytes, at: int, until: int) -> None:
        """Look for a line of another process from `at` on: the lines that follow it do not belong to the event before."""
        while self._context and at < until:
            end = block.find(b"\n", at, until)
            end = until if end < 0 else end
            line = block[at : min(end, at + 600)]
            if _begins_a_message(line) and has_prefix(line.decode(errors="replace")):
                self._context = None
            at = end + 1

    def _read_prefix(self, raw: bytes, text: str) -> Prefix | None:
        """Return the prefix of a line, which begins a message; None where it has none."""
        prefix = parse_prefix(text) if _begins_a_message(raw) else None
        if prefix:
            self._prefix, self._context = prefix, None
        return prefix

    def _read_request(self, raw: bytes) -> None:
        """Read a line about a request."""
        text = strip_terminal(raw.decode(errors="replace"))
        self._read_prefix(raw, text)
        self._read_transaction(text)

    def _read_failure(self, raw: bytes, parts: _Parts, begin: int) -> bytes:
        """Read the line with words of a failure that begins at `begin`. Return the part of it that may hold a broken message."""
        text = strip_terminal(raw.decode(errors="replace"))
        prefix = self._read_prefix(raw, text)
        prefixes = [prefix for _, prefix in find_prefixes(text) if prefix.process]
        if len(prefixes) > 1:
            return raw
        prefix = prefix or next(iter(prefixes), None)
        refusals = sum(raw.count(word) for word in _REFUSALS)
        if prefix and prefix.program not in {None, TRAFFIC_SERVER} and not refusals:
            if is_sip_failure(text) and not parse_sip_failure(text):
                return raw
            self._record_other_failure(text, prefix)
            self._record_openssl(text, prefix)
            return MARK.encode()
        if prefix is None and not refusals and parse_sip_failure(text):
            # The event log of the web interface shows the lines without the name of their process.
            self._record_other_failure(text, parse_utc_time(text))
            return MARK.encode()
        message = parse_message(text) if refusals == 1 else None
        if not message:
            return raw
        prefix = prefix or _find_last_prefix(parts.list_lines_before(begin)) or Prefix()
        self._record_message(message, prefix)
        self._record_openssl(text, prefix)
        self._traffic_server_lines += TRAFFIC_SERVER.encode() not in raw and not _DIAGS_LINE.match(raw)
        return text[: message.start].encode(errors="replace") + MARK.encode()

    def _read_broken(self, block: bytes) -> None:
        """Read messages that share a line or are spread over lines, and count the words of a refusal outside any message."""
        text = to_plain_text(block)
        messages = find_messages(text)
        prefixes = find_prefixes(text) if messages else []
        for message in messages:
            index = bisect_right(prefixes, message.start, key=lambda place: place[0])
            self._record_message(message, prefixes[index - 1][1] if index else self._prefix)
        if not _count_traffic_server_lines(block):
            self._traffic_server_lines += len(messages)
        self._joined += len(messages)
        remainder = self._read_other_processes(remove_messages(messages, text))
        self._unread += count_places(remainder) or has_refusal_words(remainder.encode(errors="replace"))

    def _read_other_processes(self, text: str) -> str:
        """Record the failures of other processes in `text`. Return `text` without them."""
        parts, at = [], 0
        places = [place for place in find_prefixes(text) if place[1].process]
        ends = [*(start for start, _ in places[1:]), len(text)]
        for (start, prefix), end in zip(places, ends, strict=False):
            parts.append(text[at:start])
            at = start
            if prefix.program == TRAFFIC_SERVER:
                continue
            line, first_line = rejoin(text[start:end]), text[start:end].partition("\n")[0]
            if parse_sip_failure(line):
                self._record_other_failure(line, prefix)
                at = end
            elif any(word.decode() in first_line for word in FAILURE_WORDS):
                # Only SIP's lines have a known form; where a wrapped line of another process ends is not known.
                self._record_other_failure(first_line, prefix)
                at = start + len(first_line)
        return MARK.join([*parts, text[at:]])

    def _record_message(self, message: RefusalMessage, prefix: Prefix) -> None:
        names = {message.address, message.server or message.address, message.ip}
        failure = LoggedFailure(
            message.kind, prefix.peer, message.address, message.ip, self._find_port(names, prefix), message.error, message.depth,
            message.enforced, message.alert, sni=message.sni, server=message.server,
        )  # fmt: skip
        self._tally.add_logged_failure(failure, prefix)

    def _record_openssl(self, text: str, prefix: Prefix) -> None:
        generation = find_generation(text)
        if generation:
            self._tally.add_openssl_sign(generation, prefix)

    def _record_other_failure(self, line: str, prefix: Prefix) -> None:
        """Record a failure in a line of a process that is not the traffic server."""
        sip_failure = parse_sip_failure(line)
        if not sip_failure:
            self._tally.add_other_failure(prefix.program or "", prefix)
            self._other_failures += 1
            return
        kind: LogKind = "sip-name" if sip_failure.is_about_the_name else "sip"
        failure = LoggedFailure(
            kind, prefix.peer, sip_failure.address, sip_failure.ip, sip_failure.port, sip_failure.error, None,
            enforced=True, alert=sip_failure.alert,
        )  # fmt: skip
        self._tally.add_logged_failure(failure, prefix)

    def _find_port(self, names: AbstractSet[str | None], prefix: Prefix) -> int | None:
        """Return the port if all open requests of this process for a host with one of `names` have the same one; else None."""
        ports = self._open_requests.find_ports(prefix.peer, prefix.process, names)
        return ports.pop() if len(ports) == 1 else None

    def _read_transaction(self, text: str) -> None:
        transaction = _TRANSACTION.search(text) if "Txn-id=" in text else None
        if transaction:
            self._context = _TransactionEvent(
                transaction["event"], (self._prefix.peer, self._prefix.process, transaction["id"])
            )
            self._read_destination(text, self._context)
        client = parse_refused_request(text)
        if client and not transaction:
            self._tally.add_bad_gateway(*client, "client")
            return
        if "HTTP/1." not in text and "/502 " not in text:
            return
        request = _find_request(text)
        # A line that ends with its URL may have been broken within it, and then has another port.
        target = parse_target(request["url"]) if request and text[request.end() :].strip() else None
        if target and "502" in text and _REFUSED_AT_ONCE.search(text):
            self._tally.add_bad_gateway(target, self._prefix)
        elif target and self._context:
            self._open_requests.set_target(self._context.key, target)
        elif not request:
            self._read_response(text)

    def _read_destination(self, text: str, context: _TransactionEvent) -> None:
        """Read who sends a request, and the address and port of the node that it is sent to, or that answers it."""
        sender = _SOURCE.search(text) if context.event == "Receive Request" else None
        if sender and not sender["ip"].startswith(_LOOPBACK):
            self._open_requests.add(context.key).is_from_outside = True
        destination = _DESTINATION.search(text) if context.event == "Sending Request" else None
        if destination:
            self._open_requests.add_server(context.key, Target(destination["ip"], int(destination["port"])))
        source = _SOURCE.search(text) if context.event == "Receive Response" else None
        request = self._open_requests.find(context.key) if source else None
        if request and source:
            request.is_answered = Target(source["ip"], int(source["port"])) in request.sent_to

    def _read_response(self, text: str) -> None:
        status = _STATUS.search(text, max(0, text.find("HTTP/1.")))
        if not status or not self._context:
            return
        if self._context.event == "Receive Response":
            open_request = self._open_requests.find(self._context.key)
            if open_request and open_request.target and open_request.is_answered:
                self._tally.add_answered_request(open_request.target, self._prefix)
        if self._context.event != "Sending Response":
            return
        request = self._open_requests.remove(self._context.key)
        if status["code"] == "502" and not (request and request.target):
            self._unknown_bad_gateways += 1
        elif request and request.target and status["code"] == "502":
            self._tally.add_bad_gateway(
                request.target, self._prefix, "edge" if request.is_from_outside else "peer",
                tunnel_down=NEXT_HOP_FAILED in text.casefold(),
            )  # fmt: skip


def _find_request(text: str) -> re.Match[str] | None:
    """Return the first request line in `text`; most texts have no method in them, and a search for a plain word is fast."""
    begins = [at for method in _METHODS if (at := text.find(method)) >= 0]
    return _REQUEST.search(text, min(begins)) if begins else None


def _begins_a_message(raw: bytes) -> bool:
    return raw[:1].isalnum() or raw.startswith(b"[")


def _find_last_prefix(lines: list[bytes]) -> Prefix | None:
    """Return the prefix of a message that begins a few lines before its words; None if none has one."""
    prefixes = (parse_prefix(line[:600].decode(errors="replace").lstrip(" >|")) for line in reversed(lines))
    return next((prefix for prefix in prefixes if prefix), None)


def _count_traffic_server_lines(block: bytes) -> int:
    """Return the number of lines in a diagnostic log, or in the traffic server's own logs."""
    in_diagnostic_log = block.count(b" traffic_server")
    if in_diagnostic_log:
        return in_diagnostic_log
    in_own_log = len(_DIAGS_LINE.findall(block)) if b"[ET_" in block or b"{0x" in block else 0
    return in_own_log + (len(_ACCESS_LINE.findall(block)) if b"TCP_" in block or b"ERR_" in block else 0)


def read_log(stream: io.BufferedReader, tally: Tally, limits: Limits) -> int:
    """Read a log to its end into `tally`. Return the number of its lines.

    Raises:
        CannotRead: The stream broke off. The lines before count.
    """
    reader, lines = LogReader(tally, limits), 0
    try:
        for block in read_blocks(stream, limits.evidence_line_bytes):
            lines += block.count(b"\n") + (not block.endswith(b"\n"))
            reader.read(block)
    finally:
        tally.add_coverage(reader.coverage)
    return lines
