"""Output of commands: one file or a folder of files, and one JSON document."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.cli.fleet import ClusterResult
from remediate.cli.results import check_output, write_document, write_documents, write_files
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode
from remediate.model.snapshot import Snapshot
from tests.planner.build import snapshot

PARIS, ROME = (replace(snapshot([], [], []), cluster=name) for name in ("paris", "rome"))
RESULTS = [ClusterResult(value.cluster, value, ExitCode.DONE) for value in (PARIS, ROME)]


def test_several_clusters_need_a_folder(tmp_path: Path) -> None:
    check_output(None, 2)
    check_output(tmp_path, 2)
    check_output(tmp_path / "one.json", 1)
    with pytest.raises(UsageError, match="2 clusters are chosen"):
        check_output(tmp_path / "one.json", 2)


def test_a_folder_gets_a_file_for_each_cluster(tmp_path: Path) -> None:
    paths = write_files([*RESULTS, ClusterResult("milan", None, ExitCode.ERROR)], tmp_path)

    assert [path.name for path in paths] == ["paris.json", "rome.json"]
    assert [Snapshot.from_json(path.read_text()) for path in paths] == [PARIS, ROME]


@pytest.mark.parametrize("name", ["../paris", ".paris", "pa\nris"])
def test_no_name_of_a_cluster_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used as a file name"):
        write_files([ClusterResult(name, PARIS, ExitCode.DONE)], tmp_path)


def test_one_cluster_is_its_own_document(capsys: pytest.CaptureFixture[str]) -> None:
    write_documents(Session(), RESULTS[:1], "snapshot", ExitCode.DONE)
    assert capsys.readouterr().out == PARIS.to_json()

    write_documents(Session(), RESULTS, "snapshot", ExitCode.DONE)
    document = json.loads(capsys.readouterr().out)
    assert [cluster["snapshot"]["cluster"] for cluster in document["clusters"]] == ["paris", "rome"]


def test_a_dash_is_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_document(Session(), Path("-"), "# Change\n")
    write_document(Session(), tmp_path / "change.md", "# Change\n")
    assert capsys.readouterr().out.strip() == "# Change"
    assert (tmp_path / "change.md").read_text() == "# Change\n"
