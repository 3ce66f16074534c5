"""One run as evidence, for a change ticket and as a page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from remediate.language.messages import translate, use_language
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.identity import Address, CipherList, Fingerprint, PlanId
from remediate.model.run import ApprovalRecord, Backup, Run, StepRecord
from remediate.report.run import run_record
from remediate.report.run_evidence import run_ticket
from remediate.report.run_page import run_page

PEER = Address("expc1")
RUN = Run(
    "261129-160223-4d70", "edge", PlanId("sha256:plan"), "applied", "2026-11-29T16:02:23Z", "2026-11-29T16:05:16Z", "CHG1", "ann",
    "jump", 7, (PEER,), "Written and read back.", exit_code=11,
    in_effect=(PeerEffect(PEER, EffectState.NOT_KNOWN, None, "nothing shows it"),),
)  # fmt: skip
STEP = StepRecord(
    1, 6, PEER, "trust-certificate", {"certificate": "sha256:new"}, None, None, "done", "sha256:b", "sha256:a", "2026-11-29T16:03:00Z",
    "2026-11-29T16:04:00Z",
    None, "",
)  # fmt: skip
NAMES = {"sha256:new": "imp.example.test"}


def record(run: Run = RUN, remark: str | None = None) -> dict[str, Any]:
    backups = {PEER: Backup(PEER, (Fingerprint("sha256:old"),), {"ReverseProxyTLSCiphers": CipherList("EECDH")})}
    approvals = [ApprovalRecord(Fingerprint("sha256:new"), "bob", "approved by the operator", "2026-11-29T16:00:00Z")]
    return run_record(run, [STEP], backups, approvals, remark)


def test_a_ticket_says_who_did_what_and_what_came_of_it() -> None:
    ticket = run_ticket(record(), NAMES)

    for part in (
        "ann on jump",
        "`CHG1`",
        "Exit code: `11`",
        "not-known",
        "`bob`",
        "`imp.example.test (sha256:new)`",
        "`EECDH`",
    ):
        assert part in ticket
    assert "| `expc1` | `1` | `2` | `imp.example.test (sha256:new)` |  |" in ticket


def test_a_page_holds_the_tables_of_the_ticket() -> None:
    page = run_page(record(), NAMES)

    for part in (
        "In effect",
        "Approvals",
        "Trusted CA lists",
        "Cipher lists before the run",
        "Steps",
        "imp.example.test (sha256:new)",
    ):
        assert part in page
    assert "<script" not in page
    assert "://" not in page


def test_what_a_run_lacks_is_left_out_or_not_recorded() -> None:
    run = replace(RUN, plan=None, ticket=None, exit_code=None, ended_at=None, in_effect=None, kind="restart")

    ticket = run_ticket(run_record(run, [], {}, [], "It is still running."), {})

    assert "Exit code: `not recorded`" in ticket
    assert "Plan:" not in ticket
    assert "##" not in ticket
    assert "**It is still running.**" in ticket


def test_hostile_text_of_a_run_is_not_interpreted() -> None:
    run = replace(RUN, ticket="`<script>alert(1)</script>`|", message="a\x1b[31m\nb")

    ticket, page = run_ticket(record(run), NAMES), run_page(record(run), NAMES)

    assert "Ticket: `'<script>alert(1)</script>'\\|`" in ticket
    assert "\x1b" not in ticket + page
    assert "<script" not in page


def test_a_ticket_follows_the_language_but_for_names_of_others() -> None:
    use_language("fr")
    ticket = run_ticket(record(replace(RUN, cluster="root")), NAMES)

    assert "- Cluster : `root`" in ticket
    assert "- Code de sortie : `11`" in ticket
    assert f"- Début : `{translate(RUN.started_at)}`" in ticket
    assert "## Approbations" in ticket
