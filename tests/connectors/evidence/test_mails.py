"""Mails as they are saved: every part is read, decoded, and what is attached is opened as any file is."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.evidence import Evidence
from remediate.model.limits import Limits
from tests.connectors.evidence.logs import EXPRESSWAY, FAILED, NAME, SELF_SIGNED
from tests.connectors.evidence.mail_files import make_mail
from tests.connectors.evidence.packing import pack_tar
from tests.timing import assert_done_within

TEXT = f"Hello,\n\n> {EXPRESSWAY}{SELF_SIGNED}\n> {EXPRESSWAY}{NAME}\n\nRegards\n"
HTML = f"<html><body><p>{EXPRESSWAY}{SELF_SIGNED}<br>{EXPRESSWAY}{NAME}</p></body></html>".replace(" ", "&nbsp;")


def read(tmp_path: Path, data: bytes) -> Evidence:
    (tmp_path / "file").write_bytes(data)
    return gather([tmp_path / "file"], Limits())


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16"])
@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
@pytest.mark.parametrize(("text", "page"), [(TEXT, None), (None, HTML), (TEXT, HTML), ("See the page.\n", HTML)])
def test_each_message_is_read_once(tmp_path: Path, text: str | None, page: str | None, encoding: str, charset: str) -> None:
    evidence = read(tmp_path, make_mail(text, page, encoding, charset).as_bytes())

    assert {(failure.kind, failure.lines) for failure in evidence.logged_failures} == {("chain", 1), ("name", 1)}
    assert evidence.unread_sources == ()


def test_attachments_and_forwarded_mails_are_opened(tmp_path: Path) -> None:
    inner = make_mail(TEXT, None, "base64")
    outer = make_mail("See below.\n", None, "7bit")
    outer.add_attachment(inner)
    outer.add_attachment(
        gzip.compress(pack_tar({"log": (EXPRESSWAY + FAILED).encode()})), maintype="application", subtype="gzip"
    )
    outer.add_attachment(b"\x89PNG\r\n\x1a\n\x00", maintype="image", subtype="png", filename="screen.png")
    outer.add_attachment(b"\x30\x80\x00", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")

    evidence = read(tmp_path, outer.as_bytes())

    assert sorted(failure.kind for failure in evidence.logged_failures) == ["chain", "connection", "name"]
    assert ["screen.png" in failure.path for failure in evidence.unread_sources] == [True]


def test_a_file_of_mails_is_read_to_the_last(tmp_path: Path) -> None:
    first, second = make_mail(TEXT, None, "quoted-printable").as_bytes(), make_mail(None, HTML, "base64").as_bytes()

    evidence = read(tmp_path, b"From a@corp.example Mon Jul 25 10:00:00 2022\n" + first + b"\nFrom b Tue\n" + second)

    assert {(line.kind, line.lines) for line in evidence.logged_failures} == {("chain", 2), ("name", 2)}


def test_a_log_that_only_looks_like_one_is_no_mail(tmp_path: Path) -> None:
    evidence = read(tmp_path, f"Received: from somewhere\n{EXPRESSWAY}{SELF_SIGNED}\n\nall\n".encode())

    assert [failure.kind for failure in evidence.logged_failures] == ["chain"]


@pytest.mark.parametrize(
    "body",
    [
        b"\n" * 2_000_000,
        b"Content-Type: message/rfc822\n\n" * 100_000,
        b" folded\n" * 500_000,
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 1_000,
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n" * 100_000,
    ],
)
def test_a_pathological_mail_is_read_in_bounded_time(tmp_path: Path, body: bytes) -> None:
    def diagnose() -> None:
        assert read(tmp_path, b"MIME-Version: 1.0\n" + body).logged_failures == ()

    assert_done_within(20, diagnose)
