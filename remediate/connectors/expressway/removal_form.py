"""The form in which a peer expects a removal from its trusted CA list to name a certificate, read from its description of DELETE.

Cisco documents this request nowhere, so no form is right everywhere: the request follows the peer's own example (or schema), in its
spelling. Where any part of it is not understood, nothing is sent.
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
    """A digest of the DER, in hexadecimal.

    Attributes:
        digest: Name of the hash function.
        colons: Pairs of digits are separated by colons.
        upper: Digits are in upper case.
        prefix: Precedes the digits.
    """

    digest: str
    colons: bool = False
    upper: bool = False
    prefix: str = ""

    def format_value(self, certificate: Certificate) -> str:
        """Return the fingerprint in the spelling of the peer."""
        digits = hashlib.new(self.digest, certificate.der, usedforsecurity=False).hexdigest()
        return self.prefix + _format_hex(digits, colons=self.colons, upper=self.upper)


@dataclass(frozen=True, slots=True)
class PemField:
    """The certificate itself, as PEM."""

    def format_value(self, certificate: Certificate) -> str:
        """Return the PEM of the certificate."""
        return certificate.pem


@dataclass(frozen=True, slots=True)
class NameField:
    """The subject or the issuer.

    Attributes:
        attribute: ``subject`` or ``issuer``.
        separator: Between the parts of the name.
        leading: Before the first part.
        reverse: The parts are in the opposite order to RFC 4514.
    """

    attribute: str
    separator: str = ","
    leading: str = ""
    reverse: bool = False

    def format_value(self, certificate: Certificate) -> str | None:
        """Return the name in the spelling of the peer; None where it is empty."""
        name = certificate.subject if self.attribute == "subject" else certificate.issuer
        parts = _NAME_PARTS.findall(name)
        if self.reverse:
            parts.reverse()
        return self.leading + self.separator.join(parts) if parts else None


@dataclass(frozen=True, slots=True)
class SerialField:
    """The serial number.

    Attributes:
        base: 10 or 16.
        number: It is a JSON number.
        colons, upper, prefix: As in `FingerprintField`.
    """

    base: int
    number: bool = False
    colons: bool = False
    upper: bool = False
    prefix: str = ""

    def format_value(self, certificate: Certificate) -> str | int | None:
        """Return the serial number in the spelling of the peer; None where it has none."""
        serial = certificate.serial
        if serial is None or serial < 0:
            return None
        if self.base == 10:
            return serial if self.number else str(serial)
        digits = f"{serial:x}"
        digits = digits.zfill(len(digits) + len(digits) % 2)
        return self.prefix + _format_hex(digits, colons=self.colons, upper=self.upper)


Field = FingerprintField | PemField | NameField | SerialField


@dataclass(frozen=True, slots=True)
class RemovalForm:
    """The form of the body of DELETE.

    Attributes:
        fields: Of a JSON object, by their keys; empty: the body is the certificate as PEM.
        media_type: Of the body.
    """

    fields: Mapping[str, Field]
    media_type: str = "application/json"

    def format_body(self, certificate: Certificate) -> bytes | None:
        """Return the body that names `certificate`; None where the certificate lacks what the peer expects."""
        if not self.fields:
            return certificate.pem.encode()
        values = {key: field.format_value(certificate) for key, field in self.fields.items()}
        return None if None in values.values() else json.dumps(values).encode()


def read_removal_form(operation: Node, schemas: Mapping[str, str]) -> RemovalForm | None:
    """Return the form that the description of DELETE shows; None where it shows none that is understood.

    `operation`: what is below ``delete``.
    """
    for media_type, content in _iterate_bodies(operation):
        if "json" in media_type:
            for example in _iterate_examples(content, schemas):
                if fields := _parse_fields(example):
                    return RemovalForm(fields, media_type)
        elif "pem" in media_type or "BEGIN CERTIFICATE" in str(content.value_of("example")):
            return RemovalForm({}, media_type)
    return None


def _iterate_bodies(operation: Node) -> Iterator[tuple[str, Table]]:
    """Yield each media type and what is below it.

    A body without a media type has the default of the interface, which is JSON.
    """
    body = operation.value_of("body") if isinstance(operation, Table) else ""
    if not isinstance(body, Table):
        return
    yield from ((name, content if isinstance(content, Table) else Table()) for name, content in body if "/" in name)
    if body.value_of("example") or body.value_of("schema"):
        yield "application/json", body


def _iterate_examples(content: Table, schemas: Mapping[str, str]) -> Iterator[Mapping[str, str | int]]:
    """Yield the example, then what the schema shows instead: key to a value, or to words about a value."""
    example = content.value_of("example")
    yield from _iterate_flat(_parse_example(example) if isinstance(example, str) else example)
    schema = content.value_of("schema")
    if isinstance(schema, str):
        yield from _iterate_schema(schemas.get(schema.strip(), schema))


def _parse_example(text: str) -> Node:
    """Parse an example: JSON, or what its author took for JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return parse_value(text)
    if not isinstance(value, dict):
        return ""
    # Neither a text nor a whole number: it shows nothing that could be sent.
    return Table((key, member if type(member) in (str, int) else Table()) for key, member in value.items())


def _iterate_flat(value: Node) -> Iterator[Mapping[str, str | int]]:
    if isinstance(value, Table) and value and all(isinstance(member, str | int) for _, member in value):
        yield {key: member for key, member in value if isinstance(member, str | int)}


def _iterate_schema(text: str) -> Iterator[Mapping[str, str | int]]:
    try:
        schema = json.loads(text)
        properties, required = schema.get("properties"), schema.get("required")
        fields = {name: properties[name] for name in required or properties}
        yield {name: _example_of(description) for name, description in fields.items()}
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return


def _example_of(description: Mapping[str, object]) -> str | int:
    if description.get("type") in ("integer", "number"):
        return 0
    return str(description.get("example") or description.get("default") or description.get("description") or "")


def _parse_fields(example: Mapping[str, str | int]) -> dict[str, Field] | None:
    """Return a field for each key; None where one is not understood, or together they do not identify one certificate."""
    fields: dict[str, Field] = {}
    for key, value in example.items():
        field = _parse_field(re.sub(r"[^a-z0-9]", "", key.casefold()), value)
        if field is None:
            return None
        fields[key] = field
    kinds = {type(field) for field in fields.values()}
    identifies = kinds & {FingerprintField, PemField} or kinds >= {NameField, SerialField}
    return fields if identifies else None


def _parse_field(key: str, value: str | int) -> Field | None:
    text = str(value).strip()
    if "fingerprint" in key or "thumbprint" in key or key in ("sha1", "sha256"):
        return _parse_fingerprint_field(key, text)
    if "serial" in key:
        return _parse_serial_field(value)
    if "pem" in key or ("cert" in key and ("PEM" in text.upper() or "BEGIN CERTIFICATE" in text)):
        return PemField()
    for attribute in ("subject", "issuer"):
        if attribute in key:
            return _parse_name_field(attribute, text)
    return None


def _parse_fingerprint_field(key: str, text: str) -> FingerprintField | None:
    words = f"{key} {text}".casefold().replace("-", "")
    if "md5" in words:
        return None
    kind, colon, digits_part = text.partition(":")
    prefix = f"{kind}:" if colon and kind.casefold().replace("-", "") in ("sha1", "sha256") else ""
    example = digits_part.strip() if prefix else text
    digest = "sha1" if "sha1" in words else "sha256"
    if _PAIRS_WITH_COLONS.match(example):
        digits = example.replace(":", "")
        return FingerprintField(
            _DIGESTS.get(len(digits), digest), colons=True, upper=digits != digits.lower() or digits.isdigit(), prefix=prefix
        )
    if _HEX.fullmatch(example):
        if len(example) not in _DIGESTS:
            return None
        return FingerprintField(_DIGESTS[len(example)], upper=example != example.lower(), prefix=prefix)
    # Words instead of a fingerprint.
    return FingerprintField(digest, colons="colon" in words, upper="colon" in words or "upper" in words)


def _parse_serial_field(value: str | int) -> SerialField | None:
    if isinstance(value, int):
        return SerialField(10, number=True)
    text = value.strip()
    prefix = text[:2] if text[:2].casefold() == "0x" else ""
    digits = text[len(prefix) :]
    if _PAIRS_WITH_COLONS.fullmatch(digits):
        return SerialField(16, colons=True, upper=digits != digits.lower() or digits.replace(":", "").isdigit())
    if digits.isdecimal() and not prefix:
        return SerialField(10)
    if _HEX.fullmatch(digits):
        return SerialField(16, upper=digits != digits.lower(), prefix=prefix)
    if "hex" in text.casefold():
        return SerialField(16)
    return SerialField(10) if "decimal" in text.casefold() else None


def _parse_name_field(attribute: str, text: str) -> NameField:
    """Return the spelling of a name in the example; RFC 4514, common name first, where it shows none."""
    if text.startswith("/"):
        return NameField(attribute, separator="/", leading="/", reverse=True)
    parts = [part.strip().partition("=")[0].strip().upper() for part in text.split(",")]
    reverse = len(parts) > 1 and parts[-1] == "CN"
    return NameField(attribute, separator=", " if ", " in text else ",", reverse=reverse)


def _format_hex(digits: str, *, colons: bool, upper: bool) -> str:
    spelled = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)) if colons else digits
    return spelled.upper() if upper else spelled
