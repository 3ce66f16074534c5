"""Text for a terminal whose encoding is not UTF-8."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.report.plain_symbols import takes_utf8, write_plain


@pytest.mark.parametrize(
    ("environment", "utf8_mode", "expected"),
    [
        ({"LANG": "C.UTF-8"}, False, True),
        ({"LANG": "fr_FR.utf8"}, False, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False, True),
        ({"LANG": "C", "PYTHONIOENCODING": "utf-8"}, True, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "en_US.UTF-8"}, True, True),
        ({}, True, False),
        ({"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, True, False),
        ({"LANG": "POSIX"}, True, False),
        ({"LANG": "fr_FR.ISO-8859-1@euro"}, True, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C", "PYTHONUTF8": "0"}, False, False),
        ({"LANG": "C", "PYTHONIOENCODING": ":replace"}, True, False),
    ],
)
def test_the_locale_of_the_user_decides(environment: dict[str, str], utf8_mode: bool, expected: bool) -> None:
    assert takes_utf8("utf-8", environment, utf8_mode=utf8_mode) is expected


def test_a_stream_in_another_encoding_takes_no_utf8() -> None:
    assert not takes_utf8("iso8859-1", {"LANG": "C.UTF-8"})


def test_symbols_and_accents_become_ascii() -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding="utf-8")
    write_plain(stream)

    stream.write("✓ “nœud” à vérifier → « été »… 密\udc80\n")
    stream.flush()

    assert data.getvalue() == b'+ "noeud" a verifier > " ete "~ \\u5bc6\\udc80\n'


@pytest.mark.parametrize(
    "variables", [{"LC_ALL": "C"}, {"LANG": "C"}, {"LANG": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_a_program_in_the_c_locale_writes_ascii_alone(variables: dict[str, str], tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    environment = {"LANG": "C.UTF-8", **inherited, "REMEDIATE_LANG": "fr", **variables}

    for arguments in (["--help"], ["doctor", "-i", str(tmp_path / "missing.yml")]):
        command = [sys.executable, "-m", "remediate", *arguments]
        ended = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert (ended.stdout + ended.stderr).isascii()
