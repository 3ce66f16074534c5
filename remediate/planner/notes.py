"""What a person should know beside the plan: what is about to expire, what a verdict rests on, what was not in use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address
from remediate.model.library import openssl
from remediate.model.plan import Policy
from remediate.model.snapshot import ALARM, Peer, Snapshot
from remediate.openssl.selftest import default_failures
from remediate.planner.forecast import Forecaster
from remediate.planner.renewals import renewals
from remediate.planner.solver.solver import Choice
from remediate.trust.chain_verifier import Chain
from remediate.trust.openssl3 import openssl_3_refusal


def notes(snapshot: Snapshot, policy: Policy, choice: Choice, forecaster: Forecaster) -> tuple[str, ...]:
    """Return one sentence a line, each once, in a fixed order."""
    observed = [peer for peer in snapshot.peers if peer.error is None]
    found = [
        *sorted(f"{ALARM}{alarm.message}" for alarm in snapshot.alarms),
        *_verdict_notes(),
        *_choice_notes(policy, choice),
        *_peer_notes(observed),
        *_tls13_notes(snapshot),
        *renewals(snapshot, observed, forecaster),
        *_openssl_3_notes(snapshot, observed, forecaster),
    ]
    # What makes the plan incomplete stands in every view by itself, before anything else.
    found += [gap.message for gap in snapshot.undiscovered if not gap.incomplete]
    if snapshot.not_in_use:
        found.append(f"Not in use, so not judged: {', '.join(snapshot.not_in_use)}.")
    return tuple(dict.fromkeys(found))


def _verdict_notes() -> Iterator[str]:
    if failures := default_failures():
        yield (
            f"The OpenSSL of this Python ({openssl().version}) does not answer as the appliance's 1.1.1 does, so verdicts here may be "
            f"wrong. It fails the self-test on: {'; '.join(failures)}."
        )


def _choice_notes(policy: Policy, choice: Choice) -> Iterator[str]:
    if policy.ciphers not in {"auto", "keep", choice.policy}:
        yield (
            f"--ciphers {policy.ciphers} would break an endpoint that works today (or the list is unknown or rules it out), so it "
            "is not planned."
        )
    if choice.bounded:
        yield (
            "One chain has so many possible issuers that only the shortest ways to a root and those with the fewest changes were "
            "tried: the plan is proven to work, but one that verifies more or is smaller may exist."
        )


def _peer_notes(observed: list[Peer]) -> Iterator[str]:
    if not observed:
        yield "No peer could be looked at, so nothing is planned."
    lists = {peer.ciphers.get(REVERSE_PROXY_CIPHERS) for peer in observed}
    if None in lists:
        yield f"{REVERSE_PROXY_CIPHERS} could not be read on every peer, so both certificates of a node must verify there."
    if len(lists - {None}) > 1:
        yield f"The peers differ in {REVERSE_PROXY_CIPHERS}: replication from the primary may be under way or broken."


def _tls13_notes(snapshot: Snapshot) -> Iterator[str]:
    undecided = [endpoint for endpoint in snapshot.endpoints if len(endpoint.presented) > 1 and endpoint.tls13 is not False]
    speaking = [endpoint.name for endpoint in undecided if endpoint.tls13]
    unasked = [endpoint.name for endpoint in undecided if endpoint.tls13 is None]
    for names, what in ((speaking, "accept TLS 1.3"), (unasked, "could not be asked for TLS 1.3")):
        if names:
            yield (
                f"These {what}, where the cipher list has no say, so nothing here rests on it for them: {', '.join(names)}. "
                "Whichever certificate they present must verify."
            )


def _openssl_3_notes(snapshot: Snapshot, observed: list[Peer], forecaster: Forecaster) -> Iterator[str]:
    """Chains that the appliance's OpenSSL 1.1.1 accepts and a later one would not: the next upgrade would break them."""

    @cache
    def asked(presented: Chain, relevant: Chain) -> str | None:
        return openssl_3_refusal(presented, relevant, snapshot.taken_at)

    @cache
    def said(peer: Address, presented: Chain) -> str | None:
        return asked(presented, forecaster.relevant(peer, presented))

    peers = forecaster.distinct_peers(peer.address for peer in observed)
    for endpoint in snapshot.endpoints:
        for peer in peers:
            verified = forecaster.outcome(peer, endpoint).verdict.ok
            for presented in forecaster.chains(peer, endpoint) if verified else ():
                if why := said(peer, presented):
                    yield f"{endpoint.name} passes on the appliance's OpenSSL 1.1.1 only; OpenSSL 3.x says: {why}."
