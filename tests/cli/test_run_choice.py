"""Which run a command line means: by id, or the last one of the only cluster that is chosen."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal
from remediate.model.identity import Address
from remediate.model.run import Backup
from tests.cli.conftest import Remediate
from tests.executor.clusters import plan_for, story

LAST = (("runs", "show", "last"), ("runs", "export", "last"), ("confirm", "last"))


def runs_on(*clusters: str) -> list[str]:
    """Return the ids of one run on each of these clusters, in the journal of the state directory."""
    backup = Backup(Address("127.0.0.1"), (), {})
    plans = [plan_for(replace(story(), name=name)) for name in clusters]
    with Journal(Path(os.environ["REMEDIATE_STATE_DIR"]), writable=True) as journal:
        return [journal.begin_run(plan, (backup,), (), operator=Operator("anna", "jump", 1), ticket=None) for plan in plans]


@pytest.mark.parametrize("command", LAST, ids=" ".join)
def test_last_of_several_clusters_needs_the_cluster(command: tuple[str, ...], remediate: Remediate) -> None:
    runs_on("paris", "rome")

    ended = remediate(*command)

    assert (ended.code, ended.out) == (64, "")
    assert "has runs of paris and rome" in ended.err
    assert "-c NAME" in ended.err


@pytest.mark.parametrize("command", LAST, ids=" ".join)
def test_a_pattern_of_several_clusters_is_ambiguous_too(command: tuple[str, ...], remediate: Remediate) -> None:
    runs_on("edge-paris", "edge-rome", "milan")

    assert remediate(*command, "-c", "edge-*").code == 64


def test_last_with_the_cluster_is_its_newest_run(remediate: Remediate) -> None:
    _, second, _ = runs_on("paris", "paris", "rome")

    assert remediate("runs", "show", "last", "-c", "paris", "--json").document["id"] == second
    assert remediate("runs", "export", "last", "-c", "par*").document["id"] == second


def test_last_of_one_cluster_needs_no_cluster(remediate: Remediate) -> None:
    _, second = runs_on("paris", "paris")

    assert remediate("runs", "show", "last", "--json").document["id"] == second


def test_an_id_needs_no_cluster(remediate: Remediate) -> None:
    first, _ = runs_on("paris", "rome")

    assert remediate("runs", "show", first, "--json").document["cluster"] == "paris"


def test_a_run_of_another_cluster_is_not_shown(remediate: Remediate) -> None:
    first, _ = runs_on("paris", "rome")

    ended = remediate("runs", "show", first, "-c", "rome")

    assert (ended.code, "was on the cluster paris" in ended.err) == (64, True)


def test_a_cluster_without_runs_has_no_last_one(remediate: Remediate) -> None:
    runs_on("paris", "rome")

    ended = remediate("runs", "show", "last", "-c", "milan")

    assert (ended.code, "There is no run on the chosen clusters yet" in ended.err) == (1, True)
