"""The messages by which a traffic server says that it refused: in one line as it wrote them, or broken anywhere by what carried them.

The forms are those of Apache Traffic Server 7.1 to 9.2 and of OpenSSL's error queue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remediate.model.evidence import LogKind, alert_name

_ENDED: Final = r"Action=(?P<action>Terminate|Continue)\s+"
_SERVER: Final = r"server=(?P<server>\(null\)|[^()\s]{0,255})\((?P<ip>[0-9A-Fa-f:.]{0,45})\)"
_CHAIN: Final = re.compile(
    rf"certificate verification failed for \((?P<sni>[^()]{{1,255}})\)\.?\s+{_ENDED}"
    rf"Error=(?P<error>.{{1,200}}?)\s{{1,8}}{_SERVER}\s+depth=(?P<depth>\d{{1,3}})\b"
)
_NAME: Final = re.compile(rf"SNI \((?P<sni>[^()]{{1,255}})\) not in certificate\.?\s+{_ENDED}{_SERVER}")
_CONNECTION: Final = re.compile(
    r"SSL connection failed for '(?P<server>[^']{1,255})'\s*:\s*error:(?P<number>[0-9A-Fa-f]{8}):[^:]{0,60}:[^:]{0,80}:"
    r"\s*(?P<error>[A-Za-z0-9 ._/-]{1,120})"
)

# Between any two letters of a message there may be a break, with the marks of quoting or of a code block around it.
_MARKS: Final = '\\\\>|`*",\u2022\u21b5\u21a9\u23ce'
_GAP: Final = rf"[\s{_MARKS}]{{0,160}}"
_GAPS: Final = re.compile(rf"[\s{_MARKS}]+")
_BREAK: Final = re.compile(rf"[ \t{_MARKS}]*\n[\s{_MARKS}]*")


def _broken(literal: str) -> str:
    """Return the pattern of `literal` with a gap between any two characters."""
    return _GAP.join(re.escape(character) for character in literal if character != " ")


_BROKEN_ENDED: Final = (
    rf"{_GAP}(?:\.{_GAP})?{_broken('Action=')}{_GAP}(?:(?P<enforced>{_broken('Terminate')})|{_broken('Continue')}){_GAP}"
)
_BROKEN_SERVER: Final = rf"{_broken('server=')}{_GAP}(?P<server>\(null\)|[^()]{{0,400}})\((?P<ip>[^()]{{0,160}})\)"
_BROKEN_CHAIN: Final = re.compile(
    rf"{_broken('certificate verification failed for (')}(?P<sni>[^()]{{1,400}})\){_BROKEN_ENDED}"
    rf"{_broken('Error=')}(?P<error>[^=]{{1,300}}?){_BROKEN_SERVER}{_GAP}{_broken('depth=')}{_GAP}(?P<depth>\d{{1,3}})"
)
_BROKEN_NAME: Final = re.compile(
    rf"{_broken('SNI (')}(?P<sni>[^()]{{1,400}})\){_GAP}{_broken('not in certificate')}{_BROKEN_ENDED}{_BROKEN_SERVER}"
)
_BROKEN_CONNECTION: Final = re.compile(
    rf"""{_broken("SSL connection failed for '")}(?P<server>[^']{{1,400}}){_broken("':error:")}{_GAP}"""
    rf"(?P<number>(?:[0-9A-Fa-f]{_GAP}){{8}}):[^:]{{0,160}}:[^:]{{0,240}}:{_GAP}"
    rf"(?P<error>{_broken('certificate verify failed')}|[A-Za-z0-9 ._/-]{{1,120}})"
)
_PLACES: Final = re.compile(
    "|".join(
        _broken(words)
        for words in (
            "certificate verification failed",
            "certificate verify failed",
            "not in certificate",
            "core server certificate",
            "SSL connection failed",
            "TLS negotiation error",
        )
    ),
    re.IGNORECASE,
)
_ONE_PLACE: Final = 400
"""Words of a refusal that are closer together than so many characters belong to one."""
MARK: Final = "\x1d"
_LONGEST_ADDRESS: Final = 255
_LONGEST_MESSAGE: Final = 4_000
_VERIFY_FAILED: Final = "certificate verify failed"
# err.h, ssl.h: a reason is the last 12 bits of an error number (1.1.1); SSL_AD_REASON_OFFSET and the alert's number for one that came
# from the other side, SSL_R_CERTIFICATE_VERIFY_FAILED for our own verdict.
_REASON_BITS, _ALERT_OFFSET, _ALERTS, _VERIFY_FAILED_REASON = 0xFFF, 1000, 256, 134


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a traffic server.

    Attributes:
        address: the host name or IP address that the request was for.
        error: OpenSSL's text; of a name that does not match, the message's own words.
        depth: None where the message has none.
        alert: the number of the TLS alert that the server sent; None where it sent none.
        start: where its first words begin in the text.
        end: where it ends.
    """

    kind: LogKind
    address: str
    ip: str | None
    error: str
    depth: int | None
    alert: int | None
    enforced: bool
    start: int
    end: int


def message_in(line: str) -> Message | None:
    """Return the message in a line as the traffic server wrote it."""
    chain = _CHAIN.search(line)
    if chain:
        return _warning(chain, chain["error"], enforced=chain["action"] == "Terminate")
    name = _NAME.search(line)
    if name:
        return _warning(name, None, enforced=name["action"] == "Terminate")
    failed = _CONNECTION.search(line)
    return _failed(failed, failed["error"].strip()) if failed else None


def messages_in(text: str) -> list[Message]:
    """Return the messages in `text` that may be broken anywhere, in their order."""
    chains = (
        _warning(found, _rejoined(found, text), enforced=bool(found["enforced"])) for found in _BROKEN_CHAIN.finditer(text)
    )
    names = (_warning(found, None, enforced=bool(found["enforced"])) for found in _BROKEN_NAME.finditer(text))
    failures = (_failed(found, _reason(found, text)) for found in _BROKEN_CONNECTION.finditer(text))
    found = (message for messages in (chains, names, failures) for message in messages)
    return sorted((message for message in found if message.address), key=lambda message: message.start)


def count_places(text: str) -> int:
    """Return at how many places of `text` words of a refusal stand."""
    places, last = 0, -_ONE_PLACE - 1
    for found in _PLACES.finditer(text):
        if found.start() - last > _ONE_PLACE:
            places, last = places + 1, found.start()
    return places


def without(messages: list[Message], text: str) -> str:
    """Return `text` without `messages`, each replaced by a mark that joins nothing."""
    kept, at = [], 0
    for message in messages:
        kept.append(text[at : message.start])
        at = max(at, message.end)
    return MARK.join([*kept, text[at:]])


def rejoined(text: str) -> str:
    """Return one message that was broken into lines as one line."""
    text = text[:_LONGEST_MESSAGE]
    return _join(text, 0, len(text), max(map(len, text.split("\n")))) if "\n" in text.strip() else text.strip()


def _warning(found: re.Match[str], error: str | None, *, enforced: bool) -> Message:
    server, name = _without_gaps(found["server"]), _without_gaps(found["sni"])
    address = server if server and server != "(null)" else name
    return Message(
        "name" if error is None else "chain", address if len(address) <= _LONGEST_ADDRESS else "",
        _without_gaps(found["ip"]) or None, error if error is not None else f"SNI ({name}) not in certificate",
        int(found["depth"]) if error is not None else None, None, enforced, found.start(), found.end(),
    )  # fmt: skip


def _failed(found: re.Match[str], error: str) -> Message:
    address = _without_gaps(found["server"])
    return Message(
        "connection", address if len(address) <= _LONGEST_ADDRESS else "", None, error, None,
        _alert_in(_without_gaps(found["number"])), enforced=True, start=found.start(), end=found.end(),
    )  # fmt: skip


def _alert_in(number: str) -> int | None:
    reason = int(number, 16) & _REASON_BITS
    return reason - _ALERT_OFFSET if _ALERT_OFFSET <= reason < _ALERT_OFFSET + _ALERTS else None


def _reason(found: re.Match[str], text: str) -> str:
    """The reason of an error number; where its text is broken, what the number stands for."""
    number = _without_gaps(found["number"])
    alert = _alert_in(number)
    if alert is not None:
        return f"alert {alert_name(alert)}"
    if int(number, 16) & _REASON_BITS == _VERIFY_FAILED_REASON:
        return _VERIFY_FAILED
    return _rejoined(found, text)


def _rejoined(found: re.Match[str], text: str) -> str:
    start, end = found.span("error")
    message = text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
    return _join(text, start, end, max(map(len, message.split("\n"))))


def _join(text: str, start: int, end: int, widest: int) -> str:
    """Join a part of `text`. A line of the full width was broken for its length alone, in the middle of a word maybe."""
    joined, at = "", start
    for gap in _BREAK.finditer(text, start, end):
        newline = text.index("\n", gap.start())
        is_full = newline - text.rfind("\n", 0, newline) - 1 >= widest
        joined += text[at : gap.start()] + ("" if is_full and " " not in gap[0] else " ")
        at = gap.end()
    return " ".join((joined + text[at:end]).split())


def _without_gaps(text: str) -> str:
    return _GAPS.sub("", text)
