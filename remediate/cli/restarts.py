"""Restarts on the command line: what the options and the inventory ask for, what is shown of a peer, the question on its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediate.language.messages import mark_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import timedelta

    from remediate.cli.session import Session
    from remediate.executor.guards import GuardFinding
    from remediate.executor.restart_preview import PeerPreview, RestartPreview
    from remediate.executor.result import RestartOptions
    from remediate.model.access import ClusterAccess
    from remediate.model.restart import Calls, Restart

MAINTENANCE_NOTE = "Maintenance mode drops MRA calls of CE endpoints at once; other calls may end by themselves."

REGISTRATIONS_NOTE = "MRA clients are not among these registrations: they register on Unified CM."
(_ASSUMED,) = mark_words("assumed")


def make_restart_options(session: Session, calls: Calls | None, drain_for: timedelta, assume: Iterable[str]) -> RestartOptions:
    """Return how peers are restarted; calls that are left after a drain are asked about where there is a terminal."""
    from remediate.executor.result import RestartOptions
    from remediate.model.restart import Guard

    ask = _question_on_calls(session) if session.may_ask else None
    return RestartOptions(calls, drain_for, frozenset(Guard(name) for name in assume), ask)


def choose_calls(calls: Calls | None, cluster: ClusterAccess, restart: Restart, *, yes: bool) -> Calls | None:
    """Return what happens to calls; None: with ``--yes``, `if-needed` restarts nothing without that choice."""
    chosen = calls or cluster.restarts.calls
    return chosen if chosen or (yes and restart == "if-needed") else "drain"


def restart_lines(cluster: ClusterAccess, restart: Restart, options: RestartOptions) -> Iterator[str]:
    """Yield what a person has to know of the restarts that an apply or a rollback may make."""
    if restart == "never":
        return
    peers = "each peer that it changes" if restart == "rolling" else "a peer on which the change is known not to be in effect"
    minutes = f"{options.drain_for.total_seconds() / 60:.0f} min"
    how = "after ending its calls" if options.calls == "end" else f"after draining it for up to {minutes}"
    yield f"--restart {restart} restarts {peers}, one at a time, {how}. {MAINTENANCE_NOTE}"
    if len(cluster.peers) == 1:
        yield f"The inventory names one peer of {cluster.name}: where it is the only one, MRA stops while it restarts."


def calls_now(session: Session, cluster: ClusterAccess, options: RestartOptions) -> str:
    """Return how many calls each peer carries now, over connections that cannot write; where it cannot be read, why."""
    from remediate.executor.restart_choice import RestartRequest
    from remediate.executor.restart_preview import preview_restart
    from remediate.model.errors import RemediateError

    request = RestartRequest((), everywhere=True, restarts=options)
    try:
        preview = preview_restart(cluster, request, state_dir=session.state_dir, limits=session.limits)
    except RemediateError as error:
        return f"How many calls the peers carry could not be read: {error}"
    peers_by_load: dict[str, list[str]] = {}
    for peer in preview.peers:
        peers_by_load.setdefault(_describe_load(peer), []).append(peer.peer)
    loads = [f"{', '.join(peers)} ({load})" for load, peers in peers_by_load.items()]
    return f"Now: {'; '.join(loads)}. {REGISTRATIONS_NOTE}"


def _question_on_calls(session: Session) -> Callable[[str], bool]:
    def may_end(question: str) -> bool:
        from remediate.cli.questions import read_answer

        with session.hide_progress():
            session.say("")
            try:
                return (
                    read_answer(question, "Type yes to end them; anything else leaves the peer in service: ").strip() == "yes"
                )
            except EOFError:
                return False

    return may_end


def preview_lines(preview: RestartPreview) -> Iterator[str]:
    """Yield what a person has to see before peers of a cluster are restarted: each in its order, with its guards and calls."""
    from remediate.report.lines import colon

    yield f"{preview.cluster}{colon()}" if preview.peers else f"{preview.cluster}: no peer needs a restart."
    for number, peer in enumerate(preview.peers, start=1):
        yield f"  {number}. {peer.peer}: {_describe_load(peer)}"
        yield f"     in effect: {peer.effect.state.value} ({peer.effect.description})"
        yield from _guard_lines(peer.findings)
    if preview.peers:
        yield f"  {REGISTRATIONS_NOTE}"
        yield f"  One at a time. {MAINTENANCE_NOTE}"
    if preview.peers and preview.is_single:
        yield "  This cluster has one peer: while it restarts, MRA stops."


def _guard_lines(findings: Iterable[GuardFinding]) -> Iterator[str]:
    """Yield one line for the guards that hold, and one for each other."""
    from remediate.executor.guards import GuardState
    from remediate.model.text import count

    doubts = [finding for finding in findings if finding.assumed or finding.state is not GuardState.HOLDS]
    guards = [finding.guard.value for finding in findings if finding not in doubts]
    for finding in doubts:
        state = _ASSUMED if finding.assumed else finding.state.value.replace("-", " ")
        yield f"     {finding.guard.value}: {state}. {finding.description}"
    if guards:
        yield f"     {count(len(guards), 'guard holds', 'guards hold')}: {', '.join(guards)}."


def _describe_load(peer: PeerPreview) -> str:
    from remediate.model.text import count

    calls = "calls not observed" if peer.calls is None else count(peer.calls, "call")
    registered = "registrations not observed" if peer.registrations is None else count(peer.registrations, "registration")
    return f"{calls}, {registered}"


def count_calls(previews: Sequence[RestartPreview]) -> str:
    """Return how many calls the peers carry: ``3 calls``, ``at least 3 calls``."""
    from remediate.model.text import count

    calls = [peer.calls for preview in previews for peer in preview.peers]
    total = count(sum(number or 0 for number in calls), "call")
    return f"at least {total}" if None in calls else total


def preview_json(preview: RestartPreview) -> dict[str, Any]:
    """Return what `restart --dry-run` prints of a cluster under ``--json``."""
    return {
        "window_closed": preview.is_closed,
        "peers": [
            {
                "peer": peer.peer,
                "in_effect": peer.effect.state.value,
                "by": peer.effect.source.value if peer.effect.source else None,
                "said": peer.effect.description,
                "calls": peer.calls,
                "registrations": peer.registrations,
                "guards": [
                    {
                        "guard": finding.guard.value,
                        "state": finding.state.value,
                        "said": finding.description,
                        "assumed": finding.assumed,
                    }
                    for finding in peer.findings
                ],
            }
            for peer in preview.peers
        ],
    }
