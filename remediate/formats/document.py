"""The document: what the three formats have in common. Every refusal is one sentence with the place in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from remediate.model.canonical import parse_rfc3339
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, FormatError
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.text import quote

# JSON can escape a lone surrogate, and UTF-8 has no form for it.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_PART: Final = 1_000
"""How many entries of a list are validated at a time: the values of pydantic take many times the memory of ours."""
_MAX_QUOTED: Final = 60
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


def _parse_moment(value: object) -> datetime:
    """Return the moment of an RFC 3339 text. Nothing else is a time, and the ends of the calendar cannot be shifted to UTC."""
    if not isinstance(value, str):
        raise ValueError("a time must be RFC 3339 text")
    moment = parse_rfc3339(value)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"the year {moment.year} is out of range")
    return moment


Moment = Annotated[datetime, BeforeValidator(_parse_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Text = Annotated[str, StringConstraints(min_length=1)]
Family = Literal["rsa", "ecdsa"]
ProductName = Literal["cucm", "imp", "unity"]
By = Literal["rest", "shell", "person"]


class Wire(BaseModel):
    """A JSON object of a document. Keys that this version does not know are ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


_Document = TypeVar("_Document", bound=Wire)


def parse_document(
    text: str | bytes, expected: str, object_hook: Callable[[dict[str, Any]], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the JSON object in `text`, whose ``format`` is `expected` (``remediate.plan/1``) or a minor version of it.

    `object_hook` is that of `json.loads`.

    Raises:
        FormatError: It is not JSON, another format or major version, or holds text that UTF-8 cannot.
    """
    kind, _, major = expected.rpartition("/")
    try:
        document = json.loads(text, object_hook=object_hook)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"Not a valid {kind}: it is not JSON ({_on_one_line(error)}).") from error
    name = document.get("format") if isinstance(document, dict) else None
    if not isinstance(name, str) or name.partition("/")[0] != kind:
        raise FormatError(f"Not a valid {kind}: its format is {name!r}, expected {expected!r}.")
    if name.partition("/")[2].split(".")[0] != major:
        raise FormatError(
            f"This file's format is {name!r}; this version of remediate reads {expected!r}.",
            next_step="Use the version of remediate that made the file, or make the file again.",
        )
    # Looking at every text of a large document takes longer than reading it.
    may_be_broken = isinstance(text, bytes) or _may_hold_surrogate(text)
    texts = _texts(document) if may_be_broken else ()
    broken = next((text for text in texts if not text.isascii() and _SURROGATE.search(text)), None)
    if broken is not None:
        raise FormatError(f"This {kind} has text with half a character (a lone surrogate): {broken[:_MAX_QUOTED]!r}.")
    return dict(document)


def _may_hold_surrogate(text: str) -> bool:
    # A search for a fixed text is many times as fast as a pattern, and nearly every document has neither.
    raw = not text.isascii() and _SURROGATE.search(text)
    return bool(raw or ("\\u" in text and _ESCAPED_SURROGATE.search(text)))


def validate(shape: type[_Document], document: Mapping[str, Any], name: str) -> _Document:
    """Return `document` as `shape`; `name` is what the message calls it. Raises FormatError."""
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        raise _describe(error, name) from error


def validate_entries(shape: type[_Document], entries: list[Any], name: str, place: str) -> Iterator[_Document]:
    """Yield each of `entries` as `shape`; `place` is the list's name in the document `name`. Raises FormatError."""
    adapter = _adapter_of(shape)
    for start in range(0, len(entries), _PART):
        try:
            part: list[_Document] = adapter.validate_python(entries[start : start + _PART])
        except ValidationError as error:
            raise _describe(error, name, place, start) from error
        yield from part


@cache
def _adapter_of(shape: type[Wire]) -> TypeAdapter[Any]:
    return TypeAdapter(list[shape])  # type: ignore[valid-type]


def _describe(error: ValidationError, name: str, place: str = "", start: int = 0) -> FormatError:
    """Return the refusal for the first error; `place` and `start` say which part of the document was validated."""
    first = error.errors(include_url=False, include_input=False)[0]
    index, *inner = first["loc"] or ("",)
    parts = (place, start + int(index), *inner) if place else first["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return FormatError(f"The {name} does not match its format at {where}: {_on_one_line(first['msg'])}{more}.")


def _texts(document: object) -> Iterator[str]:
    """Yield every text in `document`, names of members too. Not by recursion: its depth is up to its writer."""
    waiting = [document]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting.extend(items)
            case dict() as members:
                waiting.extend((*members, *members.values()))


def _on_one_line(error: object) -> str:
    return quote(" ".join(str(error).split()), 1000)


def read_certificates(pems: Mapping[str, str]) -> dict[Fingerprint, Certificate]:
    """Return the certificates of a document by fingerprint. Raises FormatError where a key is not that of its certificate."""
    certificates: dict[Fingerprint, Certificate] = {}
    for key, pem in pems.items():
        try:
            certificate = Certificate.from_pem(pem)
        except CertificateError as error:
            raise FormatError(f"certificates[{key}] cannot be read: {error}") from error
        if certificate.fingerprint != key:
            raise FormatError(f"certificates[{key}] holds another certificate, {certificate.fingerprint}.")
        certificates[certificate.fingerprint] = certificate
    return certificates


def write_certificates(certificates: Mapping[Fingerprint, Certificate]) -> dict[str, str]:
    """Return PEM by fingerprint."""
    return {fingerprint: certificate.pem for fingerprint, certificate in certificates.items()}


def check_certificates_present(
    name: str, fingerprints: Iterable[Fingerprint], certificates: Mapping[Fingerprint, Certificate]
) -> None:
    """Raise FormatError where the document `name` names a certificate that it does not hold."""
    missing = sorted(set(fingerprints) - certificates.keys())
    if missing:
        raise FormatError(f"The {name} names {missing[0]}, which is not among its certificates.")


def fingerprints_of(texts: Iterable[str]) -> tuple[Fingerprint, ...]:
    """Return validated texts as fingerprints."""
    return tuple(Fingerprint(text) for text in texts)


def addresses_of(texts: Iterable[str]) -> tuple[Address, ...]:
    """Return validated texts as addresses."""
    return tuple(Address(text) for text in texts)


def ciphers_of(lists: Mapping[str, str]) -> dict[str, CipherList]:
    """Return validated texts as cipher lists, by name."""
    return {name: CipherList(value) for name, value in lists.items()}
