"""The lines of a log that say why the traffic server would not go on, and for which request. All else is passed over.

Only the fields of the patterns below are kept. Headers, cookies, tokens, and of a URL all but its target, stay where they are.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.log_prefix import Prefix, prefix_of, prefixes_in
from remediate.connectors.evidence.mra_target import Target, target_in
from remediate.connectors.evidence.other_processes import FAILURE_WORDS, TRAFFIC_SERVER, is_of_sip, sip_failure_in
from remediate.connectors.evidence.plain_text import has_refusal_words, may_hold_a_refusal, plain
from remediate.connectors.evidence.refusal_messages import (
    MARK,
    Message,
    count_places,
    message_in,
    messages_in,
    rejoined,
    without,
)
from remediate.connectors.evidence.tally import Tally
from remediate.connectors.evidence.text_blocks import read_blocks
from remediate.model.evidence import Logged, LogKind, LookedAt
from remediate.model.limits import Limits

_TRANSACTION: Final = re.compile(
    r"Detail=\"\s*(?P<what>[A-Za-z]{1,12} [A-Za-z]{1,12})\s*\".{0,400}?Txn-id=\"(?P<id>\d{1,20})\""
)
_DESTINATION: Final = re.compile(r"Dst-ip=\"(?P<ip>[0-9A-Fa-f:.]{2,45})\"\s+Dst-port=\"(?P<port>\d{1,5})\"")
_REQUEST: Final = re.compile(r"\b(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH) (?P<url>\S{1,4096})")
_STATUS: Final = re.compile(r"\bHTTP/1\.[01]\"? (?P<code>\d{3})\b")
# An access log has the request and the status on one line: … ERR_CONNECT_FAIL/502 512 GET http://… or "GET … HTTP/1.1" 502
_REFUSED_AT_ONCE: Final = re.compile(r"[A-Z_]/502\b|HTTP/1\.[01]\" 502\b|Status=\"502\"")
_MOST_OPEN: Final = 1_000
_LINES_BEFORE: Final = 6
"""How many lines a message may begin before its words."""
_DIAGS_LINE: Final = re.compile(rb"^\[[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?\]", re.MULTILINE)
_ACCESS_LINE: Final = re.compile(rb" (?:TCP|ERR)_[A-Z_]{2,40}/\d{3} \d{1,12} ")
_REFUSALS: Final = (b"certificate verification failed", b"not in certificate", b"SSL connection failed")
_ABOUT_A_FAILURE: Final = (*_REFUSALS, *FAILURE_WORDS)
# Of a million lines a few matter: looking for plain words is ten times as fast as one pattern of all of them.
_WORDS: Final = (b"HTTP/1.", b"Txn-id=", b"/502 ", *dict.fromkeys(_ABOUT_A_FAILURE))


@dataclass(slots=True)
class _Open:
    """A request that is under way: where it is to go, as far as the log said."""

    target: Target | None = None
    sent_to: set[Target] = field(default_factory=set)

    def ports(self, address: str, ip: str | None) -> set[int]:
        found = {one.port for one in self.sent_to if one.address in {address, ip}}
        return found | ({self.target.port} if self.target and self.target.address in {address, ip} else set())


@dataclass(frozen=True, slots=True)
class _Context:
    """The message of one transaction, whose lines follow: ``Receive Request``, ``Sending Response`` and so on."""

    what: str
    key: tuple[str | None, str | None, str]


class LogReader:
    """Reads one log, block after block."""

    def __init__(self, tally: Tally, limits: Limits) -> None:
        self._tally = tally
        self._longest_line = limits.evidence_line_bytes
        self._prefix = Prefix()
        self._failure_words: tuple[bytes, ...] = ()
        self._context: _Context | None = None
        self._open: OrderedDict[tuple[str | None, str | None, str], _Open] = OrderedDict()
        self._traffic_server_lines = self._joined = self._unread = self._other_failures = 0

    @property
    def looked_at(self) -> LookedAt:
        """How much there was to look at so far."""
        return LookedAt(
            traffic_server_lines=self._traffic_server_lines, joined_messages=self._joined, unread_refusals=self._unread,
            other_failures=self._other_failures,
        )  # fmt: skip

    def read(self, block: bytes) -> None:
        """Take the next block of whole lines."""
        self._traffic_server_lines += _count_traffic_server_lines(block)
        words = tuple(word for word in _WORDS if word in block)
        self._failure_words = tuple(word for word in words if word in _ABOUT_A_FAILURE)
        if words or self._context:
            block = b"\n".join(self._read_lines(block.split(b"\n"), words))
        if may_hold_a_refusal(block):
            self._read_broken(block)

    def _read_lines(self, lines: list[bytes], words: tuple[bytes, ...]) -> list[bytes]:
        """Return what is left of `lines`: of a message that was understood, what stood before it."""
        for number, line in enumerate(lines):
            # A plain loop: it runs for every line of a log.
            for word in words:
                if word in line:
                    if len(line) <= self._longest_line:
                        lines[number] = self._read_line(line, lines[max(0, number - _LINES_BEFORE) : number])
                    break
            else:
                # The next process speaks: what follows is no part of the message before.
                if self._context and _begins_a_message(line) and prefix_of(line[:600].decode(errors="replace")):
                    self._context = None
        return lines

    def _read_line(self, raw: bytes, before: list[bytes]) -> bytes:
        """Take a line that may matter. Return what is left of it for a closer look."""
        text = raw.decode(errors="replace")
        prefix = prefix_of(text) if _begins_a_message(raw) else None
        if prefix:
            self._prefix, self._context = prefix, None
        if not any(word in raw for word in self._failure_words):
            self._message(text)
            return raw
        inside = [place for _, place in prefixes_in(text) if place.process]
        if len(inside) > 1:
            return raw
        prefix = prefix or next(iter(inside), None)
        refusals = sum(raw.count(word) for word in _REFUSALS)
        if prefix and prefix.program not in {None, TRAFFIC_SERVER} and not refusals:
            if is_of_sip(text) and not sip_failure_in(text):
                return raw
            self._count_other(text, prefix)
            return MARK.encode()
        message = message_in(text) if refusals == 1 else None
        if not message:
            return raw
        self._count(message, prefix or _last_prefix_in(before) or Prefix())
        self._traffic_server_lines += TRAFFIC_SERVER.encode() not in raw and not _DIAGS_LINE.match(raw)
        return text[: message.start].encode(errors="replace") + MARK.encode()

    def _read_broken(self, block: bytes) -> None:
        """Look for messages that are not in one line of their own, and count the words of a refusal of which none can be made."""
        text = plain(block)
        messages = messages_in(text)
        prefixes = prefixes_in(text) if messages else []
        for message in messages:
            before = bisect_right(prefixes, message.start, key=lambda place: place[0])
            self._count(message, prefixes[before - 1][1] if before else self._prefix)
        if not _count_traffic_server_lines(block):
            self._traffic_server_lines += len(messages)
        self._joined += len(messages)
        left = self._without_other_processes(without(messages, text))
        self._unread += count_places(left) or has_refusal_words(left.encode(errors="replace"))

    def _without_other_processes(self, text: str) -> str:
        """Count what other processes say in `text`. Return what is left of it."""
        kept, at = [], 0
        places = [place for place in prefixes_in(text) if place[1].process]
        ends = [*(start for start, _ in places[1:]), len(text)]
        for (start, prefix), end in zip(places, ends, strict=False):
            kept.append(text[at:start])
            at = start
            if prefix.program == TRAFFIC_SERVER:
                continue
            line, first_line = rejoined(text[start:end]), text[start:end].partition("\n")[0]
            if sip_failure_in(line):
                self._count_other(line, prefix)
                at = end
            elif any(word.decode() in first_line for word in FAILURE_WORDS):
                # Only SIP's lines have a known form; where those of another process end, nobody can say.
                self._count_other(first_line, prefix)
                at = start + len(first_line)
        return MARK.join([*kept, text[at:]])

    def _count(self, message: Message, prefix: Prefix) -> None:
        logged = Logged(
            message.kind, prefix.peer, message.address, message.ip, self._port(message.address, message.ip, prefix),
            message.error, message.depth, message.enforced, message.alert,
        )  # fmt: skip
        self._tally.logged(logged, prefix)

    def _count_other(self, line: str, prefix: Prefix) -> None:
        """Count a line of a process that is not the traffic server."""
        failure = sip_failure_in(line)
        if not failure:
            self._tally.count_other_failure(prefix.program or "", prefix)
            self._other_failures += 1
            return
        kind: LogKind = "sip-name" if failure.is_about_the_name else "sip"
        logged = Logged(
            kind,
            prefix.peer,
            failure.address,
            failure.ip,
            failure.port,
            failure.error,
            None,
            enforced=True,
            alert=failure.alert,
        )
        self._tally.logged(logged, prefix)

    def _port(self, address: str, ip: str | None, prefix: Prefix) -> int | None:
        """The port, where all requests for this address that are under way in this process name the same."""
        mine = [one for key, one in self._open.items() if key[:2] == (prefix.peer, prefix.process)]
        ports = set[int]().union(*(one.ports(address, ip) for one in mine))
        return ports.pop() if len(ports) == 1 else None

    def _message(self, text: str) -> None:
        transaction = _TRANSACTION.search(text) if "Txn-id=" in text else None
        if transaction:
            self._context = _Context(transaction["what"], (self._prefix.peer, self._prefix.process, transaction["id"]))
            self._sent(text, self._context)
        if "HTTP/1." not in text and "/502 " not in text:
            return
        request = _REQUEST.search(text)
        # A line that ends with its URL may have been broken within it, and then names another port.
        target = target_in(request["url"]) if request and text[request.end() :].strip() else None
        if target and _REFUSED_AT_ONCE.search(text):
            self._tally.answered_502(target, self._prefix)
        elif target and self._context:
            self._of(self._context).target = target
        elif not request:
            self._answered(text)

    def _sent(self, text: str, context: _Context) -> None:
        """A request goes on to a node: the line names its address and port."""
        to = _DESTINATION.search(text) if context.what == "Sending Request" else None
        if to:
            self._of(context).sent_to.add(Target(to["ip"], int(to["port"])))

    def _answered(self, text: str) -> None:
        status = _STATUS.search(text)
        if not status or not self._context or self._context.what != "Sending Response":
            return
        done = self._open.pop(self._context.key, None)
        if done and done.target and status["code"] == "502":
            self._tally.answered_502(done.target, self._prefix)

    def _of(self, context: _Context) -> _Open:
        if context.key not in self._open and len(self._open) >= _MOST_OPEN:
            self._open.popitem(last=False)
        return self._open.setdefault(context.key, _Open())


def _begins_a_message(raw: bytes) -> bool:
    return raw[:1].isalnum() or raw.startswith(b"[")


def _last_prefix_in(lines: list[bytes]) -> Prefix | None:
    """Return where a message comes from that begins a few lines before its words."""
    found = (prefix_of(line[:600].decode(errors="replace").lstrip(" >|")) for line in reversed(lines))
    return next((prefix for prefix in found if prefix), None)


def _count_traffic_server_lines(block: bytes) -> int:
    """Lines of a diagnostic log, of a log of the traffic server's own, and of its access log."""
    named = block.count(b" traffic_server")
    if named:
        return named
    own = len(_DIAGS_LINE.findall(block)) if b"[ET_" in block or b"{0x" in block else 0
    return own + (len(_ACCESS_LINE.findall(block)) if b"TCP_" in block or b"ERR_" in block else 0)


def read_log(stream: io.BufferedReader, tally: Tally, limits: Limits) -> int:
    """Read a log to its end into `tally`. Return how many lines there were.

    Raises:
        CannotRead: the stream broke off. What came before counts.
    """
    reader, lines = LogReader(tally, limits), 0
    try:
        for block in read_blocks(stream, limits.evidence_line_bytes):
            lines += block.count(b"\n") + (not block.endswith(b"\n"))
            reader.read(block)
    finally:
        tally.count(reader.looked_at)
    return lines
