"""CA certificates in the files and folders that the operator names."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.connectors.authorities import read_authorities
from remediate.model.errors import CertificateError, InventoryError
from tests.pki import issue

FIRST, SECOND = (issue(name, ca=True).certificate for name in ("First", "Second"))


def test_files_are_read_in_order_and_each_certificate_once(tmp_path: Path) -> None:
    (tmp_path / "b.pem").write_text(FIRST.pem + SECOND.pem)
    (tmp_path / "a.cer").write_bytes(SECOND.der)
    (tmp_path / ".hidden.pem").write_text("nothing")

    assert read_authorities([tmp_path]).certificates == (SECOND, FIRST)
    assert read_authorities([tmp_path / "b.pem", tmp_path]).certificates == (FIRST, SECOND)


def test_a_file_of_a_folder_without_a_certificate_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(FIRST.pem)
    (tmp_path / "readme.txt").write_text("Our CAs.")

    authorities = read_authorities([tmp_path])

    assert authorities.certificates == (FIRST,)
    assert [str(tmp_path / "readme.txt") in sentence for sentence in authorities.passed_over] == [True]
    with pytest.raises(CertificateError):
        read_authorities([tmp_path / "readme.txt"])


def test_what_is_not_there_or_empty_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"gone\.pem: no such file or folder"):
        read_authorities([tmp_path / "gone.pem"])
    with pytest.raises(InventoryError, match="this folder of CA certificates has no file"):
        read_authorities([tmp_path])
