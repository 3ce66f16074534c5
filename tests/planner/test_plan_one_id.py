"""One snapshot has one plan id, whichever OpenSSL gives the verdicts: a plan that was approved elsewhere is the same plan here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.formats import write_snapshot
from remediate.model.snapshot import Snapshot
from tests.libraries import path_of_35, path_of_111
from tests.pki import YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot

PLAN = """
import sys
from pathlib import Path
from remediate.model import library
from remediate.openssl.libcrypto import default_libcrypto, load
chosen = load(sys.argv[1]) if sys.argv[1] else default_libcrypto()
library.default_libcrypto = lambda: chosen
from remediate.model.plan import Policy
from remediate.model.snapshot import Snapshot
from remediate.planner import make_plan
for path in sys.argv[2:]:
    observed = Snapshot.from_json(Path(path).read_text())
    for policy in (Policy(), Policy(ciphers="keep"), Policy(allow_removal=True)):
        print(make_plan(observed, policy).id)
"""


def snapshots() -> list[Snapshot]:
    """A missing intermediate, a shadowed root, a rekeyed CA, two key families, and leaves that are expired or misnamed."""
    root, other_root = issue("Root", ca=True), issue("Other", ca=True)
    issuing = issue("Issuing", root, ca=True)
    stale = issue("Root", ca=True, starts=-3 * YEAR, lasts=YEAR)
    rekeyed = issue("Root", ca=True, key_name="another key")
    leaf = issue("cucm.test", issuing, names=("cucm.test",))
    own = issue("cucm-EC.test", names=("cucm.test",))
    expired = issue("imp.test", root, names=("imp.test",), starts=-2 * YEAR, lasts=timedelta(days=3))
    misnamed = issue("cuc.test", rekeyed, names=("cuc.test",))
    every = [root, other_root, issuing, stale, rekeyed, leaf, own, expired, misnamed]
    endpoints = [
        endpoint("cucm.test", 6972, rsa=[leaf], ecdsa=[own]),
        endpoint("imp.test", rsa=[expired]),
        endpoint("unity.test", rsa=[misnamed, rekeyed]),
        endpoint("cuc.test", rsa=[misnamed, rekeyed]),
    ]
    lists: tuple[list[Entity], ...] = ([], [other_root], [stale], [root], [rekeyed, other_root])
    return [snapshot([peer(1, trusted)], endpoints, every, available=[issuing, root], vouched=[root]) for trusted in lists]


def plan_ids(library: str, paths: list[Path]) -> list[str]:
    command = [sys.executable, "-c", PLAN, library, *map(str, paths)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("path_of_library", [path_of_35, path_of_111], ids=["3.5", "1.1.1w"])
def test_every_library_gives_a_snapshot_the_same_plan_id(path_of_library: Callable[[], str], tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(5)]
    for path, observed in zip(paths, snapshots(), strict=True):
        path.write_text(write_snapshot(observed))

    expected = plan_ids("", paths)

    assert len(expected) == 15
    assert plan_ids(path_of_library(), paths) == expected
