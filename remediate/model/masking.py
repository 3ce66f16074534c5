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
from dataclasses import dataclass

MASK = "***"
_MIN_IN_WORDS = 4
"""Below this many characters, a secret is masked as a whole word only: in the middle of words it would destroy any text. It is also
how many characters of a spelling are looked for first."""
_MIN_TELLING = 8
"""From this many characters on, a spelling is not in a text by chance."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")
_NOT_IN_BASE64 = "[A-Za-z0-9+/=_-]"
_DOTLESS = {0x130: "i", 0x131: "i"}
"""Turkish letters that `re` takes for an i without regard to case, and case folding does not."""


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One way to write a secret.

    Attributes:
        pattern: a regular expression of it.
        folded: what every text that holds it has in it, once the text is folded.
        encoded: it is base64: its case matters, and the characters beside it belong to it.
    """

    pattern: str
    folded: str
    encoded: bool = False


class Mask:
    """The secrets of one process. Safe to use from several threads.

    A text is first held against the beginnings of all spellings at once, then against the few spellings that begin so: neither a
    new secret nor a text costs more where there are thousands of secrets, as in a fleet of clusters.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[tuple[str, str]] = set()
        self._by_beginning: dict[str, list[_Spelling]] = {}
        self._short: list[_Spelling] = []

    def remember(self, secret: str, username: str = "") -> None:
        """Mask `secret` from now on; with `username`, also the two as one Basic login (RFC 7617), however short the secret is."""
        with self._lock:
            if not secret or (secret, username) in self._secrets:
                return
            for spelling in _spell(secret, username):
                if len(spelling.folded) < _MIN_IN_WORDS:
                    self._short.append(spelling)
                else:
                    self._by_beginning.setdefault(spelling.folded[:_MIN_IN_WORDS], []).append(spelling)
            self._secrets.add((secret, username))

    def forget(self) -> None:
        """Know no secret any more, for a process that works for one operator after another, as tests do."""
        with self._lock:
            self._secrets.clear()
            self._by_beginning.clear()
            self._short.clear()

    def mask(self, text: str) -> str:
        """Return `text` with ``***`` in the place of each secret. Takes time in proportion to its length."""
        spellings = self._list_spellings_in(text)
        if not spellings:
            return text
        pattern = _compile(spellings)
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
        spellings = [spelling for spelling in self._list_spellings_in(text) if len(spelling.folded) >= _MIN_TELLING]
        return bool(spellings) and _compile(spellings).search(text) is not None

    def _list_spellings_in(self, text: str) -> list[_Spelling]:
        """Return every spelling that is in `text` if case and word boundaries do not count."""
        folded = _fold(text)
        beginnings = {folded[place : place + _MIN_IN_WORDS] for place in range(len(folded) - _MIN_IN_WORDS + 1)}
        spellings = list(self._short)
        for beginning in self._by_beginning.keys() & beginnings:
            spellings += self._by_beginning[beginning]
        return [spelling for spelling in spellings if spelling.folded in folded]


_process = Mask()
remember = _process.remember
forget = _process.forget
mask = _process.mask
reveals = _process.reveals


def _fold(text: str) -> str:
    """Return `text` so that what a regular expression takes for equal without regard to case is equal."""
    return text.translate(_DOTLESS).casefold()


def _compile(spellings: Iterable[_Spelling]) -> re.Pattern[str]:
    """Return one alternation of `spellings`, those that are encoded first, and of them the longest."""
    encoded = "|".join(_longest_first(spelling.pattern for spelling in spellings if spelling.encoded))
    literal = "|".join(_longest_first(spelling.pattern for spelling in spellings if not spelling.encoded))
    return re.compile("|".join([*([f"(?P<encoded>{encoded})"] if encoded else []), *([f"(?i:{literal})"] if literal else [])]))


def _longest_first(patterns: Iterable[str]) -> list[str]:
    return sorted(patterns, key=lambda pattern: (-len(pattern), pattern))


def _spell(secret: str, username: str) -> Iterator[_Spelling]:
    """Yield every spelling of `secret`, and of the two as a login, once."""
    encoded: dict[str, None] = {}
    literal: dict[str, None] = {}
    for data in _bytes_of(secret):
        encoded.update(dict.fromkeys(_base64_cores(data)))
        literal.update(dict.fromkeys(_hexadecimal(data)))
    if username:
        encoded.update(dict.fromkeys(_base64_of(data) for data in _bytes_of(f"{username}:{secret}")))
    literal.update(dict.fromkeys(_escaped_spellings(secret)))
    for text in encoded:
        if len(text) >= _MIN_IN_WORDS:
            yield _Spelling(re.escape(text), _fold(text), encoded=True)
    for text in literal:
        if len(text) >= _MIN_IN_WORDS:
            yield _Spelling(re.escape(text), _fold(text))
    if len(secret) < _MIN_IN_WORDS:
        yield _Spelling(rf"(?<!\w){re.escape(secret)}(?!\w)", _fold(secret))
        for text in map(_base64_of, _bytes_of(secret)):
            yield _Spelling(rf"(?<!{_NOT_IN_BASE64}){text}(?!{_NOT_IN_BASE64})", _fold(text))


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
    # Where another case has other characters than one for one: SS for ß.
    yield secret.upper()
    yield secret.lower()
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
    quoted = shlex.quote(secret)
    yield quoted if quoted == secret else quoted[1:-1]
    yield re.sub(r"(\W)", r"\\\1", secret)
