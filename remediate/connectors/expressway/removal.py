"""How a peer wants a certificate named that it shall take out of its trusted CA list: read from its own description of DELETE.

No document of Cisco's describes this request, so there is no form that is right everywhere: what is sent is what the peer's own
example (or schema) shows, in its spelling. Where any part of it is not understood, nothing is sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from remediate.connectors.expressway.raml import Node, Table, parse_value
from remediate.model.certificate import Certificate

_PAIRS_WITH_COLONS = re.compile(r"[0-9A-Fa-fXx]{2}(:[0-9A-Fa-fXx]{2})+")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_DIGESTS = {40: "sha1", 64: "sha256"}
"""By the number of hexadecimal digits."""
_NAME_PARTS = re.compile(r"(?:\\.|[^,\\])+")
"""The parts of an RFC 4514 name; a comma within a value is escaped there."""


@dataclass(frozen=True, slots=True)
class FingerprintField:
    """A digest of the DER, hexadecimal."""

    digest: str
    colons: bool = False
    upper: bool = False
    prefix: str = ""

    def value_for(self, certificate: Certificate) -> str:
        """Return the fingerprint as the peer spells one."""
        digits = hashlib.new(self.digest, certificate.der, usedforsecurity=False).hexdigest()
        return self.prefix + _spell(digits, colons=self.colons, upper=self.upper)


@dataclass(frozen=True, slots=True)
class PemField:
    """The certificate itself."""

    def value_for(self, certificate: Certificate) -> str:
        """Return its PEM."""
        return certificate.pem


@dataclass(frozen=True, slots=True)
class NameField:
    """The subject or the issuer.

    `separator` and `leading` stand between and before its parts; `reverse`: in the opposite order to RFC 4514.
    """

    whose: str
    separator: str = ","
    leading: str = ""
    reverse: bool = False

    def value_for(self, certificate: Certificate) -> str | None:
        """Return the name as the peer spells one; None where it is empty."""
        name = certificate.subject if self.whose == "subject" else certificate.issuer
        parts = _NAME_PARTS.findall(name)
        if self.reverse:
            parts.reverse()
        return self.leading + self.separator.join(parts) if parts else None


@dataclass(frozen=True, slots=True)
class SerialField:
    """The serial number. `base` 10 or 16; `number`: as a JSON number."""

    base: int
    number: bool = False
    colons: bool = False
    upper: bool = False
    prefix: str = ""

    def value_for(self, certificate: Certificate) -> str | int | None:
        """Return the serial number as the peer spells one; None where it cannot be said."""
        serial = certificate.serial
        if serial is None or serial < 0:
            return None
        if self.base == 10:
            return serial if self.number else str(serial)
        digits = f"{serial:x}"
        digits = digits.zfill(len(digits) + len(digits) % 2)
        return self.prefix + _spell(digits, colons=self.colons, upper=self.upper)


Field = FingerprintField | PemField | NameField | SerialField


@dataclass(frozen=True, slots=True)
class RemovalForm:
    """The body of DELETE.

    Attributes:
        fields: of a JSON object, by their keys; empty: the body is the certificate as PEM.
        media_type: of the body.
    """

    fields: Mapping[str, Field]
    media_type: str = "application/json"

    def body_for(self, certificate: Certificate) -> bytes | None:
        """Return the body that names `certificate`; None where the certificate lacks what the peer asks for."""
        if not self.fields:
            return certificate.pem.encode()
        values = {key: field.value_for(certificate) for key, field in self.fields.items()}
        return None if None in values.values() else json.dumps(values).encode()


def read_removal_form(operation: Node, schemas: Mapping[str, str]) -> RemovalForm | None:
    """Return the form that the description of DELETE shows; None where it shows none that is understood.

    Args:
        operation: what stands below ``delete``.
        schemas: the page's named schemas.
    """
    for media_type, content in _bodies(operation):
        if "json" in media_type:
            for example in _examples(content, schemas):
                if fields := _fields(example):
                    return RemovalForm(fields, media_type)
        elif "pem" in media_type or "BEGIN CERTIFICATE" in str(content.under("example")):
            return RemovalForm({}, media_type)
    return None


def _bodies(operation: Node) -> Iterator[tuple[str, Table]]:
    """Media type and what stands below it. A body without one has the default of the interface, which is JSON."""
    body = operation.under("body") if isinstance(operation, Table) else ""
    if not isinstance(body, Table):
        return
    yield from ((name, content if isinstance(content, Table) else Table()) for name, content in body if "/" in name)
    if body.under("example") or body.under("schema"):
        yield "application/json", body


def _examples(content: Table, schemas: Mapping[str, str]) -> Iterator[Mapping[str, str | int]]:
    """The example, then what the schema shows in its place: key to a value, or to words about one."""
    example = content.under("example")
    yield from _flat(_parse_example(example) if isinstance(example, str) else example)
    schema = content.under("schema")
    if isinstance(schema, str):
        yield from _in_schema(schemas.get(schema.strip(), schema))


def _parse_example(text: str) -> Node:
    """The value of an example: JSON, or what its author took for it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return parse_value(text)
    if not isinstance(value, dict):
        return ""
    # What is neither text nor a whole number stands for nothing that could be sent.
    return Table((key, each if type(each) in (str, int) else Table()) for key, each in value.items())


def _flat(value: Node) -> Iterator[Mapping[str, str | int]]:
    if isinstance(value, Table) and value and all(isinstance(each, str | int) for _, each in value):
        yield {key: each for key, each in value if isinstance(each, str | int)}


def _in_schema(text: str) -> Iterator[Mapping[str, str | int]]:
    try:
        schema = json.loads(text)
        properties, required = schema.get("properties"), schema.get("required")
        named = {name: properties[name] for name in required or properties}
        yield {name: _shown(about) for name, about in named.items()}
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return


def _shown(about: Mapping[str, object]) -> str | int:
    if about.get("type") in ("integer", "number"):
        return 0
    return str(about.get("example") or about.get("default") or about.get("description") or "")


def _fields(example: Mapping[str, str | int]) -> dict[str, Field] | None:
    """A field for each key; None where one is not understood, or together they do not name one certificate."""
    fields: dict[str, Field] = {}
    for key, value in example.items():
        field = _field(re.sub(r"[^a-z0-9]", "", key.casefold()), value)
        if field is None:
            return None
        fields[key] = field
    kinds = {type(field) for field in fields.values()}
    identifies = kinds & {FingerprintField, PemField} or kinds >= {NameField, SerialField}
    return fields if identifies else None


def _field(key: str, value: str | int) -> Field | None:
    text = str(value).strip()
    if "fingerprint" in key or "thumbprint" in key or key in ("sha1", "sha256"):
        return _fingerprint_field(key, text)
    if "serial" in key:
        return _serial_field(value)
    if "pem" in key or ("cert" in key and ("PEM" in text.upper() or "BEGIN CERTIFICATE" in text)):
        return PemField()
    for whose in ("subject", "issuer"):
        if whose in key:
            return _name_field(whose, text)
    return None


def _fingerprint_field(key: str, text: str) -> FingerprintField | None:
    words = f"{key} {text}".casefold().replace("-", "")
    if "md5" in words:
        return None
    kind, colon, rest = text.partition(":")
    prefix = f"{kind}:" if colon and kind.casefold().replace("-", "") in ("sha1", "sha256") else ""
    shown = rest.strip() if prefix else text
    digest = "sha1" if "sha1" in words else "sha256"
    if _PAIRS_WITH_COLONS.match(shown):
        digits = shown.replace(":", "")
        return FingerprintField(
            _DIGESTS.get(len(digits), digest), colons=True, upper=digits != digits.lower() or digits.isdigit(), prefix=prefix
        )
    if _HEX.fullmatch(shown):
        if len(shown) not in _DIGESTS:
            return None
        return FingerprintField(_DIGESTS[len(shown)], upper=shown != shown.lower(), prefix=prefix)
    # Words instead of a fingerprint.
    return FingerprintField(digest, colons="colon" in words, upper="colon" in words or "upper" in words)


def _serial_field(value: str | int) -> SerialField | None:
    if isinstance(value, int):
        return SerialField(10, number=True)
    text = value.strip()
    prefix = text[:2] if text[:2].casefold() == "0x" else ""
    shown = text[len(prefix) :]
    if _PAIRS_WITH_COLONS.fullmatch(shown):
        return SerialField(16, colons=True, upper=shown != shown.lower() or shown.replace(":", "").isdigit())
    if shown.isdecimal() and not prefix:
        return SerialField(10)
    if _HEX.fullmatch(shown):
        return SerialField(16, upper=shown != shown.lower(), prefix=prefix)
    if "hex" in text.casefold():
        return SerialField(16)
    return SerialField(10) if "decimal" in text.casefold() else None


def _name_field(whose: str, text: str) -> NameField:
    """The spelling of the name that the example shows; RFC 4514, the common name first, where it shows none."""
    if text.startswith("/"):
        return NameField(whose, separator="/", leading="/", reverse=True)
    parts = [part.strip().partition("=")[0].strip().upper() for part in text.split(",")]
    reverse = len(parts) > 1 and parts[-1] == "CN"
    return NameField(whose, separator=", " if ", " in text else ",", reverse=reverse)


def _spell(digits: str, *, colons: bool, upper: bool) -> str:
    spelled = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)) if colons else digits
    return spelled.upper() if upper else spelled
