"""The command that is told when a run ends: what it gets, and that nothing depends on it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediate.cli.notification import notify_of_changes, notify_of_run, send_notice
from remediate.cli.session import Session
from remediate.executor.result import RunResult
from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from remediate.model.masking import remember
from tests.executor.clusters import story
from tests.pki import YEAR, issue
from tests.planner.build import endpoint, peer, snapshot

AT = datetime(2026, 11, 29, 2, tzinfo=UTC)
EFFECT = PeerEffect(Address("expc1.example.test"), EffectState.NOT_KNOWN, EffectSource.START, "It has not restarted since.")
RESULT = RunResult("r1", "applied", ExitCode.NOT_IN_EFFECT, (), has_written=True, message="Written.", effects=(EFFECT,))
COPY = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"


@pytest.fixture
def received(tmp_path: Path) -> Path:
    return tmp_path / "notice.json"


def test_the_command_gets_one_json_document(received: Path) -> None:
    cluster = replace(story().access, notify=(sys.executable, "-c", COPY, str(received)))

    notify_of_run(Session(), cluster, RESULT, kind="apply", at=AT)

    assert json.loads(received.read_text()) == {
        "format": "remediate.notice/1",
        "kind": "run-ended",
        "cluster": "edge",
        "at": "2026-11-29T02:00:00Z",
        "run": "r1",
        "run_kind": "apply",
        "state": "applied",
        "exit_code": 11,
        "message": "Written.",
        "in_effect": {"expc1.example.test": {"state": "not-known", "by": "start", "said": "It has not restarted since."}},
    }


def test_without_a_run_or_a_command_nothing_is_sent(received: Path) -> None:
    cluster = replace(story().access, notify=(sys.executable, "-c", COPY, str(received)))

    notify_of_run(Session(), cluster, replace(RESULT, run_id=""), kind="apply", at=AT)
    notify_of_run(Session(), story().access, RESULT, kind="apply", at=AT)

    assert not received.exists()


def test_no_secret_leaves_in_a_notice(received: Path) -> None:
    remember("hunter2-and-more")
    cluster = replace(story().access, notify=(sys.executable, "-c", COPY, str(received)))

    notify_of_run(Session(), cluster, replace(RESULT, message="hunter2-and-more was refused"), kind="apply", at=AT)

    assert "hunter2" not in received.read_text()


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "ended with exit code 3"),
        (("/nowhere/notify",), "cannot be run: No such file or directory"),
        ((sys.executable, "-c", "import time; time.sleep(30)"), "took longer than"),
    ],
)
def test_a_command_that_fails_is_reported_and_stops_nothing(
    command: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not send_notice(Session(), replace(story().access, notify=command), "drift", {}, at=AT, timeout_s=1)
    assert problem in capsys.readouterr().err


@pytest.fixture
def notices(tmp_path: Path) -> Path:
    return tmp_path / "notices.jsonl"


def kinds_of(notices: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in notices.read_text().splitlines()] if notices.exists() else []


def test_drift_and_expiry_are_reported_once_and_after_a_change(notices: Path, tmp_path: Path) -> None:
    append = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
    cluster = replace(story().access, notify=(sys.executable, "-c", append, str(notices)))
    session = Session(chosen_state_dir=tmp_path / "state")
    root = issue("Root", ca=True)
    leaf = issue("cucm.test", root, names=("cucm.test",), starts=-YEAR, lasts=YEAR + timedelta(days=10))
    observed = snapshot([peer(1, [root]), peer(2, [])], [endpoint("cucm.test", rsa=[leaf])], [root, leaf])

    notify_of_changes(session, cluster, observed, at=AT)
    notify_of_changes(session, cluster, observed, at=AT)
    assert kinds_of(notices) == ["drift", "expiry"]

    notify_of_changes(session, cluster, replace(observed, peers=(observed.peers[0],)), at=AT)
    assert kinds_of(notices) == ["drift", "expiry"]

    notify_of_changes(session, cluster, replace(observed, peers=(*observed.peers, peer(3, []))), at=AT)
    assert kinds_of(notices) == ["drift", "expiry", "drift"]


def test_a_notice_that_was_not_taken_is_sent_again(notices: Path, tmp_path: Path) -> None:
    session = Session(chosen_state_dir=tmp_path / "state")
    root = issue("Root", ca=True)
    observed = snapshot([peer(1, [root]), peer(2, [])], [], [root])
    refusing = replace(story().access, notify=(sys.executable, "-c", "raise SystemExit(1)"))
    append = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"

    notify_of_changes(session, refusing, observed, at=AT)
    notify_of_changes(session, replace(refusing, notify=(sys.executable, "-c", append, str(notices))), observed, at=AT)

    assert kinds_of(notices) == ["drift"]
