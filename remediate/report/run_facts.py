"""Facts of one run, for every view of it: its work on each peer, its times, what it measured and what clients got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remediate.language.messages import mark_words, translate
from remediate.model.canonical import parse_rfc3339
from remediate.model.effect import ClientState
from remediate.model.measurement import PairMeasurement
from remediate.model.plan import EndpointForecast, Plan
from remediate.model.text import count
from remediate.report.cards import Card
from remediate.report.check_counts import count_passing, count_share
from remediate.report.moments import format_duration, format_moment
from remediate.report.names import ShortNames

_RESTART = "restart-peer"
_WORDS = {
    "trust-certificate": "add certificate",
    "remove-certificate": "remove certificate",
    "set-ciphers": "change cipher list",
    "refresh-discovery": "refresh discovery",
    "verify-origin-server": "switch verification",
    "trust-on-node": "upload to node",
    "delete-on-node": "delete on node",
    _RESTART: "restart peer",
}
"""Kinds of steps in words."""
_MADE = frozenset({"done", "undone"})
_COUNTED = frozenset({"trust-certificate", "remove-certificate", _RESTART})


_FACTS = mark_words("publisher", "product", "store", "name", "before", "after", "certificate")


@dataclass(frozen=True, slots=True)
class PeerWork:
    """The work of a run on one peer.

    Attributes:
        added: How many certificates it added, as read back.
        removed: How many it removed, as read back.
        other_changes: Its changes beside the lists: cipher lists, discovery, verification.
        restart: How long a restart took; empty: there was none.
        effect: Whether the change is in effect there.
        seconds: From the first write to this peer to the last reading; None: it was not written to.
    """

    peer: str
    added: int
    removed: int
    other_changes: tuple[str, ...]
    restart: str
    effect: str
    seconds: float | None


def name_step(step: Mapping[str, Any]) -> str:
    """Return in words what a step of a run does."""
    kind = str(step["kind"])
    return _WORDS.get(kind, kind)


def describe_fact(name: str, value: str) -> str:
    """Return one fact of a step, in the language in use: `publisher cucm.test`."""
    return f"{translate(name) if name in _FACTS else name} {value}"


def list_peer_work(record: Mapping[str, Any]) -> tuple[PeerWork, ...]:
    """Return the work on each peer of the run in `record`; see `report.run.run_record`."""
    return tuple(_work_on(peer, record) for peer in record["peers"])


def _work_on(peer: str, record: Mapping[str, Any]) -> PeerWork:
    steps = [step for step in record["steps"] if step["peer"] == peer]
    changes = [step for step in steps if step["state"] in _MADE]
    kinds = [step["kind"] for step in changes]
    restarts = [step for step in steps if step["kind"] == _RESTART]
    effect = (record["in_effect"] or {}).get(peer)
    return PeerWork(
        peer,
        kinds.count("trust-certificate"),
        kinds.count("remove-certificate"),
        tuple(_count_alike(f"{name_step(step)} ({step['state']})" for step in changes if step["kind"] not in _COUNTED)),
        ", ".join(_describe_restart(step) for step in restarts),
        effect["state"].replace("-", " ") if effect else "not checked",
        _seconds_between(steps),
    )


def _count_alike(changes: Iterable[str]) -> Iterator[str]:
    for change, number in Counter(changes).items():
        yield change if number == 1 else f"{number} times {change}"


def _describe_restart(step: Mapping[str, Any]) -> str:
    seconds = _seconds_between([step])
    state = step["state"]
    return state if seconds is None else f"{state} after {format_duration(seconds)}"


def _seconds_between(steps: Sequence[Mapping[str, Any]]) -> float | None:
    ends = [step["ended_at"] for step in steps if step["ended_at"]]
    if not ends:
        return None
    begin = min(step["started_at"] for step in steps)
    return (parse_rfc3339(max(ends)) - parse_rfc3339(begin)).total_seconds()


def describe_measurements(pairs: Sequence[PairMeasurement]) -> str:
    """Return what a run measured, in a sentence."""
    if not pairs:
        return "This run measured no endpoint."
    before = sum(pair.before is not None and pair.before.ok for pair in pairs)
    after = sum(pair.after.ok for pair in pairs)
    unseen = sum(not pair.after.observed for pair in pairs)
    not_checked = f" {unseen} not checked (?)." if unseen else ""
    if all(pair.before is None for pair in pairs):
        return f"Measured by this run: {count_passing(after, len(pairs))}.{not_checked}"
    checks, now = count_share(before, len(pairs)), count(after, "passes now", "pass now")
    return f"Measured by this run: {checks} passed before, {now}.{not_checked}"


def describe_clients(pairs: Iterable[PairMeasurement]) -> str:
    """Return what clients got, in a sentence."""
    states = Counter(pair.client.state for pair in pairs)
    results = [f"{states[state]} {state.value}" for state in (ClientState.REACHED, ClientState.REFUSED) if states[state]]
    if unknown := states[ClientState.NOT_KNOWN]:
        results.append(count(unknown, "result not known", "results not known"))
    return f"Clients: {', '.join(results)}." if results else "No client request was sent."


def list_run_cards(record: Mapping[str, Any], pairs: Sequence[PairMeasurement], peers: ShortNames) -> tuple[Card, ...]:
    """Return the answers of a run: how it ended, how long it took, what restarted, what clients got."""
    work = list_peer_work(record)
    restarted = [peer for peer in work if peer.restart]
    code = "not recorded" if record["exit_code"] is None else str(int(record["exit_code"]))
    restart_detail = (
        "; ".join(f"{peers[peer.peer]}: {peer.restart}" for peer in restarted) or "No peer was restarted by this run."
    )
    title = count(len(restarted), "peer restarted", "peers restarted") if restarted else "None"
    return (
        Card("Result", record["state"], f"Exit code {code}.", urgent=record["state"] not in {"applied", "rolled-back"}),
        Card("Duration", _describe_duration(record), f"Started {format_moment(parse_rfc3339(record['started_at']))}."),
        Card("Restarts", title, restart_detail),
        Card("Clients", *_client_card(pairs)),
    )


def _client_card(pairs: Sequence[PairMeasurement]) -> tuple[str, str]:
    if not pairs:
        return "Not measured", describe_measurements(pairs)
    views = [pair.client for pair in pairs if pair.client.state is not ClientState.NOT_ASKED]
    if not views:
        return "Not measured", "No client request was sent. Only the certificates were checked."
    reached = sum(view.state is ClientState.REACHED for view in views)
    detail = "No request was refused." if reached == len(views) else describe_clients(pairs)
    return f"{reached} of {len(views)} reached", detail


def _describe_duration(record: Mapping[str, Any]) -> str:
    if not record["ended_at"]:
        return "Not ended"
    return format_duration((parse_rfc3339(record["ended_at"]) - parse_rfc3339(record["started_at"])).total_seconds())


def list_run_forecasts(pairs: Iterable[PairMeasurement], plan: Plan | None) -> tuple[EndpointForecast, ...]:
    """Return what was measured before and after as forecasts, so that a matrix shows them as it shows a plan."""
    products = {forecast.endpoint: forecast.product for forecast in plan.endpoints} if plan else {}
    return tuple(
        EndpointForecast(
            pair.address, pair.port, pair.peer, pair.before or pair.after, pair.after, products.get(pair.pair.endpoint)
        )
        for pair in pairs
    )
