"""A folder of snapshots is planned like the clusters of an inventory: one plan each, and each error with its file."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.cli.offline_plans import PlannedCluster, PolicyOptions, choose_processes, plan_files
from remediate.model.errors import RemediateError
from remediate.model.plan import Plan
from tests.cli.conftest import Remediate
from tests.executor.clusters import story

NO_OPTIONS = PolicyOptions(None, False, False, None, False, False, (), ())


def kill_first_child(seconds: float = 30) -> None:
    """Kill the first process that this one starts, as soon as it is there."""
    deadline = time.monotonic() + seconds
    while not (children := multiprocessing.active_children()) and time.monotonic() < deadline:
        time.sleep(0.001)
    children[0].kill()


def list_group(group: int) -> list[str]:
    """Return the running processes of a process group (proc_pid_stat(5): state, parent, group)."""
    fields = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            fields.append(path.read_text().rpartition(")")[2].split())
    return [state for state, _, number, *_ in fields if int(number) == group and state != "Z"]


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


def test_a_cluster_with_changes_ahead_is_not_shown_as_well(remediate: Remediate, folder: Path, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()

    ended = remediate("plan", "--snapshot", folder, "-o", plans)

    assert ended.code == 0
    assert [line.split()[:2] for line in ended.out.splitlines()[1:]] == [["✗", "paris"], ["✗", "rome"]]
    assert f"Wrote {plans}/CLUSTER.json for 2 clusters. Next: " in ended.err
    assert f"`remediate approve {plans}/CLUSTER.json`" in ended.err


def test_a_broken_file_is_its_own_error(remediate: Remediate, folder: Path) -> None:
    (folder / "milan.json").write_text("{}")

    ended = remediate("plan", "--snapshot", folder, "--json", "-q")

    assert ended.code == 1
    codes = {cluster["cluster"]: cluster["exit_code"] for cluster in ended.document["clusters"]}
    assert codes == {"milan": 1, "paris": 0, "rome": 0}
    assert str(folder / "milan.json") in ended.err


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


@pytest.fixture
def fleet(folder: Path) -> Path:
    """Return a folder with enough snapshots for several processes, one of which cannot be read."""
    document = json.loads((folder / "paris.json").read_text())
    for number in range(18):
        (folder / f"n{number:02}.json").write_text(json.dumps({**document, "cluster": f"n{number:02}"}))
    (folder / "n07.json").write_text("{}")
    return folder


def test_many_files_are_planned_in_their_order(remediate: Remediate, fleet: Path) -> None:
    # Given each plan as one command makes it
    alone = {path.stem: remediate("plan", "--snapshot", path, "--json", "-q").document for path in fleet.glob("n0[0-3].json")}

    files = sorted(fleet.glob("*.json"))
    results = dict(zip(files, plan_files(files, NO_OPTIONS, processes=2), strict=True))

    # Then two processes make the same, in the order of the files, and the broken file alone has an error
    assert [path.stem for path, result in results.items() if isinstance(result, RemediateError)] == ["n07"]
    plans = {path.stem: result.plan for path, result in results.items() if isinstance(result, PlannedCluster)}
    assert [plan.cluster for plan in plans.values()] == list(plans)
    assert {name: json.loads(plan.to_json()) for name, plan in plans.items() if name in alone} == alone


def test_killed_process_is_one_sentence_for_its_file(fleet: Path) -> None:
    killer = threading.Thread(target=kill_first_child)
    killer.start()

    results = plan_files(sorted(fleet.glob("*.json")), NO_OPTIONS, processes=2)

    # Then one file beside the broken one has no plan, all others have theirs, and no process remains
    killer.join()
    errors = [str(result) for result in results if isinstance(result, RemediateError)]
    assert (len(results), len(errors)) == (20, 2)
    assert sum("ended before it finished" in error for error in errors) == 1
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(("files", "processes"), [(0, 0), (8, 1), (1_000_000, len(os.sched_getaffinity(0)))])
def test_a_process_is_started_for_eight_files(files: int, processes: int) -> None:
    assert choose_processes(files) == processes


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="sees children in /proc")
@pytest.mark.parametrize("delay_s", [0.0, 0.1])
def test_interrupted_fleet_leaves_no_process(fleet: Path, delay_s: float) -> None:
    # Given a command that plans with several processes
    command = [sys.executable, "-m", "remediate", "plan", "--snapshot", str(fleet)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 30
    while len(children.read_text().split()) < min(2, os.cpu_count() or 1) and time.monotonic() < deadline:
        time.sleep(0.01)

    # When Ctrl-C is pressed, which reaches them all
    time.sleep(delay_s)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=30)

    # Then it ends with its exit code and without a traceback, and so do they
    assert (process.returncode, "Traceback" in stderr) == (130, False)
    deadline = time.monotonic() + 10
    while (running := list_group(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running == []
