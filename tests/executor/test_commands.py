"""The commands that a person types next."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.commands import confirm_command, recovery_commands, restart_command, rollback_command
from remediate.model.identity import Address
from tests.executor.clusters import known_as

RUN = "261123-100000-4f2a"
CLUSTER = replace(known_as("my edge", "expc1.test"), source=Path("inventory.yml"))


def test_a_command_works_from_whatever_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    words = shlex.split(rollback_command(RUN, CLUSTER, Path("state")))

    assert words == [
        *("remediate", "rollback", RUN),
        *("-i", f"{tmp_path}/inventory.yml", "-c", "my edge", "--state-dir", f"{tmp_path}/state"),
    ]
    assert shlex.split(confirm_command(RUN, Path("state")))[-1] == f"{tmp_path}/state"
    assert rollback_command(RUN, CLUSTER, Path("state")) in recovery_commands(RUN, CLUSTER, Path("state"))


def test_the_restart_command_names_each_peer() -> None:
    command = restart_command([Address("expc1.test"), Address("expc2.test")], CLUSTER, Path("/state"))
    assert command.endswith("--peer expc1.test --peer expc2.test")
