"""The advisor: what would help an endpoint that stays refused, computed from its certificates and from OpenSSL's answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import Product
from remediate.model.text import join_words
from remediate.model.toward_nodes import SERVICES_OF_CERTIFICATE
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.advice.causes import advise_on_cause, advise_on_name_mismatch, advise_on_unknown_issuer
from remediate.planner.advice.name_conflict import Obstacle, advise_on_conflict, find_obstacle
from remediate.planner.advice.phrases import describe_certificate, describe_certificates, format_expiry_day, join_endpoints
from remediate.planner.advice.prices import certificate_service
from remediate.planner.advice.refusal import Advice, Refusal, suggest_removal, suggest_signing
from remediate.planner.solver.candidates import Candidates
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.hostnames import name_matches
from remediate.trust.openssl import name_hashes
from remediate.trust.underlying_fault import LEAF_FAULTS, find_underlying_fault

# The services on each port (the Expressway port reference: 6971 and 6972 belong to the TFTP service).
_SERVICES: dict[tuple[Product, int], str] = {
    ("cucm", 8443): "sign-in and directory search",
    ("cucm", 6971): "headset configuration",
    ("cucm", 6972): "their configuration files",
}
_SERVICES_OF_PRODUCT: dict[Product, str] = {
    "cucm": "the service on this port",
    "imp": "instant messaging and presence",
    "unity": "their voicemail",
}
_CAUSES_ADVISED_ON_ALONE = frozenset({Cause.UNREACHABLE, Cause.HANDSHAKE_FAILED, Cause.NAME_MISMATCH, Cause.SHADOWED})


class Advisor:
    """Advises on the refusals of one plan. Endpoints that present the same to the same list share the search for what would help."""

    def __init__(self, candidates: Candidates, oracle: TrustOracle, at: datetime) -> None:
        self._candidates = candidates
        self._addable = candidates.addable
        self._oracle = oracle
        self._at = at
        self._faults: dict[object, Verdict | None] = {}
        self._obstacles: dict[object, Obstacle | None] = {}

    def advise(self, refusal: Refusal) -> Advice:
        """Return what would help `refusal`."""
        return _complete(self._advise_on_chain(refusal), refusal)

    def _advise_on_chain(self, refusal: Refusal) -> Advice:
        cause = refusal.verdict.cause or Cause.CHAIN_INVALID
        if cause in _CAUSES_ADVISED_ON_ALONE:
            return advise_on_cause(refusal)
        fault = self._find_underlying_fault(refusal) if cause in TRUST_CAUSES else None
        if fault is not None:
            return _advise_on_underlying_fault(refusal, fault)
        obstacle = None if _is_leaf_fault(refusal.verdict) else self._find_obstacle(refusal)
        if obstacle is None:
            return self._advise_without_obstacle(refusal)
        return _advise_on_victims(obstacle, refusal) if obstacle.victims else advise_on_conflict(obstacle, refusal)

    def _find_underlying_fault(self, refusal: Refusal) -> Verdict | None:
        trusted = refusal.listed.among(self._oracle.relevant(refusal.presented))
        question = (refusal.presented, trusted)
        if question not in self._faults:
            fault = find_underlying_fault(refusal.verdict, refusal.presented, trusted, self._at)
            self._faults[question] = None if fault and fault.cause in TRUST_CAUSES else fault
        return self._faults[question]

    def _find_obstacle(self, refusal: Refusal) -> Obstacle | None:
        # The refusals of one peer share one `other_endpoints`, which is compared by identity and represents the list.
        question = (refusal.presented, refusal.other_endpoints or refusal.trusted)
        if question not in self._obstacles:
            self._obstacles[question] = find_obstacle(refusal, self._candidates, self._oracle)
        return self._obstacles[question]

    def _advise_without_obstacle(self, refusal: Refusal) -> Advice:
        leaf = refusal.presented[0]
        if leaf.fingerprint in self._candidates.disputed:
            return _advise_on_dispute(refusal)
        if refusal.verdict.cause is Cause.SELF_SIGNED_UNTRUSTED and leaf not in self._addable:
            return _advise_on_policy(refusal)
        if refusal.verdict.cause is Cause.ISSUER_UNKNOWN:
            return advise_on_unknown_issuer(refusal, self._find_namesakes(refusal))
        return advise_on_cause(refusal)

    def _find_namesakes(self, refusal: Refusal) -> tuple[Certificate, ...]:
        """Return the certificates that have the name of the missing issuer, and another key; by fingerprint."""
        missing = name_hashes((refusal.verdict.built_chain or refusal.presented)[-1]).issuer
        relevant = sorted(self._oracle.relevant(refusal.presented), key=lambda certificate: certificate.fingerprint)
        return tuple(certificate for certificate in relevant if name_hashes(certificate).subject == missing)


def _is_leaf_fault(verdict: Verdict) -> bool:
    """Return whether the fault is in the node's own certificate: then no CA of any list fixes it."""
    return verdict.depth == 0 and verdict.code in LEAF_FAULTS


def _advise_on_underlying_fault(refusal: Refusal, fault: Verdict) -> Advice:
    """Return the advice where trust would only uncover `fault`: that is the cause."""
    verdict, advice = refusal.verdict, advise_on_cause(replace(refusal, verdict=fault))
    return replace(
        advice,
        text=f"{advice.text} Trust would not fix that, so it still fails as now ({verdict.error} at depth {verdict.depth}).",
    )


def _advise_on_victims(obstacle: Obstacle, refusal: Refusal) -> Advice:
    return Advice(
        refusal.verdict.cause or Cause.CHAIN_INVALID,
        f"It would verify with {describe_certificates(obstacle.needed)} in the trusted CA list, but then "
        f"{join_endpoints(obstacle.victims)} would be refused.",
        (*suggest_removal(refusal), suggest_signing(refusal)),
    )


def _advise_on_dispute(refusal: Refusal) -> Advice:
    """Return the advice on a certificate that the node's own management does not know."""
    leaf, endpoint = refusal.presented[0], refusal.endpoint
    services = SERVICES_OF_CERTIFICATE[certificate_service(endpoint.product, endpoint.port)]
    return Advice(
        refusal.verdict.cause or Cause.CHAIN_INVALID,
        f"It presents {describe_certificate(leaf)}, which certificate management of {endpoint.address} does not list as its "
        "own: see the alarm. That is no reason to trust it.",
        (
            f"Where that certificate was renewed, restart {join_words(services)} on {endpoint.address}, and plan again.",
            "Where it still presents this one afterwards, find what answers in its place.",
            f"Only after comparing {leaf.fingerprint} on the node itself, pass it with --approve.",
        ),
    )


def _advise_on_policy(refusal: Refusal) -> Advice:
    leaf = refusal.presented[0]
    end = format_expiry_day(leaf)
    return Advice(
        Cause.SELF_SIGNED_UNTRUSTED,
        (
            f"It presents the self-signed certificate {describe_certificate(leaf)}, and the policy of this plan forbids "
            "trusting a server's own certificate."
        ),
        (
            (
                "Plan without --never-trust-self-signed (or trust_self_signed in the inventory); the certificate is valid "
                f"until {end}."
            ),
            suggest_signing(refusal),
        ),
    )


def _complete(advice: Advice, refusal: Refusal) -> Advice:
    """Return `advice` with the name that would be refused next, and with the services that clients outside lose."""
    advice = _add_name(advice, refusal)
    endpoint = refusal.endpoint
    if advice.cause is Cause.UNREACHABLE:
        return advice  # Unreachable from here: what a client outside gets was not observed.
    service = _SERVICES.get((endpoint.product, endpoint.port), _SERVICES_OF_PRODUCT[endpoint.product])
    return replace(advice, text=f"{advice.text} Clients outside lose {service}.")


def _add_name(advice: Advice, refusal: Refusal) -> Advice:
    """Return `advice` with the advice on the name, which the traffic server checks only after the chain.

    Otherwise a second maintenance window would be needed for the name. Where trust could fix the chain, the name is the cause.
    """
    presented, address = refusal.presented, refusal.endpoint.address
    if advice.cause is Cause.NAME_MISMATCH or not presented or name_matches(presented[0], address):
        return advice
    name = advise_on_name_mismatch(refusal)
    if advice.cause in TRUST_CAUSES:
        refused = f"{refusal.verdict.error} at depth {refusal.verdict.depth}"
        return replace(name, text=f"{name.text} Trust would not fix that, so it still fails as now ({refused}).")
    text = f"{advice.text} Its name would also fail: {name.text}"
    return Advice(advice.cause, text, (*advice.options, *name.options))
