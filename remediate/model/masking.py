"""The mask of every secret that this process has read, in every spelling in which a system may send it back.

A peer or a node can repeat what was sent to it: a password, the header of a login, a form. Its answers end in messages, events,
the journal and plans. So `Secret` registers itself here, and `mask` is called where their text comes in (`model.text`), where
messages are made (errors, events), and where they are kept (the journal, snapshots).

Known spellings: as it is, in other case, normalised otherwise; base64 (also URL-safe) at any place in a longer text, which covers
Basic logins; percent-encoded; JSON, XML, HTML, Python and shell escapes; hexadecimal. Not known: compressed, encrypted, in pieces.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator

MASK = "***"
_MIN_IN_WORDS = 4
"""Below this many characters, a secret is masked as a whole word only: in the middle of words it would destroy any text."""
_MIN_TELLING = 8
"""From this many characters on, a spelling is not in a text by chance."""
_MAX_IN_PATTERN = 256
"""Above this many characters, spellings are looked for one by one, as they are: a pattern of them takes long to compile."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")
_NOT_IN_BASE64 = "[A-Za-z0-9+/=_-]"


class Mask:
    """The secrets of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[tuple[str, str]] = set()
        self._pattern: re.Pattern[str] | None = None
        self._telling: re.Pattern[str] | None = None
        self._long: tuple[str, ...] = ()

    def remember(self, secret: str, username: str = "") -> None:
        """Mask `secret` from now on; with `username`, also the two as one Basic login (RFC 7617), however short the secret is."""
        with self._lock:
            if not secret or (secret, username) in self._secrets:
                return
            self._secrets.add((secret, username))
            if len(secret) > _MAX_IN_PATTERN:
                self._long = tuple(dict.fromkeys((*self._long, *_long_spellings(secret))))
                return
            self._pattern = _compile(self._secrets, shortest=1)
            self._telling = _compile(self._secrets, shortest=_MIN_TELLING)

    def forget(self) -> None:
        """Know no secret any more, for a process that works for one operator after another, as tests do."""
        with self._lock:
            self._secrets.clear()
            self._pattern = self._telling = None
            self._long = ()

    def mask(self, text: str) -> str:
        """Return `text` with ``***`` in the place of each secret. Takes time in proportion to its length."""
        for spelling in self._long:
            text = text.replace(spelling, MASK)
        pattern = self._pattern
        if pattern is None:
            return text
        pieces: list[str] = []
        end = 0
        while match := pattern.search(text, end):
            start, stop = match.span()
            if match.lastgroup == "encoded":
                # The characters beside it hold some bits of the secret, and the user's name: the whole run goes.
                while start > end and text[start - 1] in _BASE64:
                    start -= 1
                while stop < len(text) and text[stop] in _BASE64:
                    stop += 1
            pieces += [text[end:start], MASK]
            end = stop
        return "".join([*pieces, text[end:]]) if pieces else text

    def reveals(self, text: str) -> bool:
        """Return whether a secret is in `text`, and not by chance: for names and values that must be right or not be there at all."""
        telling = self._telling
        return (telling is not None and telling.search(text) is not None) or any(spelling in text for spelling in self._long)


_process = Mask()
remember = _process.remember
forget = _process.forget
mask = _process.mask
reveals = _process.reveals


def _compile(secrets: Iterable[tuple[str, str]], *, shortest: int) -> re.Pattern[str] | None:
    """Return one alternation of all spellings of at least `shortest` characters, the longest first; None for none."""
    encoded: set[str] = set()
    literal: set[str] = set()
    whole_words: set[str] = set()
    for secret, username in secrets:
        if len(secret) > _MAX_IN_PATTERN:
            continue
        for data in _bytes_of(secret):
            encoded.update(_base64_cores(data))
            literal.update(_hexadecimal(data))
        if username:
            encoded.update(_base64_of(data) for data in _bytes_of(f"{username}:{secret}"))
        literal.update(_escaped_spellings(secret))
        if shortest <= len(secret) < _MIN_IN_WORDS:
            whole_words.add(rf"(?<!\w){re.escape(secret)}(?!\w)")
            whole_words.update(rf"(?<!{_NOT_IN_BASE64}){_base64_of(data)}(?!{_NOT_IN_BASE64})" for data in _bytes_of(secret))
    least = max(shortest, _MIN_IN_WORDS)
    first = _alternatives(re.escape(spelling) for spelling in encoded if len(spelling) >= least)
    second = _alternatives([*(re.escape(spelling) for spelling in literal if len(spelling) >= least), *whole_words])
    parts = [f"(?P<encoded>{first})" if first else "", f"(?i:{second})" if second else ""]
    return re.compile("|".join(filter(None, parts))) if any(parts) else None


def _long_spellings(secret: str) -> list[str]:
    """Return every spelling of a long `secret`, in both cases where that is usual, the longest first."""
    spellings = {*_escaped_spellings(secret), secret.upper(), secret.lower()}
    for data in _bytes_of(secret):
        spellings.update(_base64_cores(data))
        spellings.update(case for digits in _hexadecimal(data) for case in (digits, digits.upper()))
    spellings.update([spelling.upper() for spelling in spellings if "%" in spelling])
    return sorted(spellings, key=lambda spelling: (-len(spelling), spelling))


def _alternatives(patterns: Iterable[str]) -> str:
    return "|".join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern)))


def _bytes_of(secret: str) -> Iterator[bytes]:
    """Yield the bytes that a system may have received: UTF-8, and Latin-1 where that differs."""
    yield secret.encode(errors="surrogatepass")
    if not secret.isascii():
        try:
            yield secret.encode("latin-1")
        except UnicodeEncodeError:
            return


def _base64_of(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode().rstrip("=")


def _base64_cores(data: bytes) -> Iterator[str]:
    """Yield what is in the base64 of any text with `data` in it: one core for each of the three places modulo three.

    Characters that also hold bits of what is before or after `data` are left out.
    """
    for before in range(3):
        text = _base64_of(bytes(before) + data)
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        core = text[first:last]
        yield core
        yield core.translate(str.maketrans("+/", "-_"))


def _hexadecimal(data: bytes) -> Iterator[str]:
    """Yield `data` in hexadecimal digits, as dumps and programs write them."""
    for before, between in (
        ("", ""),
        ("", " "),
        ("", ":"),
        ("", "-"),
        ("", "\\x"),
        ("", ","),
        ("", ", "),
        ("0x", ", "),
        ("0x", " "),
    ):
        yield between.join(f"{before}{byte:02x}" for byte in data)


def _escaped_spellings(secret: str) -> Iterator[str]:
    """Yield every way to write `secret` so that a format or a language takes it, itself included."""
    import html
    import json
    import shlex
    import unicodedata
    from urllib.parse import quote, quote_plus

    yield secret
    yield unicodedata.normalize("NFC", secret)
    yield unicodedata.normalize("NFD", secret)
    for data in _bytes_of(secret):
        yield "".join(f"%{byte:02x}" for byte in data)
        yield repr(data)[2:-1]
        for safe in ("", "/", "!*'()", "/:@!$&'()*+,;="):
            yield quote(data, safe=safe)
            yield quote_plus(data, safe=safe)
    for only_ascii in (True, False):
        once = json.dumps(secret, ensure_ascii=only_ascii)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=only_ascii)[1:-1]
    for apostrophe in ("&#x27;", "&#39;", "&apos;", "'"):
        for quotation in ("&quot;", "&#34;", '"'):
            yield html.escape(secret).replace("&#x27;", apostrophe).replace("&quot;", quotation)
    yield repr(secret)[1:-1]
    yield secret.encode("unicode_escape").decode()
    yield shlex.quote(secret)
    yield re.sub(r"(\W)", r"\\\1", secret)
