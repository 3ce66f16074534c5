"""Plain text out of the markup and escapes of mails, browsers, terminals and JSON; and a test for the words of a refusal."""

from __future__ import annotations

import html
import quopri
import re
import string
from typing import Final

_LETTERS: Final = string.ascii_letters.encode()
_LOWER: Final = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_NO_LETTERS: Final = bytes(byte for byte in range(256) if byte not in _LETTERS)

_REFUSAL_WORDS: Final = (
    b"certificateverificationfailed",
    b"certificateverifyfailed",
    b"notincertificate",
    b"coreservercertificate",
    b"sslconnectionfailed",
    b"actionterminateerror",
    b"actioncontinueerror",
)
"""Letters only, so that no break, quote mark or space hides them."""
_REQUIRED_WORDS: Final = (b"certificate", b"sslconnectionfailed", b"tlsnegotiationerror", b"actionterminate", b"actioncontinue")
"""All words above, and those of a failure of SIP, contain one of these."""
_SIP_WORDS: Final = (b"tlsnegotiationerror",)
# An escape may have put letters between the words, or into one part of a word, but hardly into both of its parts.
_PARTS_OF_WORDS: Final = (
    b"certi", b"ficate", b"negot", b"tiation", b"routines", b"sslconnectionfailed", b"actionterminateerror", b"actioncontinueerror",
)  # fmt: skip
_PIECE: Final = 4 * 1024
_OVERLAP: Final = 2 * 1024
"""More than the words of a refusal take, however they are broken."""

# Escapes of JSON, HTML, quoted-printable and terminals, which have letters and may be between the words.
_ESCAPES: Final = re.compile(
    rb"&(?:amp;){0,3}(?:nbsp|#160|#xa0|gt|quot|#\d{1,4});|\\{1,8}(?:[nrt]|u[0-9A-Fa-f]{4})|<[^<>]{0,300}>|=[0-9A-F]{2}|%(?:20|0[AD])|_x000[AD]_"
    rb"|\\{1,8}x[0-9A-F]{2}|\x1b\[[0-9;?]{0,20}[A-Za-z]",
    re.IGNORECASE,
)
_SIGNS_OF_ESCAPES: Final = (
    (b"&", (b"&nbsp;", b"&#", b"&gt;", b"&quot;", b"&amp;")),
    (b"\\", (b"\\n", b"\\r", b"\\t", b"\\u", b"\\x")),
    (b"<", (b"<br", b"</")),
    (b"=", (b"=20", b"=C2=A0")),
    (b"\x1b", (b"\x1b[",)),
    (b"%", (b"%0", b"%20")),
    (b"_", (b"_x000",)),
)
"""By their first byte, which is fast to search for."""

_TERMINAL: Final = re.compile(r"\x1b(?:\[[0-9;?]{0,20}[A-Za-z]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\))")
_JSON: Final = re.compile(
    r"\\{1,8}(?:u(?P<code>[0-9A-Fa-f]{4})|x(?P<byte>[0-9A-Fa-f]{2})|(?P<space>[nrt])|(?P<itself>[\"'/()\[\]<>_*.=:-]))"
)
# A break or a space as URLs, rsyslog and spreadsheets encode it.
_ENCODED_SPACE: Final = re.compile(r"%20|(?P<break>%0[AaDd]|#01[25]|_x000[AaDd]_)")
_BREAKING_TAG: Final = re.compile(r"</?(?:br|p|div|tr|li|pre|td|th|h[1-6])\b[^<>]{0,300}>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
_FENCE: Final = re.compile(r"^[ \t>]{0,8}(?:[`~]{3,}\w{0,20}|\{(?:code|noformat|quote)[^{}\n]{0,80}\})[ \t]*$", re.MULTILINE)
_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\x00"),
    }
)


def has_refusal_words(data: bytes) -> bool:
    """Whether `data` has the words of a refusal, with anything between their letters."""
    return _has_any(data, _REFUSAL_WORDS)


def may_hold_a_refusal(data: bytes) -> bool:
    """Whether `data` may have a refusal that is spread over several lines."""
    if not _has_parts(data):
        return False
    pieces = (data[at : at + _PIECE + _OVERLAP] for at in range(0, len(data), _PIECE))
    return any(_has_parts(piece) and _has_any(piece, (*_REFUSAL_WORDS, *_SIP_WORDS)) for piece in pieces)


def _has_parts(data: bytes) -> bool:
    """Whether `data` has a part of the words of a refusal, which most logs have nowhere."""
    letters = data.translate(_LOWER, _NO_LETTERS)
    return any(part in letters for part in _PARTS_OF_WORDS)


def _has_any(data: bytes, words: tuple[bytes, ...]) -> bool:
    if any(first in data and any(sign in data for sign in signs) for first, signs in _SIGNS_OF_ESCAPES):
        data = _ESCAPES.sub(b"", data)
    letters = data.translate(_LOWER, _NO_LETTERS)
    return any(word in letters for word in _REQUIRED_WORDS) and any(word in letters for word in words)


def strip_terminal(text: str) -> str:
    """Return `text` without the escapes by which a terminal colours it."""
    return _TERMINAL.sub("", text) if "\x1b" in text else text


def to_plain_text(data: bytes) -> str:
    """Return `data` without markup and escapes, with the quotes and hyphens of a log. Line breaks are kept."""
    if b"=3D" in data:
        data = quopri.decodestring(data)
    text = data.decode(errors="replace")
    text = _TERMINAL.sub("", text)
    text = _JSON.sub(_unescape, text)
    text = _ENCODED_SPACE.sub(lambda match: "\n" if match["break"] else " ", text)
    text = _TAG.sub("", _BREAKING_TAG.sub("\n", text))
    if "&" in text:
        # Twice, as a reply quotes text that was escaped before.
        text = html.unescape(html.unescape(text))
    return _FENCE.sub("", text.translate(_SIGNS))


def _unescape(match: re.Match[str]) -> str:
    if match["code"]:
        return chr(int(match["code"], 16)).encode(errors="replace").decode()
    if match["byte"]:
        return chr(int(match["byte"], 16))
    if match["space"]:
        return "\t" if match["space"] == "t" else "\n"
    return match["itself"]
