"""The lines of a log that say why the traffic server would not go on, and for which request. All else is passed over.

Only the fields of the patterns below are kept. Headers, cookies, tokens, and of a URL all but its target, stay where they are.
"""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.mra import Target, target_in
from remediate.connectors.evidence.prefix import Prefix, prefix_of
from remediate.connectors.evidence.tally import Tally
from remediate.model.evidence import Logged
from remediate.model.limits import Limits

_ENDED: Final = r"Action=(?P<action>Terminate|Continue)\s+"
_SERVER: Final = r"server=(?P<server>\(null\)|[^()\s]{0,255})\((?P<ip>[0-9A-Fa-f:.]{0,45})\)"
_CHAIN: Final = re.compile(
    rf"certificate verification failed for \((?P<sni>[^()]{{1,255}})\)\.?\s+{_ENDED}"
    rf"Error=(?P<error>.{{1,200}}?)\s+{_SERVER}\s+depth=(?P<depth>\d{{1,3}})\b"
)
_NAME: Final = re.compile(rf"SNI \((?P<sni>[^()]{{1,255}})\) not in certificate\.?\s+{_ENDED}{_SERVER}")
_CONNECTION: Final = re.compile(
    r"SSL connection failed for '(?P<server>[^']{1,255})'\s*:\s*error:[0-9A-Fa-f]{8}:[^:]{0,60}:[^:]{0,80}:"
    r"\s*(?P<reason>[A-Za-z0-9 ._/-]{1,120})"
)
_TRANSACTION: Final = re.compile(r"Detail=\"\s*(?P<what>[A-Za-z]{1,12} [A-Za-z]{1,12})\s*\".*?Txn-id=\"(?P<id>\d{1,20})\"")
_DESTINATION: Final = re.compile(r"Dst-ip=\"(?P<ip>[0-9A-Fa-f:.]{2,45})\"\s+Dst-port=\"(?P<port>\d{1,5})\"")
_REQUEST: Final = re.compile(r"\b(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH) (?P<url>\S{1,4096})")
_STATUS: Final = re.compile(r"\bHTTP/1\.[01]\"? (?P<code>\d{3})\b")
# An access log has the request and the status on one line: … ERR_CONNECT_FAIL/502 512 GET http://… or "GET … HTTP/1.1" 502
_REFUSED_AT_ONCE: Final = re.compile(r"[A-Z_]/502\b|HTTP/1\.[01]\" 502\b|Status=\"502\"")
_MOST_OPEN: Final = 1_000


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
    """Reads one log, line after line."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._prefix = Prefix()
        self._context: _Context | None = None
        self._open: OrderedDict[tuple[str | None, str | None, str], _Open] = OrderedDict()

    def line(self, raw: bytes) -> None:
        """Take the next line."""
        begins = raw[:1].isalnum() or raw.startswith(b"[")
        if not _may_matter(raw):
            # The next process speaks: what follows is no part of the message before.
            if begins and self._context and prefix_of(raw[:600].decode(errors="replace")):
                self._context = None
            return
        text = raw.decode(errors="replace")
        prefix = prefix_of(text) if begins else None
        if prefix:
            self._prefix, self._context = prefix, None
        if not self._verdict(text):
            self._message(text)

    def _verdict(self, text: str) -> bool:
        chain = _CHAIN.search(text)
        if chain:
            self._refused(chain, chain["error"], int(chain["depth"]))
            return True
        name = _NAME.search(text)
        if name:
            self._refused(name, None, None)
            return True
        failed = _CONNECTION.search(text)
        if failed:
            address = failed["server"]
            port = self._port(address, None)
            one = Logged("connection", self._prefix.peer, address, None, port, failed["reason"].strip(), None, enforced=True)
            self._tally.logged(one, self._prefix)
        return failed is not None

    def _refused(self, found: re.Match[str], error: str | None, depth: int | None) -> None:
        server = found["server"]
        address = server if server and server != "(null)" else found["sni"]
        ip = found["ip"] or None
        one = Logged(
            "name" if error is None else "chain", self._prefix.peer, address, ip, self._port(address, ip),
            error if error is not None else f"SNI ({found['sni']}) not in certificate", depth,
            enforced=found["action"] == "Terminate",
        )  # fmt: skip
        self._tally.logged(one, self._prefix)

    def _port(self, address: str, ip: str | None) -> int | None:
        """The port, where all requests for this address that are under way in this process name the same."""
        mine = [one for key, one in self._open.items() if key[:2] == (self._prefix.peer, self._prefix.process)]
        ports = set[int]().union(*(one.ports(address, ip) for one in mine))
        return ports.pop() if len(ports) == 1 else None

    def _message(self, text: str) -> None:
        transaction = _TRANSACTION.search(text)
        if transaction:
            self._context = _Context(transaction["what"], (self._prefix.peer, self._prefix.process, transaction["id"]))
            self._sent(text, self._context)
        request = _REQUEST.search(text)
        target = target_in(request["url"]) if request else None
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


def _may_matter(raw: bytes) -> bool:
    # Of a million lines a few matter: looking for plain words is ten times as fast as one pattern of all of them.
    return (
        b"HTTP/1." in raw
        or b"Txn-id=" in raw
        or b"/502 " in raw
        or b"certificate verification failed" in raw
        or b"not in certificate" in raw
        or b"SSL connection failed" in raw
    )


def read_log(stream: io.BufferedReader, tally: Tally, limits: Limits) -> int:
    """Read a log to its end into `tally`; of a line that is too long, its beginning. Return how many lines there were.

    Raises:
        CannotRead: the stream broke off. What came before counts.
    """
    reader, lines, longest = LogReader(tally), 0, limits.evidence_line_bytes
    wide = stream.peek(2)[:2] in {b"\xff\xfe", b"\xfe\xff"}
    source = io.BufferedReader(_Narrowed(stream)) if wide else stream
    while line := source.readline(longest):
        lines += 1
        reader.line(line)
        while not line.endswith(b"\n") and (line := source.readline(longest)):
            pass
    return lines


class _Narrowed(io.RawIOBase):
    """UTF-16, as some editors save a log, as UTF-8."""

    def __init__(self, stream: io.BufferedReader) -> None:
        import codecs

        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        # A code unit of two bytes becomes three at the most.
        while data := self._stream.read(max(2, len(buffer) // 3)):
            narrow = self._decoder.decode(data).encode()
            if narrow:
                buffer[: len(narrow)] = narrow
                return len(narrow)
        return 0
