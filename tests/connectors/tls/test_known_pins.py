"""What a message says of a certificate that came in the place of the pinned one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.connectors.tls import known_pins
from tests.pki import issue

CA = issue("Corporate CA", ca=True)
PINNED = issue("expc1.test", CA, names=("expc1.test",))
RENEWED = issue("expc1.test", CA, names=("expc1.test",), key_name="renewed")
OTHER = issue("expc1.test", issue("Other CA", ca=True), names=("expc1.test",))
FINGERPRINT = PINNED.certificate.fingerprint


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path) -> Iterator[Path]:
    known_pins.keep_in(tmp_path)
    yield tmp_path
    known_pins.keep_in(tmp_path / "none")


def test_a_renewal_by_the_same_issuer_is_named_as_such() -> None:
    known_pins.keep(PINNED.certificate.der)

    text = known_pins.describe_successor(FINGERPRINT, RENEWED.certificate.der)

    assert "of CN=expc1.test,O=Lab and names CN=Corporate CA,O=Lab as its issuer, valid until 2027-11-23." in text
    assert "named the same issuer, so it may have been renewed; a name alone proves nothing" in text


def test_another_issuer_is_named() -> None:
    known_pins.keep(PINNED.certificate.der)

    text = known_pins.describe_successor(FINGERPRINT, OTHER.certificate.der)

    assert "names CN=Other CA,O=Lab as its issuer" in text
    assert text.endswith("The pinned one named another issuer, CN=Corporate CA,O=Lab.")


def test_an_unknown_issuer_is_not_guessed() -> None:
    assert known_pins.describe_successor(FINGERPRINT, RENEWED.certificate.der).endswith(
        "It is not known here whether the pinned one had the same issuer."
    )


def test_a_file_with_another_certificate_counts_for_nothing(state_dir: Path) -> None:
    known_pins.keep(PINNED.certificate.der)
    [pin_file] = (state_dir / known_pins.FOLDER).iterdir()
    pin_file.write_text(OTHER.certificate.pem)

    assert known_pins.find(FINGERPRINT) is None


def test_no_state_directory_is_made_for_it(tmp_path: Path) -> None:
    known_pins.keep_in(tmp_path / "absent")

    known_pins.keep(PINNED.certificate.der)

    assert not (tmp_path / "absent").exists()


def test_garbage_in_the_place_of_a_certificate_is_named() -> None:
    assert known_pins.describe_successor(FINGERPRINT, b"\x30\x00") == "The presented one cannot be read."
