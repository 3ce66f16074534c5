"""What would help an endpoint that stays refused: computed from its certificates and from OpenSSL's answers, never a stock phrase."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import Product
from remediate.model.verdict import TRUST_CAUSES, Cause
from remediate.planner.advice.causes import issuer_unknown, name_mismatch, on_the_cause
from remediate.planner.advice.name_conflict import on_the_conflict, removal
from remediate.planner.advice.obstacle import Obstacle, obstacle_of
from remediate.planner.advice.refusal import (
    Advice,
    Refusal,
    day_of_end,
    endpoints_of,
    name_of,
    names_of,
    signed_by_a_ca,
)
from remediate.planner.solver.candidates import Candidates
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import VerificationResult
from remediate.trust.hostnames import name_matches
from remediate.trust.openssl import name_hashes
from remediate.trust.underlying_fault import LEAF_FAULTS, find_underlying_fault

# What a client asks for on each port (facts of the Expressway port reference: 6971 and 6972 belong to the TFTP service).
_LOST: dict[tuple[Product, int], str] = {
    ("cucm", 8443): "sign-in and directory search",
    ("cucm", 6971): "headset configuration",
    ("cucm", 6972): "their configuration files",
}
_LOST_AT_PRODUCT: dict[Product, str] = {
    "cucm": "what they ask of this port",
    "imp": "instant messaging and presence",
    "unity": "voicemail",
}
_SAID_BY_THE_CAUSE = frozenset({Cause.UNREACHABLE, Cause.HANDSHAKE_FAILED, Cause.NAME_MISMATCH, Cause.SHADOWED})


class Advisor:
    """Advises on the refusals of one plan. Endpoints that present the same to the same list share the search for what would help."""

    def __init__(self, known: Candidates, oracle: TrustOracle, at: datetime) -> None:
        self._known = known
        self._candidates = frozenset(known.certificates)
        self._oracle = oracle
        self._at = at
        self._faults: dict[object, VerificationResult | None] = {}
        self._obstacles: dict[object, Obstacle | None] = {}

    def advise(self, refusal: Refusal) -> Advice:
        """Return what would help `refusal`."""
        return _whole(self._on_the_chain(refusal), refusal)

    def _on_the_chain(self, refusal: Refusal) -> Advice:
        cause = refusal.explained.verdict.cause or Cause.CHAIN_INVALID
        if cause in _SAID_BY_THE_CAUSE:
            return on_the_cause(refusal)
        behind = self._behind(refusal) if cause in TRUST_CAUSES else None
        if behind is not None:
            return on_the_fault_behind(refusal, behind)
        obstacle = None if _is_the_leaf_s_own(refusal.explained) else self._obstacle(refusal)
        if obstacle is None:
            return self._without_obstacle(refusal)
        return _on_the_victims(obstacle, refusal) if obstacle.victims else on_the_conflict(obstacle, refusal)

    def _behind(self, refusal: Refusal) -> VerificationResult | None:
        relevant = self._oracle.relevant(refusal.presented)
        trusted = tuple(certificate for certificate in refusal.trusted if certificate in relevant)
        question = (refusal.presented, trusted)
        if question not in self._faults:
            found = find_underlying_fault(refusal.explained, refusal.presented, trusted, self._at)
            self._faults[question] = None if found and found.verdict.cause in TRUST_CAUSES else found
        return self._faults[question]

    def _obstacle(self, refusal: Refusal) -> Obstacle | None:
        question = (refusal.presented, refusal.trusted, id(refusal.others))
        if question not in self._obstacles:
            self._obstacles[question] = obstacle_of(refusal, self._known, self._oracle)
        return self._obstacles[question]

    def _without_obstacle(self, refusal: Refusal) -> Advice:
        leaf = refusal.presented[0]
        if refusal.explained.verdict.cause is Cause.SELF_SIGNED_UNTRUSTED and leaf not in self._candidates:
            return _kept_out(refusal)
        if refusal.explained.verdict.cause is Cause.ISSUER_UNKNOWN:
            return issuer_unknown(refusal, self._namesakes(refusal))
        return on_the_cause(refusal)

    def _namesakes(self, refusal: Refusal) -> tuple[Certificate, ...]:
        """Certificates that have the name of the missing issuer, and are not it."""
        missing = name_hashes((refusal.explained.built_chain or refusal.presented)[-1]).issuer
        at_hand = sorted(self._oracle.relevant(refusal.presented), key=lambda one: one.fingerprint)
        return tuple(one for one in at_hand if name_hashes(one).subject == missing)


def _is_the_leaf_s_own(explained: VerificationResult) -> bool:
    """Whether the fault is in what the node presents as its own certificate: then no CA of any list mends it."""
    return explained.verdict.depth == 0 and explained.verdict.code in LEAF_FAULTS


def on_the_fault_behind(refusal: Refusal, behind: VerificationResult) -> Advice:
    """Return what is said where trust would only uncover the next fault: that one is the cause."""
    verdict, advice = refusal.explained.verdict, on_the_cause(replace(refusal, explained=behind))
    return replace(
        advice, text=f"{advice.text} So its trust, refused now ({verdict.error} at depth {verdict.depth}), is left as it is."
    )


def _on_the_victims(obstacle: Obstacle, refusal: Refusal) -> Advice:
    return Advice(
        refusal.explained.verdict.cause or Cause.CHAIN_INVALID,
        f"It would verify with {names_of(obstacle.wanted)} in the trusted CA list, but then {endpoints_of(obstacle.victims)} would be "
        "refused, which else verifies.",
        (*removal(refusal), signed_by_a_ca(refusal)),
    )


def _kept_out(refusal: Refusal) -> Advice:
    leaf = refusal.presented[0]
    return Advice(
        Cause.SELF_SIGNED_UNTRUSTED,
        f"It presents the self-signed certificate {name_of(leaf)}, and this plan was told never to trust a server's own certificate.",
        (
            f"Plan without --never-trust-self-signed (or trust_self_signed in the inventory); it lasts until {day_of_end(leaf)}.",
            signed_by_a_ca(refusal),
        ),
    )


def _whole(advice: Advice, refusal: Refusal) -> Advice:
    """`advice` with what else would be refused, and with what it costs the people outside."""
    whole = _with_name(advice, refusal)
    endpoint = refusal.endpoint
    if whole.cause is Cause.UNREACHABLE:
        return whole  # from here; what a client outside would get is not known
    lost = _LOST.get((endpoint.product, endpoint.port), _LOST_AT_PRODUCT[endpoint.product])
    return replace(whole, text=f"{whole.text} Clients outside lose {lost}.")


def _with_name(advice: Advice, refusal: Refusal) -> Advice:
    """The traffic server looks at the name only after the chain; without this, the engineer would come back for a second window.

    Where trust could mend the chain, the name is what stands in the way, so it is the cause.
    """
    presented, address = refusal.presented, refusal.endpoint.address
    if advice.cause is Cause.NAME_MISMATCH or not presented or name_matches(presented[0], address):
        return advice
    name = name_mismatch(refusal)
    if advice.cause in TRUST_CAUSES:
        refused = f"{refusal.explained.verdict.error} at depth {refusal.explained.verdict.depth}"
        return replace(name, text=f"{name.text} So its chain, refused now ({refused}), is left as it is.")
    text = f"{advice.text} Its name would then be refused too: {name.text}"
    return Advice(advice.cause, text, (*advice.options, *name.options))
