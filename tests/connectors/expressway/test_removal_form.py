"""The form of DELETE, taken from what a peer's own page shows, and the body that is then sent."""

from __future__ import annotations

import hashlib
import json

import pytest

from remediate.connectors.expressway.capabilities import read_capabilities
from tests.pki import issue

CERTIFICATE = issue("Root", ca=True).certificate
SHA256 = hashlib.sha256(CERTIFICATE.der).hexdigest()
SHA1 = hashlib.sha1(CERTIFICATE.der, usedforsecurity=False).hexdigest()
SERIAL = CERTIFICATE.serial or 0


def page(example: str, media_type: str = "application/json", key: str = "example") -> str:
    """Return a description of DELETE with this example (or schema)."""
    return (
        "/certs:\n  /root:\n    delete:\n      body:\n"
        f"        {media_type}:\n          {key}: |\n            " + example.replace("\n", "\n            ") + "\n"
    )


def colons(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def format_removal(text: str) -> bytes | None:
    """Return the body that is sent to a peer with this page."""
    form = read_capabilities(text).removal
    return form.format_body(CERTIFICATE) if form else None


EXAMPLES = {
    "a placeholder": ({"Fingerprint": "SHA-256 of the DER"}, {"Fingerprint": SHA256}),
    "no value": ({"Fingerprint": ""}, {"Fingerprint": SHA256}),
    "a placeholder for SHA-1": ({"sha1_fingerprint": "string"}, {"sha1_fingerprint": SHA1}),
    "plain SHA-256": ({"Fingerprint": "ab" * 32}, {"Fingerprint": SHA256}),
    "SHA-256 in capitals": ({"Fingerprint": "AB" * 32}, {"Fingerprint": SHA256.upper()}),
    "SHA-256 with colons": ({"thumbprint": colons("AB" * 32)}, {"thumbprint": colons(SHA256).upper()}),
    "SHA-256 with colons, lower case": ({"Fingerprint": colons("ab" * 32)}, {"Fingerprint": colons(SHA256)}),
    "SHA-256 with its name": ({"Fingerprint": "sha256:" + "ab" * 32}, {"Fingerprint": "sha256:" + SHA256}),
    "SHA-1": ({"Fingerprint": "01" * 20}, {"Fingerprint": SHA1}),
    "SHA-1 with colons": ({"FP fingerprint": colons("0A" * 20)}, {"FP fingerprint": colons(SHA1).upper()}),
    "cut short": ({"Fingerprint": "AB:CD:..."}, {"Fingerprint": colons(SHA256).upper()}),
    "PEM": ({"Certificate": "-----BEGIN CERTIFICATE-----\nMII"}, {"Certificate": CERTIFICATE.pem}),
    "a placeholder for PEM": ({"cert": "PEM encoded"}, {"cert": CERTIFICATE.pem}),
    "subject and serial": (
        {"Subject": "CN=Root,O=Lab", "Serial": "0a1b"},
        {"Subject": "CN=Root,O=Lab", "Serial": f"{SERIAL:04x}"},
    ),
    "as the page shows them": (
        {"subject": "O=Lab, CN=Root", "serialNumber": "0x0A1B"},
        {"subject": "O=Lab, CN=Root", "serialNumber": f"0x{SERIAL:04X}"},
    ),
    "as OpenSSL prints them": (
        {"issuer_dn": "/O=Lab/CN=Root", "serial": "0A:1B"},
        {"issuer_dn": "/O=Lab/CN=Root", "serial": colons(f"{SERIAL:04X}")},
    ),
    "a decimal serial": ({"Subject": "CN=x", "Serial": "1234"}, {"Subject": "CN=Root,O=Lab", "Serial": str(SERIAL)}),
    "a serial that is a number": ({"Subject": "CN=x", "Serial": 1234}, {"Subject": "CN=Root,O=Lab", "Serial": SERIAL}),
}


@pytest.mark.parametrize(("example", "body"), EXAMPLES.values(), ids=EXAMPLES)
def test_a_certificate_is_named_as_the_example_names_one(example: dict[str, object], body: dict[str, object]) -> None:
    answer = format_removal(page(json.dumps(example)))

    assert json.loads(answer or b"{}") == body


UNKNOWN = {
    "an index": '{"Index": 3}',
    "a name": '{"Name": "CN=Root"}',
    "a subject alone": '{"Subject": "CN=Root"}',
    "a serial alone": '{"Serial": "0A"}',
    "a serial in words": '{"Subject": "CN=Root", "Serial": "number"}',
    "MD5": '{"Fingerprint": "0123456789abcdef0123456789abcdef"}',
    "one key too many": '{"Fingerprint": "", "Force": "yes"}',
    "a nested one": '{"Certificates": [{"Fingerprint": ""}]}',
    "a list": '[{"Fingerprint": ""}]',
    "a number": "3",
    "no JSON": '{"Fingerprint"',
    "nothing": "",
    "a certificate in words": '{"Certificate": "the one to remove"}',
}


@pytest.mark.parametrize("example", UNKNOWN.values(), ids=UNKNOWN)
def test_a_form_that_is_not_understood_is_not_offered(example: str) -> None:
    capabilities = read_capabilities(page(example))

    assert (capabilities.remove_trusted_ca, capabilities.unknown_removal) == (False, True)


@pytest.mark.parametrize("media_type", ["application/x-pem-file", "text/plain"])
def test_the_body_itself_may_be_the_certificate(media_type: str) -> None:
    capabilities = read_capabilities(page("-----BEGIN CERTIFICATE-----", media_type))

    assert capabilities.removal is not None
    assert (capabilities.removal.media_type, capabilities.removal.format_body(CERTIFICATE)) == (
        media_type,
        CERTIFICATE.pem.encode(),
    )


def test_a_schema_serves_where_the_example_is_missing() -> None:
    schema = {"properties": {"Sha1Fingerprint": {"type": "string"}, "Comment": {}}, "required": ["Sha1Fingerprint"]}

    assert format_removal(page(json.dumps(schema), key="schema")) == json.dumps({"Sha1Fingerprint": SHA1}).encode()


def test_a_schema_may_be_one_that_the_page_names_elsewhere() -> None:
    schema = json.dumps({"properties": {"Fingerprint": {"type": "string"}}})
    document = f"schemas:\n  - removal: '{schema}'\n" + page("removal", key="schema")

    assert format_removal(document) == json.dumps({"Fingerprint": SHA256}).encode()


def test_an_example_that_is_yaml_is_read_as_well() -> None:
    text = f"/certs/root: {{delete: {{body: {{application/json: {{example: {{Fingerprint: {'ab' * 32}}}}}}}}}}}\n"

    assert format_removal(text) == json.dumps({"Fingerprint": SHA256}).encode()
