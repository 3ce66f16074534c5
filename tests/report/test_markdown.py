"""The plan as a ticket."""

from __future__ import annotations

from remediate.language.messages import use_language
from remediate.model.plan import Plan
from remediate.report.markdown import plan_ticket
from tests.report.builders import fingerprints_of


def test_the_ticket_lists_every_change_under_its_peer(plan: Plan) -> None:
    ticket = plan_ticket(plan)
    first = ticket.index("### `expc1.example.test`")
    second = ticket.index("### `expc2.example.test`")

    assert first < ticket.index("**a6**") < second
    assert plan.id in ticket
    for section in ("## Impact", "## Verification", "## Rollback", "## Approvals needed", "## Not fixed by this change"):
        assert section in ticket
    for fingerprint in fingerprints_of(plan):
        assert fingerprint in ticket


def test_a_colon_of_a_french_ticket_stands_apart(plan: Plan) -> None:
    use_language("fr")

    assert "**: " not in plan_ticket(plan)
