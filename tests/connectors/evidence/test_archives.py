"""Archives in archives, whatever they are called: read in place, and what cannot be read is said."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.errors import RemediateError
from remediate.model.evidence import Evidence
from remediate.model.limits import Limits
from tests.connectors.evidence.packing import LOG, pack_tar, pack_zip
from tests.timing import assert_done_within


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Evidence:
    (tmp_path / "file.jpeg").write_bytes(data)
    return gather([tmp_path / "file.jpeg"], limits or Limits())


@pytest.mark.parametrize(
    "pack",
    [
        lambda data: data,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda data: pack_tar({"../../etc/passwd": data}),
        lambda data: pack_tar({"a" * 300: data}, "w:gz"),
        lambda data: pack_tar({"a": data}, "w:bz2"),
        lambda data: pack_tar({"a": data}, "w:xz"),
        lambda data: pack_zip({"/abs/olute": data}),
        lambda data: pack_tar({"inner.zip": pack_zip({"inner.tgz": pack_tar({"log": data}, "w:gz")})}, "w:gz"),
    ],
)
def test_every_way_to_pack_a_log_is_opened_by_its_content(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a folder that nothing can be written to without being noticed
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))

    evidence = read(tmp_path, pack(LOG))

    assert [(source.address, source.lines) for source in evidence.logged_failures] == [("cucm.steven.lab", 1)]
    assert evidence.unread_sources == ()
    assert [path.name for path in tmp_path.iterdir()] == ["file.jpeg"]


def test_folders_are_read_recursively_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "log").write_bytes(LOG)
    (tmp_path / "log").write_bytes(gzip.compress(LOG))
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")

    evidence = gather([tmp_path], Limits())

    assert evidence.logged_failures[0].lines == 2
    assert [(source.path, source.reason) for source in evidence.unread_sources] == [
        (str(tmp_path / "pipe"), "it is not a regular file")
    ]


def test_a_missing_path_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    file_names: list[str] = []
    (tmp_path / "log").write_bytes(LOG)

    with pytest.raises(RemediateError, match="there is no such file or folder"):
        gather([tmp_path / "log", tmp_path / "none"], Limits(), file_names.append)
    assert file_names == []


def test_of_a_file_that_ends_too_early_the_beginning_counts(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(30_000).hex().encode() + b"\n" + LOG * 100_000)

    evidence = read(tmp_path, gzip.compress(LOG * 3)[:-9])
    large = read(tmp_path, packed[:-20])

    assert evidence.logged_failures[0].lines in {2, 3}
    assert large.logged_failures[0].lines > 90_000
    # Where it ends in the middle of a message, its words are said too.
    assert [source.reason for source in (*evidence.unread_sources, *large.unread_sources)].count("it is truncated") == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "it is neither a log"),
        (b"PK\x03\x04 and no end", "the zip is truncated"),
        (b"\x1f\x8b\x08\x00 not deflate at all", "it is broken"),
        (b"\xfd7zXZ\x00 and no more", "it is broken"),
        (b"BZh9 nor this", "it is broken"),
        (pack_tar({"a": LOG * 400})[:9000], "it is broken: unexpected end of data"),
    ],
)
def test_an_unreadable_file_is_reported_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    evidence = read(tmp_path, data)

    assert {source.path.partition(" > ")[0] for source in evidence.unread_sources} == {str(tmp_path / "file.jpeg")}
    assert any(reason in source.reason for source in evidence.unread_sources)


def test_one_bad_member_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    evidence = read(tmp_path, pack_tar({"bad.gz": b"\x1f\x8b nothing", "image": b"\x00\x01", "log": LOG}))

    assert evidence.logged_failures[0].lines == 1
    assert [source.path.partition(" > ")[2] for source in evidence.unread_sources] == ["bad.gz", "image"]


def test_an_encrypted_member_is_reported(tmp_path: Path) -> None:
    packed = bytearray(pack_zip({"secret": LOG, "plain": LOG}))
    packed[packed.index(b"PK\x01\x02") + 8] |= 1

    evidence = read(tmp_path, bytes(packed))

    assert [(source.path.partition(" > ")[2], source.reason) for source in evidence.unread_sources] == [
        ("secret", "it is encrypted")
    ]
    assert evidence.logged_failures[0].lines == 1


def nested(levels: int) -> bytes:
    data = LOG
    for _ in range(levels):
        data = gzip.compress(data)
    return data


def test_nesting_ends_at_the_limit(tmp_path: Path) -> None:
    assert read(tmp_path, nested(5)).logged_failures
    assert "more than 5 deep" in read(tmp_path, nested(6)).unread_sources[0].reason


def test_a_decompression_bomb_is_stopped(tmp_path: Path) -> None:
    limits = Limits(evidence_grace_bytes=1_000_000)
    for bomb in (
        gzip.compress(b"a" * 50_000_000),
        gzip.compress(gzip.compress(b"a" * 50_000_000)),
        pack_zip({str(number): b"a" * 900_000 for number in range(50)}),
    ):
        evidence = read(tmp_path, bomb, limits)
        assert ["it unpacks to more than 250 times its size" in source.reason for source in evidence.unread_sources] == [True]


def test_total_bytes_and_members_are_limited(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(LOG * 10)

    few = gather([tmp_path], Limits(evidence_bytes=len(LOG) * 15))
    many = gather([tmp_path], Limits(evidence_members=2))

    assert len(few.unread_sources) == 2
    assert [source.path for source in many.unread_sources] == [str(tmp_path / "c")]


def test_a_header_that_claims_to_be_huge_is_not_held(tmp_path: Path) -> None:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 20_000_000
    data = member.tobuf() + b"a" * 20_000_000

    assert "a header of 20000000 bytes" in read(tmp_path, data).unread_sources[0].reason


@pytest.mark.parametrize("claim", [2**27, 2**40, 2**62])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, b"Z"])
def test_a_member_that_claims_more_than_there_is_ends(tmp_path: Path, claim: int, kind: bytes) -> None:
    # Given a member whose number alone says how far the next one is
    member = tarfile.TarInfo("claims")
    member.type, member.size = kind, claim
    data = pack_tar({"before": LOG})[:1024] + member.tobuf(tarfile.GNU_FORMAT) + LOG

    assert_done_within(5, lambda: read(tmp_path, data))

    evidence = read(tmp_path, data)
    assert evidence.logged_failures[0].lines == (2 if kind == tarfile.REGTYPE else 1)
    assert any(f"claims {claim} bytes" in source.reason for source in evidence.unread_sources)


def test_what_follows_the_end_of_a_tar_is_read_or_said(tmp_path: Path) -> None:
    first, second = pack_tar({"one": LOG}), pack_tar({"two": LOG})
    packed = gzip.compress(first) + gzip.compress(second)

    assert [read(tmp_path, data).logged_failures[0].lines for data in (first + second, packed)] == [2, 2]
    padded = read(tmp_path, first + bytes(100_000))
    assert (padded.logged_failures[0].lines, padded.unread_sources) == (1, ())
    assert "follows the end of the archive" in read(tmp_path, first + b"something else").unread_sources[0].reason


@pytest.mark.parametrize("end", [b"\xff" * 512, b"two", pack_tar({"two": LOG})[:300]])
def test_a_header_that_cannot_be_read_is_no_end_of_a_tar(tmp_path: Path, end: bytes) -> None:
    evidence = read(tmp_path, pack_tar({"one": LOG})[:1024] + end)

    assert evidence.logged_failures[0].lines == 1
    assert ["it is broken" in source.reason for source in evidence.unread_sources] == [True]


def test_a_zip_with_an_oversized_directory_is_refused(tmp_path: Path) -> None:
    # Given an end record whose size of the directory is spelled like the mark of an end record
    plain = pack_zip({"log": LOG})
    end = plain.index(b"PK\x05\x06")
    hidden = plain[: end + 12] + b"PK\x05\x06" + plain[end + 16 :]

    assert "its directory is too large" in read(tmp_path, hidden).unread_sources[0].reason


def test_an_inaccessible_path_is_reported(tmp_path: Path) -> None:
    evidence = gather([tmp_path / ("long" * 100)], Limits())

    assert [source.reason for source in evidence.unread_sources] == ["File name too long"]


def test_a_nested_zip_is_opened_only_up_to_the_memory_limit(tmp_path: Path) -> None:
    evidence = read(tmp_path, pack_tar({"inner": pack_zip({"log": LOG})}), Limits(evidence_in_memory_bytes=20))

    assert "a zip of more than 20 bytes" in evidence.unread_sources[0].reason
