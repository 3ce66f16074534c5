"""Cards for a change board: what they say of a plan."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.identity import Address
from remediate.model.plan import Plan, TrustOnNode
from remediate.report.cards import list_cards
from tests.report.builders import fingerprints_of


def test_a_confirmed_upload_needs_no_approval(plan: Plan) -> None:
    upload = TrustOnNode("a1", Address("cucm.test"), "tomcat", fingerprints_of(plan)[0], (Address("expc1.test"),), "vouched")
    approvals = next(card for card in list_cards(replace(plan, actions=(upload,))) if card.topic == "Approvals")
    assert approvals.title == "No approval needed"
    assert approvals.detail == "Every certificate to add is confirmed by a trusted source or by an approval."


def test_the_approval_card_says_where_no_certificate_is_added(plan: Plan) -> None:
    approvals = next(card for card in list_cards(replace(plan, actions=())) if card.topic == "Approvals")
    assert approvals.detail == "No certificate is added."
