"""The refresh of discovery (step 11): last, after every peer is done, on the primary, and what it changed.

It is no part of the trust that was written, so what goes wrong with it undoes nothing: it becomes a reminder that names the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from remediate.executor import changes
from remediate.executor.context import RunContext, RunState
from remediate.executor.operations import RefreshOnPrimary
from remediate.executor.ports import PeerPort, PublisherPort
from remediate.executor.result import ManualStep
from remediate.executor.steps import Step
from remediate.executor.writer import ChangeOutcome, Writer
from remediate.model.errors import ObservationError
from remediate.model.expressway import REFRESH_PRICE, SERVERS_PAGES
from remediate.model.plan import RefreshDiscovery
from remediate.model.snapshot import Snapshot
from remediate.model.text import escape_ascii, first_few

_AUTOMATIC_ZONES = ("CEtcp-", "CEtls-", "CEOAuth")
"""Beginnings of the names of the zones that Expressway makes for each discovered Unified CM node (MRA deployment guide X15.2)."""


def refresh_discovery(context: RunContext, state: RunState, writer: Writer) -> None:
    """Refresh discovery on the primary, or remind a person of it where it cannot be done, or another step has to be done first."""
    context.steps.enter(Step.REFRESH)
    refreshes = changes.list_refreshes(context.plan, context.primary, context.cluster.axl)
    primary = context.open_peer(context.primary)
    is_waiting = any(step.open for step in state.open_steps)
    automatic = [action for action, _ in refreshes if action.by != "person"] if primary and not is_waiting else []
    if automatic:
        publishers = ", ".join(action.publisher for action in automatic)
        context.events.emit(
            "reminder", f"Discovery of {publishers} is refreshed last. {REFRESH_PRICE}", step=Step.REFRESH.value
        )
    for action, change in refreshes:
        if primary and action in automatic and _refresh(context, state, writer, primary, change):
            continue
        _remind(context, state, action, change, is_waiting=is_waiting)


def _refresh(context: RunContext, state: RunState, writer: Writer, primary: PeerPort, change: RefreshOnPrimary) -> bool:
    """Refresh one publisher and compare its settings; return False where it is left to a person."""
    before = _read_settings(primary, change)
    if before is None:
        return False
    if state.zones_before_refresh is None:
        state.zones_before_refresh = _list_zones(primary)
    outcome = writer.carry_out(primary, change, Step.REFRESH)
    if outcome is ChangeOutcome.MADE:
        state.is_refreshed = True
        after = _find_settings(primary.last_publishers(), change)
        for difference in _compare_settings(before, after) if after is not None else ():
            text = f"The refresh changed {difference} of {change.publisher}: correct it on {SERVERS_PAGES[change.product]}."
            state.add_open_step(context.events, ManualStep(text, change.peer))
    return outcome is not ChangeOutcome.MANUAL


def _remind(
    context: RunContext, state: RunState, action: RefreshDiscovery, change: RefreshOnPrimary, *, is_waiting: bool
) -> None:
    parts = ["When the steps above are done:"] if is_waiting else []
    parts += [change.manual_instruction, *([action.warning] if action.warning else [])]
    text = " ".join(parts)
    context.events.emit("manual-step", text, step=Step.REFRESH.value, open=False)
    state.open_steps.append(ManualStep(text, context.primary, open=False, is_refresh=True))


def describe_discovery_changes(context: RunContext, state: RunState, before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Return a sentence for each difference in what is discovered since a refresh; none where nothing was refreshed."""
    if not state.is_refreshed:
        return ()
    sentences = [*_compare_servers(before, after)]
    primary = context.open_peer(context.primary)
    zones = _list_zones(primary) if primary else None
    if zones is not None and state.zones_before_refresh is not None:
        lost_zones, new_zones = sorted(state.zones_before_refresh - zones), sorted(zones - state.zones_before_refresh)
        sentences += [f"After the refresh, the primary no longer has the zones {_name(lost_zones)}."] if lost_zones else []
        sentences += [f"After the refresh, the primary has new zones: {_name(new_zones)}."] if new_zones else []
    return tuple(sentences)


def _compare_servers(before: Snapshot, after: Snapshot) -> Iterator[str]:
    found_before = {f"{endpoint.address} ({endpoint.product})" for endpoint in before.endpoints}
    found_after = {f"{endpoint.address} ({endpoint.product})" for endpoint in after.endpoints}
    if lost_servers := sorted(found_before - found_after):
        yield f"After the refresh, discovery no longer finds {_name(lost_servers)}."
    if new := sorted(found_after - found_before):
        yield f"After the refresh, discovery also finds {_name(new)}."


def _name(names: list[str]) -> str:
    return first_few([escape_ascii(name) for name in names], 10)


def _list_zones(primary: PeerPort) -> frozenset[str] | None:
    zones = primary.health({"zones"}).zones
    return None if zones is None else frozenset(name for name in zones if name.startswith(_AUTOMATIC_ZONES))


def _read_settings(primary: PeerPort, change: RefreshOnPrimary) -> Mapping[str, object] | None:
    """Return the settings of the publisher as the primary shows them now; None: not read, or it is not listed."""
    try:
        return _find_settings(primary.publishers(change.product), change)
    except ObservationError:
        return None


def _find_settings(publishers: Sequence[PublisherPort], change: RefreshOnPrimary) -> Mapping[str, object] | None:
    return next(
        (
            publisher.settings
            for publisher in publishers
            if (publisher.address, publisher.product) == (change.publisher, change.product)
        ),
        None,
    )


def _compare_settings(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            old, new = escape_ascii(str(before.get(name, "not set"))), escape_ascii(str(after.get(name, "not set")))
            yield f"{escape_ascii(name)} from {old} to {new}"
