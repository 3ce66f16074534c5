"""Step 11: restart the peers on which the change is not in effect, one at a time, and see that it is in effect then."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from remediate.executor import changes
from remediate.executor.byhand import ByHand, for_a_person
from remediate.executor.context import Job, Seen
from remediate.executor.effect import Client, Effect
from remediate.executor.operations import RestartOnPeer
from remediate.executor.steps import Step
from remediate.executor.writer import Made
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE
from remediate.model.identity import Address


def restarted(job: Job, seen: Seen) -> Iterator[ByHand]:
    """Ask through each peer that the plan changes, and restart as `ApplyOptions.restart` says.

    Where one does not come back, or does not let clients through then, the others are left alone; that is for a person.
    """
    job.walk.enter(Step.RESTART)
    order = job.order
    peers = changes.peers_to_restart(order.plan, everywhere=order.options.restart == "rolling")
    if job.recorder is None:
        return _rehearse(job, peers)
    work = _Restarts(job, Client(job, seen))
    ways = {"never": work.only_say, "if-needed": work.if_needed, "rolling": work.in_any_case}
    steps = map(ways[order.options.restart], [peer for peer in peers if job.box_of(peer)])
    found = [step for step in steps if step] if order.options.restart == "never" else _first(steps)
    work.remind()
    return iter(found)


def _first(steps: Iterator[ByHand | None]) -> list[ByHand]:
    """The first step that is left for a person, which ends the others."""
    return list(itertools.islice((step for step in steps if step), 1))


def _rehearse(job: Job, peers: Sequence[Address]) -> Iterator[ByHand]:
    """Say what would be restarted in any case; what clients get depends on what was not written."""
    for peer in peers if job.order.options.restart == "rolling" else ():
        box = job.box_of(peer)
        if box is not None:
            job.writer.carry_out(box, RestartOnPeer(peer), Step.RESTART)
    if peers:
        text = f"Whether the change is in effect on {', '.join(peers)}: unknown until apply."
        job.order.voice.say("unknown", text, step=Step.RESTART.value)
    return iter(())


@dataclass(slots=True)
class _Restarts:
    """One peer after the other. Each way returns the step that is left for a person, which ends it.

    Attributes:
        unknown: the peers of which is not known whether the change is in effect, and why.
    """

    job: Job
    client: Client
    unknown: dict[Address, str] = field(default_factory=dict)

    def only_say(self, peer: Address) -> ByHand | None:
        """``never``: a change that is seen not to be in effect is no success, so its restart is an open step."""
        effect = self._said(peer, self.client.effect_on(peer))
        if effect.known is not False:
            return None
        text = (
            f"A request through {peer} {effect.said}, and nothing restarts with --restart never. "
            f"{RestartOnPeer(peer).manual_instruction}"
        )
        return for_a_person(self.job.order.voice, text)

    def if_needed(self, peer: Address) -> ByHand | None:
        """``if-needed``."""
        before = self._said(peer, self.client.effect_on(peer))
        if before.known is not False:
            return None
        not_back = self._restart(peer)
        if not_back:
            return not_back
        after = self._said(peer, self.client.effect_after_restart(peer, before.refused))
        return None if after.known else self._did_not_help(peer, after)

    def in_any_case(self, peer: Address) -> ByHand | None:
        """``rolling``."""
        not_back = self._restart(peer)
        if not_back:
            return not_back
        after = self._said(peer, self.client.effect_after_restart(peer))
        return self._did_not_help(peer, after) if after.known is False else None

    def remind(self) -> None:
        """Say of which peers it is not known whether the change is in effect, and what a person does about it."""
        if not self.unknown:
            return
        why = _grouped(self.unknown)
        if self.job.order.options.restart == "rolling":
            text = f"Restarted, but that clients get through was not seen ({why}): send a request through each of these peers."
        else:
            text = (
                f"Whether the traffic server has loaded the change cannot be seen from here ({why}): send a request "
                "through each of these peers, and restart those that still answer 502, one at a time."
            )
        self.job.order.voice.say("reminder", text, step=Step.RESTART.value)

    def _restart(self, peer: Address) -> ByHand | None:
        order, box = self.job.order, self.job.box_of(peer)
        change = RestartOnPeer(peer, order.limits, order.world.pause)
        if box is None or self.job.writer.carry_out(box, change, Step.RESTART) is not Made.BY_HAND:
            return None
        text = f"Whether {peer} restarted is not known; no other peer was restarted. {change.manual_instruction}"
        return for_a_person(order.voice, text)

    def _said(self, peer: Address, effect: Effect) -> Effect:
        voice, step = self.job.order.voice, Step.RESTART.value
        self.unknown.pop(peer, None)
        if effect.known is None:
            self.unknown[peer] = effect.said
        elif effect.known:
            voice.say("in-effect", f"In effect: a request through {peer} {effect.said}.", step=step, peer=peer)
        else:
            voice.say("not-in-effect", f"Not in effect: a request through {peer} {effect.said}.", step=step, peer=peer)
        return effect

    def _did_not_help(self, peer: Address, after: Effect) -> ByHand:
        found = "still " if after.known is False else "does not get through: "
        self.unknown.pop(peer, None)
        return for_a_person(
            self.job.order.voice,
            f"{peer} was restarted, and a request through it {found}{after.said}. No other peer was restarted. Take a diagnostic log "
            f"of {peer} ({DIAGNOSTIC_LOGGING_PAGE}) while a client asks again, "
            "and look for `verification failed` and `not in certificate`.",
        )


def _grouped(reasons: Mapping[Address, str]) -> str:
    """``expc1, expc2: one reason; expc3: another``."""
    peers: dict[str, list[Address]] = {}
    for peer, reason in reasons.items():
        peers.setdefault(reason, []).append(peer)
    return "; ".join(f"{', '.join(those)}: {reason}" for reason, those in peers.items())
