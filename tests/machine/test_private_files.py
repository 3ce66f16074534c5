"""Files and folders for their owner alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.machine.private_files import make_file_name, make_private_folder, write_private_file


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path: Path) -> None:
    path = make_private_folder(tmp_path / "new") / "file"
    path.write_text("before")

    write_private_file(path, "after")

    assert path.read_text() == "after"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("expc1.test", "expc1.test"), ("2001:db8::1", "2001_db8__1"), ("../../etc/x", "_.._.._etc_x"), ("", "_"), ("a\nb", "a_b")],
)
def test_no_name_leads_out_of_the_folder(name: str, file_name: str) -> None:
    assert make_file_name(name) == file_name
