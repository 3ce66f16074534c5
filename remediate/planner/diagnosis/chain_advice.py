"""Advice on a refusal whose chain a capture shows: the planner's own, tried with OpenSSL where possible."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from remediate.model.certificate import Chain
from remediate.model.expressway import PRODUCTS_BY_PORT
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.advice.causes import advise_on_cause
from remediate.planner.advice.explain import Fixes, find_fixes
from remediate.planner.advice.prices import TRUST_PRICE
from remediate.planner.advice.refusal import Refusal
from remediate.planner.diagnosis.log_advice import suggest_look
from remediate.trust.verifier import verify_chain


def advise_on_chain(
    address: str, chain: Chain, verdict: Verdict | None, trusted: Chain | None, at: datetime, port: int = 8443
) -> tuple[str, ...]:
    """Return what would make `chain` verify for `address`; empty where the certificates at hand do not explain the error.

    Args:
        address: The connection address.
        chain: The presented chain, leaf first.
        verdict: The logged verdict; None where only the capture shows a refusal.
        trusted: The peer's list; None where it is not known.
        at: The time of the handshake.
        port: Where the node presented it.
    """
    if trusted is not None:
        return _add_price(find_fixes(chain, trusted, address, at, port))
    # Without the list, an empty one stands in for it, if that leads to the logged error.
    alone = verify_chain(chain, (), None, at)
    if verdict is None or (verdict.code, verdict.depth) == (alone.code, alone.depth):
        fixes = _add_price(find_fixes(chain, (), address, at, port))
        is_to_trust = alone.cause in TRUST_CAUSES and alone.cause is not Cause.ISSUER_UNKNOWN
        return (suggest_look("the certificate below"), *fixes) if is_to_trust else fixes
    if not _is_about_the_leaf(verdict, chain, at):
        return ()
    endpoint = Endpoint(Address(address), port, PRODUCTS_BY_PORT.get(port, "cucm"), {})
    return advise_on_cause(Refusal(endpoint, chain, replace(verdict, built_chain=chain), ())).sentences


def _add_price(fixes: Fixes) -> tuple[str, ...]:
    return (*fixes.advice, TRUST_PRICE) if fixes.list_changes else fixes.advice


def _is_about_the_leaf(verdict: Verdict, chain: Chain, at: datetime) -> bool:
    """Return whether the logged error concerns the presented leaf. Above it, the peer's list may hold another certificate."""
    leaf = chain[0]
    if verdict.depth != 0 or verdict.cause in TRUST_CAUSES:
        return False
    if verdict.cause is Cause.EXPIRED:
        return leaf.not_after is not None and leaf.not_after <= at
    if verdict.cause is Cause.NOT_YET_VALID:
        return leaf.not_before is not None and leaf.not_before > at
    return True


def suggest_commands(address: str, *, certificate_matters: bool, tolerated: bool) -> Iterator[str]:
    """Yield the commands to run next, quoted for a shell: the address is untrusted text of a log or a capture."""
    if tolerated:
        yield "remediate workaround status -i INVENTORY"
    yield "remediate plan -i INVENTORY -o plan.json"
    if certificate_matters:
        yield f"remediate explain --chain PRESENTED.pem --store TRUSTED.pem --address {shlex.quote(address)}"
