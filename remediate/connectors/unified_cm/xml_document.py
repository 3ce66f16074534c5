"""XML of an untrusted source: read in one pass, with bounds, in few encodings, and never with a document type."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from remediate.model.errors import ObservationError
from remediate.model.text import mask_and_escape, quote

_MAX_DEPTH = 100
_MAX_FIELD_CHARACTERS = 4_000
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_DECLARED = re.compile(r"""<\?xml\s[^>]{0,200}?\bencoding\s{0,9}=\s{0,9}["']([^"'<>]{1,40})["']""")
_TAG = re.compile(r"<[^<>]*>")
_BLANKS = re.compile(r"\s+")
_MAX_MARKUP_CHARACTERS = 64 * 1024
_PAGE_STARTS = ("<!doctype html", "<html")
NO_WORDS = "elements without words"
"""What is quoted of an answer that has markup and no text."""


@dataclass(frozen=True, slots=True)
class Records:
    """The elements that were searched for in one document.

    Attributes:
        root: Local name of the outermost element.
        present: The searched names that occur in the document.
        records: The different elements, in order: the text of each under ``""``, that of its children under their names.
        count: Number of different elements, those over the limit included.
    """

    root: str
    present: frozenset[str]
    records: tuple[Mapping[str, str], ...]
    count: int


def read_records(body: bytes, source: str, element: str, *, also: Collection[str] = (), limit: int) -> Records:
    """Read all `element` of one document, of whatever namespace.

    Args:
        body: The document.
        source: Names the document in messages, such as ``UDS on a.example.test:8443``.
        element: Local name of the elements.
        also: Names of other elements whose presence is noted.
        limit: Number of different records that are kept.

    Raises:
        ObservationError: It is no XML, or XML of a kind that is not read.
    """
    text = _decode(body, source)
    if is_web_page(text):
        raise ObservationError(
            f"{source} answers with a web page instead of data: a login page, or another server. Its text: "
            f"{quote_text(text, 200) or NO_WORDS}"
        )
    # No expected document has one; an attack on the parser (entities that grow) needs one.
    upper = text.upper()
    if "<!DOCTYPE" in upper or "<!ENTITY" in upper:
        raise ObservationError(f"{source} answers with an XML document type, which is not accepted.")
    collector = _Collector(element, frozenset(also), limit)
    try:
        parser = ET.XMLParser(target=collector)  # noqa: S314  size and depth are limited, document types are refused
        parser.feed(text)
        parser.close()
    except (ET.ParseError, ValueError, LookupError, RecursionError) as error:
        words = quote_text(text, 200) or (NO_WORDS if text.strip() else "an empty body")
        raise ObservationError(f"{source} answers with something that is not XML: {words}") from error
    return Records(collector.root, frozenset(collector.present), tuple(collector.records.values()), collector.count)


def is_web_page(text: str) -> bool:
    """Return whether `text` is HTML, as a login page is."""
    return text[:1000].lstrip("\ufeff \t\r\n").casefold().startswith(_PAGE_STARTS)


def strip_markup(text: str, limit: int) -> str:
    """Return the words of `text` without its markup, on one line, safe to print, at most `limit` characters."""
    return collapse_whitespace(_TAG.sub(" ", text[:_MAX_MARKUP_CHARACTERS]), limit)


def quote_text(text: str, limit: int) -> str:
    """Return the words of `text` without its markup in quotation marks; nothing where it has none."""
    words = strip_markup(text, limit)
    return quote(words, limit) if words else ""


def collapse_whitespace(text: str, limit: int) -> str:
    """Return `text` with single blanks, safe to print, at most `limit` characters."""
    return mask_and_escape(_BLANKS.sub(" ", text[:_MAX_MARKUP_CHARACTERS]).strip(), limit)


def _decode(body: bytes, source: str) -> str:
    try:
        return body.decode(_encoding_of(body, source)).removeprefix("\ufeff")
    except UnicodeError as error:
        raise ObservationError(f"{source} answers with bytes that are not text in the encoding that it declares.") from error


def _encoding_of(body: bytes, source: str) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if body[:2] in (b"<\0", b"\0<"):
        return "utf-16-le" if body[:1] == b"<" else "utf-16-be"
    declared = _DECLARED.match(body[:400].decode("latin-1").removeprefix("\xef\xbb\xbf"))
    name = declared[1].casefold() if declared else "utf-8"
    if name not in _ENCODINGS:
        raise ObservationError(f"{source} answers with XML in the encoding {mask_and_escape(name, 40)}, which is not accepted.")
    return _ENCODINGS[name]


class _Collector:
    """The target of the parser, which keeps no more than it searches for."""

    def __init__(self, element: str, also: frozenset[str], limit: int) -> None:
        self._element, self._also, self._limit = element, also, limit
        self._depth, self._record_depth = 0, 0
        self._fields: dict[str, list[str]] = {}
        self._field = ""
        self._characters = 0
        self.root = ""
        self.present: set[str] = set()
        self.records: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        self.count = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        del attributes
        name = tag.rpartition("}")[2]
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("elements are nested too deeply")
        self.root = self.root or name
        if name in self._also or name == self._element:
            self.present.add(name)
        if self._record_depth:
            self._field = name if self._depth == self._record_depth + 1 else self._field
        elif name == self._element:
            self._record_depth, self._fields, self._field, self._characters = self._depth, {}, "", 0

    def data(self, text: str) -> None:
        if self._record_depth and self._characters < _MAX_FIELD_CHARACTERS:
            text_within_limit = text[: _MAX_FIELD_CHARACTERS - self._characters]
            self._characters += len(text_within_limit)
            self._fields.setdefault(self._field, []).append(text_within_limit)

    def end(self, tag: str) -> None:
        del tag
        if self._depth == self._record_depth:
            self._record_depth = 0
            record = {name: "".join(pieces).strip() for name, pieces in self._fields.items()}
            self._keep(tuple(sorted(record.items())), record)
        elif self._depth == self._record_depth + 1:
            self._field = ""
        self._depth -= 1

    def _keep(self, key: tuple[tuple[str, str], ...], record: Mapping[str, str]) -> None:
        if key in self.records:
            return
        self.count += 1
        if len(self.records) < self._limit:
            self.records[key] = record

    def close(self) -> None:
        """Do nothing; the parser requires this method."""
