"""What to do about a refusal whose certificates a capture shows: in the planner's own words, tried with OpenSSL where it can be."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.advice.causes import advise_on_cause
from remediate.planner.advice.explain import find_fixes
from remediate.planner.advice.refusal import Refusal
from remediate.trust.chain_verifier import Chain
from remediate.trust.verify import explain_chain


def on_the_chain(address: str, chain: Chain, verdict: Verdict | None, trusted: Chain | None, at: datetime) -> tuple[str, ...]:
    """Return what would make `chain` verify for `address`; nothing where the certificates at hand cannot tell.

    Args:
        verdict: what was logged; None where only the capture tells of a refusal.
        trusted: the peer's list; None where it is not known.
    """
    if trusted is not None:
        return find_fixes(chain, trusted, address, at).advice
    # Without the list: what would do with nothing in it, as long as that leads to the very error that was logged.
    alone = explain_chain(chain, (), None, at)
    if verdict is None or (verdict.code, verdict.depth) == (alone.verdict.code, alone.verdict.depth):
        return find_fixes(chain, (), address, at).advice
    if not _is_about_the_leaf(verdict, chain, at):
        return ()
    endpoint = Endpoint(Address(address), 8443, "cucm", {})
    advice = advise_on_cause(Refusal(endpoint, chain, replace(alone, verdict=verdict, built_chain=chain), ()))
    return (advice.text, *advice.options)


def _is_about_the_leaf(verdict: Verdict, chain: Chain, at: datetime) -> bool:
    """Whether the logged error is one of the presented leaf. Above it, the peer's list may hold another than was presented."""
    leaf = chain[0]
    if verdict.depth != 0 or verdict.cause in TRUST_CAUSES:
        return False
    if verdict.cause is Cause.EXPIRED:
        return leaf.not_after is not None and leaf.not_after <= at
    if verdict.cause is Cause.NOT_YET_VALID:
        return leaf.not_before is not None and leaf.not_before > at
    return True


def commands_for(address: str, *, certificate_matters: bool, tolerated: bool) -> Iterator[str]:
    """Give what to type next, ready to be pasted: the address in it is whatever a log or a capture said."""
    if tolerated:
        yield "remediate workaround status -i INVENTORY"
    yield "remediate plan -i INVENTORY -o plan.json"
    if certificate_matters:
        yield f"remediate explain --chain PRESENTED.pem --store TRUSTED.pem --address {shlex.quote(address)}"
