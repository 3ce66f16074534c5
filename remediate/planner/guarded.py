"""The guarded endpoints in a plan: what holds for them today, what a plan would break, and the notes on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from remediate.model.certificate import Chain
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.text import count, first_few
from remediate.planner.forecast import apply_choice
from remediate.planner.solver.solver import Choice
from remediate.trust.guarded_verifier import GuardedChain, find_broken, list_unseen_consumers, name_with_service, verify_guarded
from remediate.trust.verifier import OpenSslAnswers


def list_accepted_chains(today: Iterable[GuardedChain]) -> Mapping[Address, tuple[Chain, ...]]:
    """Return per peer the chains that its list accepts today, each once."""
    accepted: dict[Address, dict[Chain, None]] = {}
    for guarded in today:
        if guarded.verdict.ok:
            accepted.setdefault(guarded.peer, {})[guarded.chain] = None
    return {peer: tuple(chains) for peer, chains in accepted.items()}


def list_guarded_notes(snapshot: Snapshot, today: Sequence[GuardedChain], *, removal_asked: bool) -> Iterator[str]:
    """Yield what a person should know of the guarded endpoints: those refused today, and those not observed."""
    refused: dict[tuple[Address, str], list[Endpoint]] = {}
    for guarded in today:
        if guarded.verdict.error is not None:
            refused.setdefault((guarded.peer, guarded.verdict.error), []).append(guarded.endpoint)
    for (peer, error), endpoints in refused.items():
        yield (
            f"Other services rely on the trusted CA list too. Today {peer} would refuse {_name(endpoints)} ({error}), if that "
            "service verifies; this plan neither fixes nor worsens it."
        )
    guarded_unseen = [name_with_service(endpoint) for endpoint in snapshot.guarded_endpoints if endpoint.error is not None]
    unseen = list_unseen_consumers(snapshot) if removal_asked else guarded_unseen
    if unseen:
        consequence = ", so nothing is removed from a list despite --allow-removal" if removal_asked else ""
        yield f"Not checked, although they rely on the trusted CA list: {first_few(list(unseen))}{consequence}."


def describe_prevented(
    snapshot: Snapshot, today: Sequence[GuardedChain], choice: Choice, tempting: Choice, answers: OpenSslAnswers
) -> Iterator[str]:
    """Yield what is not planned because a guarded endpoint would break.

    Args:
        snapshot: The cluster.
        today: The guarded chains as they are judged today.
        choice: The choice that breaks none.
        tempting: The choice that would have been made without guarded endpoints.
        answers: OpenSSL's answers at the moment of the snapshot.
    """
    gain = tempting.verified - choice.verified
    broken = find_broken(today, verify_guarded(apply_choice(snapshot, tempting), answers))
    if gain > 0 and broken:
        names = _name(guarded.endpoint for guarded in broken)
        yield (
            f"{count(gain, 'more check')} could pass, but only by breaking {names}, which passes today with the same list "
            f"({broken[0].verdict.error}). It is not planned. Have the certificates of both services signed by one CA, and trust "
            "that."
        )


def _name(endpoints: Iterable[Endpoint]) -> str:
    return first_few(list(dict.fromkeys(map(name_with_service, endpoints))))
