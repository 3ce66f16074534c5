"""Where passwords come from: each source gives it, says where, refuses what is unsafe, and is asked once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backends.null import Keyring as Null

from remediate.inventory import load
from remediate.inventory.credentials import CommandSource
from remediate.model.access import ClusterAccess
from remediate.model.errors import InventoryError

INVENTORY = """\
version: 1
clusters:
  - name: edge-paris
    expressway:
      username: admin
      password: {}
      peers: [{{address: expc1.example.test}}]
"""


def cluster_with(folder: Path, password: str, *, allow_prompt: bool = True) -> ClusterAccess:
    file = folder / "inventory.yml"
    file.write_text(INVENTORY.format(password))
    [cluster] = load(file, allow_prompt=allow_prompt)
    return cluster


def secret_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    file = folder / "password"
    file.write_text(content)
    file.chmod(mode)
    return file


def test_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPC_PASSWORD", "canary")
    source = cluster_with(tmp_path, "{env: EXPC_PASSWORD}").login.password

    assert source.read().reveal() == "canary"
    assert source.describe() == "environment variable EXPC_PASSWORD"


def test_an_unset_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXPC_PASSWORD", raising=False)

    with pytest.raises(InventoryError, match="EXPC_PASSWORD, which should hold a password, is not set"):
        cluster_with(tmp_path, "{env: EXPC_PASSWORD}").login.password.read()


def test_from_a_file_beside_the_inventory_without_its_last_newline(tmp_path: Path) -> None:
    secret_file(tmp_path, "canary \n\n")

    assert cluster_with(tmp_path, "{file: password}").login.password.read().reveal() == "canary \n"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = secret_file(tmp_path, "canary", mode)

    with pytest.raises(InventoryError, match=f"can be read by other users .mode {mode:04o}") as caught:
        cluster_with(tmp_path, "{file: password}").login.password.read()

    assert f"chmod 600 {file}" in caught.value.next_step
    assert "canary" not in str(caught.value)


def test_a_missing_empty_or_binary_file_is_named(tmp_path: Path) -> None:
    source = cluster_with(tmp_path, "{file: password}").login.password
    with pytest.raises(InventoryError, match="cannot be read: No such file"):
        source.read()
    secret_file(tmp_path, "\n")
    with pytest.raises(InventoryError, match="returned nothing"):
        source.read()
    secret_file(tmp_path, "").write_bytes(b"canary\xff")
    with pytest.raises(InventoryError, match="not UTF-8") as caught:
        source.read()
    assert "canary" not in repr(caught.value.__cause__)


def test_from_a_command_without_a_shell(tmp_path: Path) -> None:
    source = cluster_with(tmp_path, f"{{command: [{sys.executable}, -c, 'print(\"$HOME canary\")']}}").login.password

    assert source.read().reveal() == "$HOME canary"
    assert source.describe() == f"command {sys.executable}"


def test_what_a_failing_command_prints_is_not_shown(tmp_path: Path) -> None:
    script = "import sys; print(chr(99) + 'anary'); print('wrong', file=sys.stderr); sys.exit(3)"

    with pytest.raises(InventoryError, match="ended with status 3") as caught:
        cluster_with(tmp_path, f'{{command: ["{sys.executable}", "-c", "{script}"]}}').login.password.read()

    assert "canary" not in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_command_that_does_not_exist_or_hangs_is_named(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="cannot be run: No such file"):
        cluster_with(tmp_path, "{command: [./gone]}").login.password.read()
    with pytest.raises(InventoryError, match="did not answer within"):
        CommandSource(("sleep", "20"), timeout_s=0.2).read()


class _Keyring(Null):
    def get_password(self, service: str, username: str, password: str | None = None) -> str | None:
        del password
        return "canary" if (service, username) == ("expressway", "admin") else None


def test_from_the_keyring_by_service_and_username(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(_Keyring())  # type: ignore[no-untyped-call]  # keyring's constructors are not typed
    try:
        source = cluster_with(tmp_path, "{keyring: expressway}").login.password
        assert source.read().reveal() == "canary"
        assert source.describe() == "keyring service expressway, user admin"
        with pytest.raises(InventoryError, match="has no password for keyring service other"):
            cluster_with(tmp_path, "{keyring: other}").login.password.read()
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("allow", [True, False])
def test_no_question_is_asked_without_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allow: bool) -> None:
    with Path(os.devnull).open() as nowhere:
        monkeypatch.setattr(sys, "stdin", nowhere)
        with pytest.raises(InventoryError, match="no terminal to ask on"):
            cluster_with(tmp_path, "{prompt: true}", allow_prompt=allow).login.password.read()


def test_a_source_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPC_PASSWORD", "first")
    source = cluster_with(tmp_path, "{env: EXPC_PASSWORD}").login.password
    source.read()
    monkeypatch.setenv("EXPC_PASSWORD", "second")

    assert source.read().reveal() == "first"


def test_no_text_of_a_cluster_shows_a_secret_that_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPC_PASSWORD", "canary")
    cluster = cluster_with(tmp_path, "{env: EXPC_PASSWORD}")
    cluster.login.password.read()

    assert "canary" not in repr(cluster)


@pytest.mark.parametrize("password", ["{env: A, file: b}", "{}", "{envv: A}", "{prompt: false}", "{command: []}"])
def test_a_source_that_cannot_be_meant_is_refused_at_load(tmp_path: Path, password: str) -> None:
    with pytest.raises(InventoryError, match=r"inventory\.yml:6"):
        cluster_with(tmp_path, password)
