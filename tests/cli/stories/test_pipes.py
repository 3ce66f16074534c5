"""Every command in a pipe: the width of a terminal changes nothing, no line is folded, none ends in blanks, none has a colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.lab.pace import LAB_LIMITS
from remediate.lab.scenario import Removal
from remediate.model.limits import Limits
from tests.cli.conftest import AT, Ended, Remediate
from tests.connectors.evidence.logs import encode_target, log_transaction

pytestmark = pytest.mark.lab
NARROW, WIDE = "40", "200"
ON_THE_LAB = {
    "doctor": ("doctor",),
    "pins": ("doctor", "--pins"),
    "collect": ("collect", "-o", "{folder}/snapshot.json"),
    "survey": ("collect", "--survey", "-o", "{folder}/snapshot.json"),
    "plan": ("plan", "--explain", "-o", "{folder}/plan.json"),
    "certificates": ("certificates",),
    "expiring": ("certificates", "--expiring", "4000d"),
    "verify": ("verify", "--no-clients"),
    "verify, every row": ("verify", "--no-clients", "-v"),
    "dry apply": ("apply", "{plan}", "--dry-run"),
    "apply without an answer": ("apply", "{plan}"),
    "dry restart": ("restart", "--all", "--dry-run"),
    "no restart needed": ("restart", "--yes", "--calls", "end"),
    "workaround": ("workaround", "status"),
    "dry workaround": ("workaround", "on", "--dry-run"),
    "no such run": ("rollback", "last", "--dry-run"),
    "logging without an answer": ("diagnose", "--for", "5s"),
}
WITHOUT_A_CLUSTER = {
    "show": ("show", "{plan}"),
    "show all": ("show", "{plan}", "--all"),
    "ticket": ("show", "{plan}", "--markdown", "-"),
    "approve": ("approve", "{plan}"),
    "explain": ("explain", "--chain", "{chain}", "--store", "{store}", "--address", "cucm.test", "--at", AT),
    "diagnose": ("diagnose", "{log}"),
    "init": ("init", "expc1.example.test"),
    "runs": ("runs",),
    "confirm": ("confirm", "last"),
    "wrong option": ("apply", "--no-such-option"),
}


@pytest.fixture
def limits() -> Limits:
    """Clients need no time to register again."""
    return replace(LAB_LIMITS, restart_settle_s=0.0, effect_s=0.3)


@pytest.fixture
def files(tmp_path: Path, chain: tuple[Path, Path], plan: Path) -> dict[str, str]:
    """Return the files that the table names."""
    log = tmp_path / "traffic.log"
    log.write_text("\n".join(log_transaction(11, encode_target("steven.lab/https/cucm.steven.lab/6972"))))
    return {"folder": str(tmp_path), "plan": str(plan), "chain": str(chain[0]), "store": str(chain[1]), "log": str(log)}


@pytest.fixture
def removing_lab(tmp_path: Path) -> Iterator[Lab]:
    """Yield a lab whose peers offer removal, so that everything a run writes is undone."""
    lab = Lab(tmp_path / "lab", judge=False)
    lab.scenario = replace(lab.scenario, removal=Removal.FINGERPRINT)
    lab.faults.restart_s = 0.2
    with lab:
        yield lab


def assert_whole(ended: Ended) -> None:
    """Assert that no line ends in blanks or steers a terminal."""
    for line in (ended.out + ended.err).splitlines():
        assert line == line.rstrip()
        assert "\x1b" not in line


def leave_out_values(text: str) -> str:
    """Return text without what differs from one look to the next: times, ids of runs, numbers."""
    return re.sub(r"\d+", "0", re.sub(r"\d{6}-\d{6}-[0-9a-f]{4}", "RUN", text))


@pytest.mark.parametrize("arguments", ON_THE_LAB.values(), ids=ON_THE_LAB)
def test_commands_on_a_cluster_ignore_the_width(
    remediate: Remediate, lab: Lab, files: dict[str, str], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = []
    for columns in (NARROW, WIDE):
        monkeypatch.setenv("COLUMNS", columns)
        ended = remediate(*(word.format(**files) for word in arguments), "-i", lab.inventory)
        assert_whole(ended)
        # Endpoints are probed at once, so their lines have no order.
        outputs.append((ended.code, leave_out_values(ended.out), sorted(leave_out_values(ended.err).splitlines())))

    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("arguments", WITHOUT_A_CLUSTER.values(), ids=WITHOUT_A_CLUSTER)
def test_commands_without_a_cluster_ignore_the_width(
    remediate: Remediate, files: dict[str, str], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = []
    for columns in (NARROW, WIDE):
        monkeypatch.setenv("COLUMNS", columns)
        ended = remediate(*(word.format(**files) for word in arguments))
        assert_whole(ended)
        outputs.append((ended.code, *map(leave_out_values, (ended.out, ended.err))))

    assert outputs[0] == outputs[1]


def test_what_writes_has_one_dated_line_a_write(
    remediate: Remediate, removing_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", NARROW)
    where, plan = ("-i", str(removing_lab.inventory)), str(tmp_path / "plan.json")
    remediate("plan", *where, "-q", "--approve-file", removing_lab.approvals, "-o", plan)
    story = (
        ("apply", plan, *where, "--yes", "--restart", "rolling", "--calls", "end", "--confirm-within", "10m"),
        ("confirm", "last"),
        ("runs",),
        ("runs", "show", "last"),
        ("restart", "--all", *where, "--yes", "--calls", "end"),
        ("rollback", "last", *where, "--dry-run"),
        ("rollback", "last", *where, "--yes"),
        ("workaround", "on", *where, "--yes"),
        ("workaround", "off", *where, "--yes", "--force"),
        ("diagnose", "--for", "1s", *where, "--yes"),
    )

    ended = {arguments[:2]: remediate(*arguments) for arguments in story}

    for answer in ended.values():
        assert_whole(answer)
    for command, count in ((("apply", plan), "added"), (("rollback", "last"), "removed")):
        lines = [line for line in ended[command].err.splitlines() if f": {count} " in line]
        assert len(lines) == 13
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ edge-lab: expc[123]: ", line) for line in lines)
        assert all(line.endswith("), confirmed.") for line in lines)
    assert "CONFIRM before" in ended["apply", plan].out
