"""The traffic server's messages about refusals: in one line as it wrote them, or broken anywhere by a carrier of the text.

The forms are those of Apache Traffic Server 7.1 to 9.2 and of OpenSSL's error queue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remediate.model.evidence import LogKind, alert_name

_ACTION: Final = r"Action=(?P<action>Terminate|Continue)\s+"
_SERVER: Final = r"server=(?P<server>\(null\)|[^()\s]{0,255})\((?P<ip>[0-9A-Fa-f:.]{0,45})\)"
_CHAIN: Final = re.compile(
    rf"certificate verification failed for \((?P<sni>[^()]{{1,255}})\)\.?\s+{_ACTION}"
    rf"Error=(?P<error>.{{1,200}}?)\s{{1,8}}{_SERVER}\s+depth=(?P<depth>\d{{1,3}})\b"
)
_NAME: Final = re.compile(rf"SNI \((?P<sni>[^()]{{1,255}})\) not in certificate\.?\s+{_ACTION}{_SERVER}")
_CONNECTION: Final = re.compile(
    r"SSL connection failed for '(?P<server>[^']{1,255})'\s*:\s*error:(?P<number>[0-9A-Fa-f]{8}):[^:]{0,60}:[^:]{0,80}:"
    r"\s*(?P<error>[A-Za-z0-9 ._/-]{1,120})"
)

# Between any two letters of a message there may be a break, with marks of quoting or of a code block.
_MARKS: Final = '\\\\>|`*",\u2022\u21b5\u21a9\u23ce'
_GAP: Final = rf"[\s{_MARKS}]{{0,160}}"
_GAPS: Final = re.compile(rf"[\s{_MARKS}]+")
_BREAK: Final = re.compile(rf"[ \t{_MARKS}]*\n[\s{_MARKS}]*")


def _allow_gaps(literal: str) -> str:
    """Return the pattern of `literal` with a gap between any two characters."""
    return _GAP.join(re.escape(character) for character in literal if character != " ")


_BROKEN_ACTION: Final = (
    rf"{_GAP}(?:\.{_GAP})?{_allow_gaps('Action=')}{_GAP}(?:(?P<enforced>{_allow_gaps('Terminate')})|{_allow_gaps('Continue')})"
    rf"{_GAP}"
)
_BROKEN_SERVER: Final = rf"{_allow_gaps('server=')}{_GAP}(?P<server>\(null\)|[^()]{{0,400}})\((?P<ip>[^()]{{0,160}})\)"
_BROKEN_CHAIN: Final = re.compile(
    rf"{_allow_gaps('certificate verification failed for (')}(?P<sni>[^()]{{1,400}})\){_BROKEN_ACTION}"
    rf"{_allow_gaps('Error=')}(?P<error>[^=]{{1,300}}?){_BROKEN_SERVER}{_GAP}{_allow_gaps('depth=')}{_GAP}(?P<depth>\d{{1,3}})"
)
_BROKEN_NAME: Final = re.compile(
    rf"{_allow_gaps('SNI (')}(?P<sni>[^()]{{1,400}})\){_GAP}{_allow_gaps('not in certificate')}{_BROKEN_ACTION}{_BROKEN_SERVER}"
)
_BROKEN_CONNECTION: Final = re.compile(
    rf"""{_allow_gaps("SSL connection failed for '")}(?P<server>[^']{{1,400}}){_allow_gaps("':error:")}{_GAP}"""
    rf"(?P<number>(?:[0-9A-Fa-f]{_GAP}){{8}}):[^:]{{0,160}}:[^:]{{0,240}}:{_GAP}"
    rf"(?P<error>{_allow_gaps('certificate verify failed')}|[A-Za-z0-9 ._/-]{{1,120}})"
)
_REFUSAL_WORDS: Final = re.compile(
    "|".join(
        _allow_gaps(words)
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
_PLACE_LENGTH: Final = 400
"""Words of a refusal within so many characters are one place."""
MARK: Final = "\x1d"
_MAX_ADDRESS: Final = 255
_MAX_MESSAGE: Final = 4_000
_VERIFY_FAILED: Final = "certificate verify failed"
# err.h, ssl.h: a reason is the last 12 bits of an error number (1.1.1): SSL_AD_REASON_OFFSET plus the alert's number for an alert of
# the other side, SSL_R_CERTIFICATE_VERIFY_FAILED for the own verdict.
_REASON_BITS, _ALERT_OFFSET, _ALERTS, _VERIFY_FAILED_REASON = 0xFFF, 1000, 256, 134


@dataclass(frozen=True, slots=True)
class RefusalMessage:
    """A message of a traffic server about a refusal.

    Attributes:
        address: The host name or IP address that was refused: of a name mismatch the one that was looked for, else the request's.
        error: OpenSSL's text; for a name mismatch, the message's own words.
        depth: The depth in the chain; None where the message has none.
        alert: The number of the TLS alert that the server sent; None where it sent none.
        start: The offset of its first words in the text.
        end: The offset behind it.
        sni: The name that the traffic server asked for and looks for in the certificate, where the request was for another one.
        server: The host of the request, likewise.
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
    sni: str | None = None
    server: str | None = None


def parse_message(line: str) -> RefusalMessage | None:
    """Return the message in an unbroken line; None if there is none."""
    chain = _CHAIN.search(line)
    if chain:
        return _build_warning(chain, chain["error"], enforced=chain["action"] == "Terminate")
    name = _NAME.search(line)
    if name:
        return _build_warning(name, None, enforced=name["action"] == "Terminate")
    connection = _CONNECTION.search(line)
    if not connection:
        return None
    # The number tells it also where the line was broken behind it, within its words.
    error = _VERIFY_FAILED if _is_verify_failed(connection["number"]) else connection["error"].strip()
    return _build_connection_error(connection, error)


def find_messages(text: str) -> list[RefusalMessage]:
    """Return the messages in `text`, which may be broken anywhere, in their order."""
    chains = (
        _build_warning(match, _rejoin_error(match, text), enforced=bool(match["enforced"]))
        for match in _BROKEN_CHAIN.finditer(text)
    )
    names = (_build_warning(match, None, enforced=bool(match["enforced"])) for match in _BROKEN_NAME.finditer(text))
    failures = (_build_connection_error(match, _find_reason(match, text)) for match in _BROKEN_CONNECTION.finditer(text))
    messages = (message for group in (chains, names, failures) for message in group)
    return sorted((message for message in messages if message.address), key=lambda message: message.start)


def count_places(text: str) -> int:
    """Return the number of places in `text` with the words of a refusal."""
    places, last = 0, -_PLACE_LENGTH - 1
    for match in _REFUSAL_WORDS.finditer(text):
        if match.start() - last > _PLACE_LENGTH:
            places, last = places + 1, match.start()
    return places


def remove_messages(messages: list[RefusalMessage], text: str) -> str:
    """Return `text` with each of `messages` replaced by a mark, so that the text around it is not joined."""
    fragments, at = [], 0
    for message in messages:
        fragments.append(text[at : message.start])
        at = max(at, message.end)
    return MARK.join([*fragments, text[at:]])


def rejoin(text: str) -> str:
    """Return a message that was broken into lines as one line."""
    text = text[:_MAX_MESSAGE]
    return _join(text, 0, len(text), max(map(len, text.split("\n")))) if "\n" in text.strip() else text.strip()


def _build_warning(match: re.Match[str], error: str | None, *, enforced: bool) -> RefusalMessage:
    server, name = _remove_gaps(match["server"]), _remove_gaps(match["sni"])
    server = server if server and server != "(null)" else name
    address = name if error is None else server
    differ = server.casefold() != name.casefold() and max(len(server), len(name)) <= _MAX_ADDRESS
    return RefusalMessage(
        "name" if error is None else "chain", address if len(address) <= _MAX_ADDRESS else "",
        _remove_gaps(match["ip"]) or None, error if error is not None else f"SNI ({name}) not in certificate",
        int(match["depth"]) if error is not None else None, None, enforced, match.start(), match.end(),
        sni=name if differ else None, server=server if differ else None,
    )  # fmt: skip


def _build_connection_error(match: re.Match[str], error: str) -> RefusalMessage:
    address = _remove_gaps(match["server"])
    return RefusalMessage(
        "connection", address if len(address) <= _MAX_ADDRESS else "", None, error, None,
        _decode_alert(_remove_gaps(match["number"])), enforced=True, start=match.start(), end=match.end(),
    )  # fmt: skip


def _decode_alert(number: str) -> int | None:
    reason = int(number, 16) & _REASON_BITS
    return reason - _ALERT_OFFSET if _ALERT_OFFSET <= reason < _ALERT_OFFSET + _ALERTS else None


def _find_reason(match: re.Match[str], text: str) -> str:
    """Return the reason of an error number, by the number where the text may be broken."""
    number = _remove_gaps(match["number"])
    alert = _decode_alert(number)
    if alert is not None:
        return f"alert {alert_name(alert)}"
    return _VERIFY_FAILED if _is_verify_failed(number) else _rejoin_error(match, text)


def _is_verify_failed(number: str) -> bool:
    return int(number, 16) & _REASON_BITS == _VERIFY_FAILED_REASON


def _rejoin_error(match: re.Match[str], text: str) -> str:
    start, end = match.span("error")
    message = text[text.rfind("\n", 0, match.start()) + 1 : match.end()]
    return _join(text, start, end, max(map(len, message.split("\n"))))


def _join(text: str, start: int, end: int, widest: int) -> str:
    """Join a part of `text`; a line of the full width may have been broken within a word."""
    joined, at = "", start
    for gap in _BREAK.finditer(text, start, end):
        newline = text.index("\n", gap.start())
        is_full = newline - text.rfind("\n", 0, newline) - 1 >= widest
        joined += text[at : gap.start()] + ("" if is_full and " " not in gap[0] else " ")
        at = gap.end()
    return " ".join((joined + text[at:end]).split())


def _remove_gaps(text: str) -> str:
    return _GAPS.sub("", text)
