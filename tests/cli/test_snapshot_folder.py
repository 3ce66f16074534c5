"""A folder of snapshots is planned like the clusters of an inventory: one plan each, and each error with its file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.model.plan import Plan
from tests.cli.conftest import Remediate
from tests.executor.clusters import story


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the snapshots of two clusters."""
    path = tmp_path / "snapshots"
    path.mkdir()
    for name in ("paris", "rome"):
        (path / f"{name}.json").write_text(replace(story(), name=name).snapshot().to_json())
    return path


def test_each_snapshot_of_a_folder_gets_its_plan(remediate: Remediate, folder: Path, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()

    ended = remediate("plan", "--snapshot", folder, "-o", plans, "--json", "-q")

    assert (ended.code, [cluster["cluster"] for cluster in ended.document["clusters"]]) == (0, ["paris", "rome"])
    assert [Plan.from_json(path.read_text()).cluster for path in sorted(plans.iterdir())] == ["paris", "rome"]


def test_a_broken_file_is_its_own_error(remediate: Remediate, folder: Path) -> None:
    (folder / "milan.json").write_text("{}")

    ended = remediate("plan", "--snapshot", folder, "--json", "-q")

    assert ended.code == 1
    codes = {cluster["cluster"]: cluster["exit_code"] for cluster in ended.document["clusters"]}
    assert codes == {"milan": 1, "paris": 0, "rome": 0}
    assert "milan" in ended.err


@pytest.mark.parametrize("mistake", ["empty", "one file", "same folder", "twice"])
def test_a_folder_that_cannot_be_meant_is_64(mistake: str, remediate: Remediate, folder: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_text() for path in folder.iterdir()}
    empty = tmp_path / "empty"
    empty.mkdir()
    arguments = {
        "empty": (empty,),
        "one file": (folder, "-o", tmp_path / "plan.json"),
        "same folder": (folder, "-o", folder),
        "twice": (folder,),
    }[mistake]
    if mistake == "twice":
        (folder / "copy.json").write_text(before["rome.json"])

    assert remediate("plan", "--snapshot", *arguments).code == 64

    assert {
        path.name: json.loads(path.read_text())["format"] for path in folder.iterdir() if path.name in before
    } == dict.fromkeys(before, "remediate.snapshot/1")
