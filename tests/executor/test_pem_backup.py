"""The trusted CA lists as PEM beside the journal, before the first write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.connectors.expressway.trusted_list import parse_certificate_list
from remediate.executor.pem_backup import FOLDER
from remediate.model.errors import ObservationError
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster

CRL = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"


def saved(desk: Desk) -> dict[str, Path]:
    """Return the files of the newest run, by the address of the peer."""
    [run] = desk.journal().runs()[:1]
    return {path.stem: path for path in (desk.state_dir / FOLDER / run.id).iterdir()}


def test_each_list_is_saved_as_it_was_before_the_run(desk: Desk) -> None:
    cluster = story()
    cluster.device(2).revocation_lists = (CRL,)
    before = {device.address: tuple(device.trusted) for device in cluster.devices}

    desk.apply(cluster, plan_for(cluster))

    files = saved(desk)
    lists = {address: parse_certificate_list(path.read_text(), address) for address, path in files.items()}
    assert {address: listed.certificates for address, listed in lists.items()} == before
    assert [len(lists[device.address].revocation_lists) for device in cluster.devices] == [0, 1, 0]
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert desk.messages("lists-saved") == [f"The trusted CA list of 3 peers is saved as PEM in {files.popitem()[1].parent}."]


def test_the_lists_are_saved_before_the_first_write(desk: Desk) -> None:
    cluster = story()
    sent_counts: list[int] = []
    cluster.tap = lambda point: sent_counts.append(cluster.sent_count) if "revocation_lists" in point else None

    desk.apply(cluster, plan_for(cluster))

    assert set(sent_counts) == {0}


def test_a_resumed_run_keeps_the_files_of_its_start(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.faults = {2: "refuse"}
    assert desk.apply(cluster, plan, on_failure="stop").exit_code == 8
    before = {address: path.read_text() for address, path in saved(desk).items()}

    assert desk.apply(cluster, plan).exit_code == 0

    assert {address: path.read_text() for address, path in saved(desk).items()} == before


def deny_folder(desk: Desk, _cluster: MemoryCluster) -> None:
    desk.state_dir.mkdir(mode=0o700, parents=True)
    (desk.state_dir / FOLDER).write_text("in the way")


def deny_crls(_desk: Desk, cluster: MemoryCluster) -> None:
    def go_silent(point: str) -> None:
        if point == "before revocation_lists on expc1.example.test":
            raise ObservationError("expc1 does not answer.")

    cluster.tap = go_silent


@pytest.mark.parametrize(
    ("deny", "says"), [(deny_folder, "could not be saved as PEM"), (deny_crls, "CRLs in the trusted CA list of expc1")]
)
def test_an_apply_continues_without_them_and_reports_it(
    desk: Desk, deny: Callable[[Desk, MemoryCluster], None], says: str
) -> None:
    cluster = story()
    plan = plan_for(cluster)
    deny(desk, cluster)

    assert desk.apply(cluster, plan).exit_code == 0

    assert any(says in warning for warning in desk.messages("warning"))


def test_a_dry_run_saves_nothing(desk: Desk) -> None:
    cluster = story()

    desk.apply(cluster, plan_for(cluster), dry_run=True)

    assert not desk.state_dir.exists()
