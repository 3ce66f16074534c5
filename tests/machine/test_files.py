"""Files are opened only where they are files, are never waited for, and are read up to a limit."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from remediate.machine.files import FileTooLarge, NotRegularFile, list_files, open_regular_file, read_regular_file


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Fail a test that waits for a pipe, instead of hanging."""

    def give_up(signum: int, frame: FrameType | None) -> None:
        raise AssertionError("it waits for somebody to write to a pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


SPECIAL: dict[str, Callable[[Path], object]] = {
    "a named pipe": os.mkfifo,
    "a directory": Path.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize(("kind", "make"), SPECIAL.items(), ids=SPECIAL)
def test_what_is_no_regular_file_is_refused(kind: str, make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "there")

    with pytest.raises(NotRegularFile) as caught:
        read_regular_file(tmp_path / "there", 100)

    assert caught.value.strerror == f"it is {kind}, not a regular file"


def test_a_socket_is_no_regular_file(tmp_path: Path) -> None:
    make_socket(tmp_path / "there")

    with pytest.raises(OSError, match="No such device or address"):
        open_regular_file(tmp_path / "there")


def test_a_file_is_read_up_to_the_limit_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")

    assert read_regular_file(tmp_path / "link", 5) == b"12345"
    with pytest.raises(FileTooLarge):
        read_regular_file(tmp_path / "link", 4)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_an_os_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no file name can have"):
        open_regular_file(tmp_path / name)
    with pytest.raises(OSError, match="no file name can have"):
        list_files(tmp_path / name, lambda _: True)


def test_core_files_are_off_in_this_process_and_its_children() -> None:
    program = (
        "import resource, subprocess; from remediate.machine.core_dumps import forbid_core_dumps; forbid_core_dumps();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), subprocess.run(['sh', '-c', 'ulimit -c'], capture_output=True).stdout)"
    )
    assert _python(program) == "(0, 0) b'0\\n'\n"


def test_a_system_without_such_limits_is_no_error() -> None:
    program = (
        "import sys; sys.modules['resource'] = None;"
        "from remediate.machine.core_dumps import forbid_core_dumps; forbid_core_dumps(); print('ok')"
    )
    assert _python(program) == "ok\n"


def _python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True).stdout
