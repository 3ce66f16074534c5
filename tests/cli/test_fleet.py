"""Several clusters of one command: which are meant, and how it ends for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_the_most_serious_exit_code_of_all_clusters_wins(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    both = lab.inventory.with_name("both.yml")
    text = lab.inventory.read_text()
    broken = text[text.index("  - name:") :].replace("edge-lab", "edge-broken").replace("secrets/expressway", "secrets/gone")
    both.write_text(text + broken)

    ended = remediate("verify", "-i", both, "--json", "-q")
    chosen = remediate("verify", "-i", both, "-c", "*-lab", "--json", "-q")
    planned = remediate("plan", "-i", both, "-o", tmp_path / "plans", "-q")
    (tmp_path / "plans").mkdir()
    again = remediate("plan", "-i", both, "-o", tmp_path / "plans", "-q")

    assert {cluster["cluster"]: cluster["exit_code"] for cluster in ended.document["clusters"]} == {
        "edge-lab": 10,
        "edge-broken": 1,
    }
    assert (ended.code, ended.document["exit_code"]) == (1, 1)
    assert "edge-broken: The password file" in ended.err
    assert (chosen.code, len(chosen.document["clusters"])) == (10, 1)
    assert (planned.code, "is not a folder" in planned.err) == (64, True)
    assert (again.code, [path.name for path in (tmp_path / "plans").iterdir()]) == (1, ["edge-lab.json"])


def test_a_cluster_that_is_not_there_names_the_nearest(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("verify", "-i", lab.inventory, "-c", "edge-lap")

    assert ended.code == 1
    assert "did you mean edge-lab?" in ended.err
