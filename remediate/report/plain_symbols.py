"""Text for a terminal whose encoding is not UTF-8: an ASCII character in the place of each symbol and accent, so that columns stay."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import Final

PLAIN_ENCODING: Final = "ascii_in_place_of_symbols"
"""The codec that `write_plain` gives a stream. To click, "ascii" is a mistake of the system, and it writes UTF-8 there."""
_PLAIN: Final[dict[int, str | int]] = {
    **str.maketrans("✓✗→·…•▸█░┌┐└┘│─↻⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "+x>-~*>#-++++|-@|/-\\|/-\\|/"),
    **str.maketrans("«»“”—\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", '""""-  '),
    **str.maketrans("àâäçéèêëîïôöùûüÿÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸ", "aaaceeeeiioouuuyAAACEEEEIIOOUUUY"),
    ord("œ"): "oe",
    ord("Œ"): "OE",
}
_LOCALE_VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG")
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


def takes_utf8(encoding: str, environment: Mapping[str, str], *, utf8_mode: bool = bool(sys.flags.utf8_mode)) -> bool:
    """Return whether a reader takes UTF-8: the stream is in it, and the locale says so too.

    Under ``LANG=C`` Python writes UTF-8 all the same, and changes LC_CTYPE for its child processes (PEP 538, PEP 540).

    Args:
        encoding: That of the stream.
        environment: The variables of the process.
        utf8_mode: Python is in its UTF-8 mode.
    """
    if not _is_utf8(encoding):
        return False
    if sys.platform == "win32" or environment.get("PYTHONIOENCODING", "").partition(":")[0]:
        return True
    values = {name: environment.get(name, "") for name in _LOCALE_VARIABLES}
    if values["LC_CTYPE"] in _COERCED and (utf8_mode or environment.get("PYTHONUTF8") == "0"):
        values["LC_CTYPE"] = ""
    locale = next(filter(None, values.values()), "C")
    codeset = locale.partition("@")[0].partition(".")[2]
    return _is_utf8(codeset) if codeset else locale not in {"C", "POSIX"}


def write_plain(stream: TextIOWrapper) -> None:
    """Let `stream` write ASCII: a character without one in its place is escaped."""
    codecs.register(_find_codec)
    stream.reconfigure(encoding=PLAIN_ENCODING)


def _is_utf8(encoding: str) -> bool:
    return encoding.casefold().replace("-", "").replace("_", "") == "utf8"


class _Encoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: int = 0) -> bytes:
        del final
        return _encode(text)[0]


def _encode(text: str, errors: str = "") -> tuple[bytes, int]:
    del errors
    return text.translate(_PLAIN).encode("ascii", "backslashreplace"), len(text)


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != PLAIN_ENCODING:
        return None
    ascii_codec = codecs.lookup("ascii")
    return codecs.CodecInfo(
        _encode, ascii_codec.decode, name=name, incrementalencoder=_Encoder, incrementaldecoder=ascii_codec.incrementaldecoder
    )
