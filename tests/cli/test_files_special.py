"""Pipes, devices, folders and links in the place of files that commands read and write, and what terminals are given."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate
from tests.pki import issue

FROM_ENVIRONMENT = "{env: EXPC_PASSWORD}"
INVENTORY = """\
version: 1
clusters:
  - name: edge
    expressway:
      username: admin
      password: {password}
      peers: [{{address: 127.0.0.1, rest_port: 1, ssh_port: 1{trust}}}]
    {more}
"""


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Fail the test of a command that waits for a pipe, instead of hanging."""

    def give_up(signum: int, frame: FrameType | None) -> None:
        raise AssertionError("it waits for somebody at the other end of a pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


MAKE: dict[str, Callable[[Path], object]] = {
    "a named pipe": os.mkfifo,
    "a directory": Path.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


def inventory(folder: Path, *, password: str = FROM_ENVIRONMENT, trust: str = "", more: str = "") -> Path:
    path = folder / "inventory.yml"
    path.write_text(INVENTORY.format(password=password, trust=trust, more=more))
    return path


@pytest.mark.parametrize(("kind", "make"), MAKE.items(), ids=MAKE)
@pytest.mark.parametrize(
    "command",
    [
        ("show", "{there}"),
        ("apply", "{there}", "-i", "none.yml", "--yes"),
        ("plan", "--snapshot", "{there}"),
        ("explain", "--chain", "{there}", "--store", "{there}", "--address", "a"),
        ("plan", "--snapshot", "none.json", "--approve-file", "{there}"),
    ],
    ids=" ".join,
)
def test_a_file_on_the_command_line_must_be_one(
    kind: str, make: Callable[[Path], object], command: tuple[str, ...], remediate: Remediate, tmp_path: Path
) -> None:
    path = tmp_path / "there"
    make(path)

    ended = remediate(*(part.format(there=path) for part in command))

    if command == ("plan", "--snapshot", "{there}") and kind == "a directory":
        assert "no snapshot" in ended.err  # a folder of snapshots is planned, each of them
        return
    assert ended.code == 1
    assert f"{path} cannot be read: it is {kind}, not a regular file." in ended.err


@pytest.mark.parametrize("kind", ["a named pipe", "a device"])
@pytest.mark.parametrize(
    "settings",
    [{"password": "{file: there}"}, {"trust": ", tls: {ca: there}"}, {"more": "ca: [there]"}],
    ids=["password", "pin", "ca"],
)
def test_a_file_that_the_inventory_names_must_be_one(
    kind: str, settings: dict[str, str], remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPC_PASSWORD", "secret")
    MAKE[kind](tmp_path / "there")

    ended = remediate("collect", "-i", inventory(tmp_path, **settings), "-q")

    assert (ended.code, f"it is {kind}, not a regular file" in ended.err) == (1, True), ended.err


def test_the_inventory_must_be_a_file_or_a_folder(remediate: Remediate, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "inventory.yml")

    ended = remediate("collect", "-i", tmp_path / "inventory.yml")

    assert ended.code == 1
    assert "cannot be read: it is a named pipe, not a regular file." in ended.err


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_pipe_in_the_place_of_the_journal_is_reported(suffix: str, remediate: Remediate, tmp_path: Path) -> None:
    state = Path(os.environ["REMEDIATE_STATE_DIR"])
    state.mkdir()
    if suffix:
        (state / "journal.sqlite3").touch()
    os.mkfifo(state / f"journal.sqlite3{suffix}")

    ended = remediate("runs", "-q")

    assert ended.code == 1
    assert "it is a named pipe, not a regular file" in ended.err


def test_events_replace_no_link_and_wait_for_no_reader(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    precious.chmod(0o644)
    (tmp_path / "link").symlink_to(precious)
    (tmp_path / "dangling").symlink_to(tmp_path / "new")
    os.mkfifo(tmp_path / "pipe")

    for name in ("link", "dangling", "pipe"):
        ended = remediate("collect", "-i", lab.inventory, "--events", tmp_path / name, "-q")
        assert ended.code == 1
        assert f"{tmp_path / name} already exists and is not a regular file." in ended.err

    assert (precious.read_text(), precious.stat().st_mode & 0o777) == ("keep me", 0o644)
    assert not (tmp_path / "new").exists()
    assert remediate("collect", "-i", lab.inventory, "--events", "/dev/null", "-q").code == 0


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ('{file: "a\\0b"}', "has a NUL character"),
        ('{command: ["a\\0b"]}', "has a NUL character"),
        ('{command: [echo, "a\\0b"]}', "has a NUL character"),
        ('{env: "a\\0b"}', "has a NUL character"),
        ('{file: "\\ud800"}', "half of a surrogate pair"),
        ('{file: "~nosuchuser/x"}', "has no home directory of that user"),
        ('{file: "' + "a" * 300 + '"}', "File name too long"),
    ],
    ids=["file", "program", "argument", "variable", "surrogate", "home", "long"],
)
def test_what_no_path_can_be_is_one_sentence(password: str, message: str, remediate: Remediate, tmp_path: Path) -> None:
    ended = remediate("collect", "-i", inventory(tmp_path, password=password))

    assert (ended.code, message in ended.err) == (1, True), ended.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('ca: ["~nosuchuser/x"]', "has no home directory of that user"),
        ('ca: ["a\\0b"]', "has a NUL character"),
        ('ca: ["' + "a" * 300 + '"]', "File name too long"),
    ],
    ids=["home", "NUL", "long"],
)
def test_an_impossible_ca_path_is_named(more: str, message: str, remediate: Remediate, tmp_path: Path) -> None:
    ended = remediate("collect", "-i", inventory(tmp_path, more=more))

    assert (ended.code, message in ended.err) == (1, True), ended.err


HIDDEN = "\u202e\u200b\x7f\x9b\u2028\U000e0041"


def test_json_shows_a_terminal_nothing_that_it_obeys(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    # Given a certificate whose names turn the reading direction and hide characters
    root = issue(f"Root{HIDDEN}é", ca=True)
    (tmp_path / "root.pem").write_text(root.certificate.pem)
    chain = ("--chain", tmp_path / "root.pem", "--store", tmp_path / "root.pem", "--address", "a")
    documents = [remediate("explain", *chain, "--json", "-q").out]

    # And a plan that adds it
    plan = tmp_path / "plan.json"
    document = json.loads(snapshot.read_text())
    document["cluster"] = f"edge{HIDDEN}é"
    (tmp_path / "snapshot.json").write_text(json.dumps(document))
    assert remediate("plan", "--snapshot", tmp_path / "snapshot.json", "-o", plan, "-q").code == 0
    documents.append(remediate("show", plan, "--json", "-q").out)

    # Then no document holds one of them as it is, and each is still the same value
    for document in documents:
        assert not set(HIDDEN) & set(document)
        assert "é" in document
    assert json.loads(documents[1]) == json.loads(plan.read_text())
    # And the file has the contract's own form
    assert HIDDEN[0] in plan.read_text()


def test_no_command_of_ours_writes_a_core_file(tmp_path: Path) -> None:
    # Given a shell that allows core files, and an inventory whose password command says what it was started with
    path = inventory(
        tmp_path, password=f"{{command: [sh, -c, 'ulimit -c > {tmp_path}/limit; ulimit -H -c >> {tmp_path}/limit']}}"
    )
    command = f"ulimit -S -c $(ulimit -H -c); exec {sys.executable} -m remediate collect -i {path}"

    subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)

    assert (tmp_path / "limit").read_text() == "0\n0\n"
