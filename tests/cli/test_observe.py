"""What a command says of a cluster before it works: the workaround that may be on, as the journal has it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal
from remediate.executor.journal.switches import record_request
from remediate.model.identity import Address
from remediate.model.plan import Plan
from tests.cli.conftest import AT, Remediate


def test_offline_verbs_remind_of_the_workaround(
    remediate: Remediate, snapshot: Path, plan: Path, chain: tuple[Path, Path]
) -> None:
    # Given a run in the journal, and a switch that was turned off after it
    state, operator = Path(os.environ["REMEDIATE_STATE_DIR"]), Operator("anna", "jump", 1)
    with Journal(state, writable=True) as journal:
        journal.begin_run(Plan.from_json(plan.read_text()), (), (), operator=operator, ticket=None)
        record_request(journal, "edge-lab", Address("expc2"), operator, datetime.now(UTC), verification=False)

    for arguments in (
        ["plan", "--snapshot", snapshot],
        ["show", plan],
        ["explain", "--chain", chain[0], "--store", chain[1], "--address", "cucm.test", "--at", AT],
        ["diagnose", chain[0]],
        ["runs"],
        ["runs", "show", "last"],
        ["runs", "export", "last"],
    ):
        # Then each says so, in one line beside the result
        stderr = remediate(*arguments, "-q").err
        assert stderr.startswith("edge-lab: the workaround may be on; last switched from here"), arguments
        assert "turned off by anna on jump" in stderr
        assert stderr.endswith("(expc2).\n")
