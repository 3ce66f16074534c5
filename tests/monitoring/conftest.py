"""The metrics of a look with everything in it, and `promtool`, which judges them and the alerts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from remediate.model.effect import ClientState, ClientView, EffectSource, EffectState, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from remediate.planner import make_plan
from remediate.report.metrics import ClusterLook, format_metrics
from tests.pki import NOW, issue
from tests.planner.build import endpoint, peer, snapshot

RunPromtool = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def metrics() -> str:
    root = issue("Root", ca=True, lasts=timedelta(days=500))
    leaf, self_signed = issue("cucm.test", root, names=("cucm.test",)), issue("imp.test", names=("imp.test",))
    peers = [peer(1, [root]), replace(peer(2, []), verify_origin_server=False)]
    endpoints = [endpoint("cucm.test", rsa=[leaf]), endpoint("imp.test", rsa=[self_signed])]
    observed = snapshot(peers, endpoints, [root, leaf, self_signed])
    plan = make_plan(observed)
    views = {plan.endpoints[0].pair: ClientView(ClientState.REFUSED)}
    effects = (PeerEffect(Address("expc1.test"), EffectState.NO, EffectSource.CLIENT),)
    return format_metrics([ClusterLook("edge", ExitCode.CHANGES_PENDING, NOW, observed, plan, effects, views)])


@pytest.fixture
def promtool(tmp_path: Path) -> RunPromtool:
    """Run `promtool`, with text on its stdin."""
    program = shutil.which("promtool")
    if program is None and "CI" in os.environ:
        pytest.fail("There is no `promtool`: scripts/install-judge.sh installs it.")
    if program is None:
        pytest.skip("`promtool` is not installed: scripts/install-judge.sh installs it")

    def run(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [program, *map(str, arguments)]
        return subprocess.run(command, input=text, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run
