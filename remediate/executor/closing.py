"""Step 13: say what a run came to, in the journal and to the caller."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.executor.byhand import ByHand, excuse
from remediate.executor.confirm_timer import restart_countdown
from remediate.executor.context import Job
from remediate.executor.recovery import confirm_command
from remediate.executor.result import ManualStep, RunResult
from remediate.executor.sending import ChangeFailed
from remediate.executor.steps import Step
from remediate.executor.verification import Verification
from remediate.executor.writer import Recorder
from remediate.model.exit_codes import most_serious
from remediate.model.run import RunState
from remediate.model.text import count

_TIMER_ENDED = " It stays: the timer of the earlier apply has ended, as this one was started without it."


class VerificationFailed(ChangeFailed):
    """After the writes, an endpoint is refused that the plan says verifies."""

    def __init__(self, message: str, seen: Verification) -> None:
        super().__init__(message)
        self.seen = seen


def close(job: Job, seen: Verification, by_hand: Sequence[ByHand]) -> RunResult:
    """Close a run that was verified. Raises VerificationFailed instead when the plan did not come true."""
    broken, texts = excuse(seen, by_hand)
    open_steps = tuple(ManualStep(text) for text in texts)
    run = job.recorder.run if job.recorder else ""
    if broken:
        said = "; ".join(seen.sentence(one) for one in broken)
        raise VerificationFailed(f"The plan says that these endpoints verify, and they are refused: {said}.", seen)
    job.walk.enter(Step.CLOSE)
    job.order.stop.closing = True
    deadline = restart_countdown(job.order, job.recorder) if job.recorder and run else None
    state: RunState = "partial" if open_steps else "confirm-pending" if deadline else "applied"
    code = most_serious(
        [8 if open_steps else 0, 4 if seen.unseen or seen.gaps else 0, 10 if seen.remaining else 0, 9 if deadline else 0]
    )
    message = _sentence(seen, open_steps, did=bool(run))
    if job.recorder and run:
        message += _TIMER_ENDED if job.recorder.ended_a_timer else ""
        job.recorder.journal.close_run(run, state, f"{message} To be confirmed by {deadline}." if deadline else message)
    if job.recorder and deadline:
        message = f"{message} {_what_to_confirm(job, job.recorder, deadline, open_steps)}"
    job.order.voice.say("run-state", message, state=state, exit_code=code, confirm_by=deadline)
    changed = job.recorder.changed if job.recorder else False
    return RunResult(run or _earlier_run(job), state, code, open_steps, seen.judgements, changed, message, deadline)


def _what_to_confirm(job: Job, recorder: Recorder, deadline: str, open_steps: Sequence[ManualStep]) -> str:
    if open_steps:
        return f"It is rolled back at {deadline}, unless the same plan is applied again to its end, and confirmed, before."
    return f"It is rolled back unless it is confirmed by {deadline}: {confirm_command(recorder.run, job.order.state_dir)}"


def close_rehearsal(job: Job, by_hand: Sequence[ByHand]) -> RunResult:
    """Close a dry run: nothing was written; the exit code is what the plan and the open steps let expect."""
    plan, voice = job.order.plan, job.order.voice
    voice.say("unknown", "What every endpoint gets from every peer afterwards: unknown until apply.", step=Step.VERIFY.value)
    job.walk.enter(Step.CLOSE)
    open_steps = tuple(ManualStep(one.text) for one in by_hand if one.open)
    refused = any(not endpoint.after.verdict.ok for endpoint in plan.endpoints)
    code = most_serious([8 if open_steps else 0, 10 if refused else 0])
    stay = sum(not endpoint.after.verdict.ok for endpoint in plan.endpoints)
    rest = f" By the plan, {count(stay, 'stays', 'stay')} refused that no trust or cipher change fixes." if stay else ""
    return RunResult("", "dry-run", code, open_steps, (), changed=False, message=f"Dry run: nothing was written.{rest}")


def _earlier_run(job: Job) -> str:
    """The run that did what this one found done."""
    plan = job.order.plan
    runs = job.recorder.journal.runs() if job.recorder else ()
    return next((run.id for run in runs if run.cluster == plan.cluster and run.plan == plan.id and run.state == "applied"), "")


def _sentence(seen: Verification, open_steps: Sequence[ManualStep], *, did: bool) -> str:
    parts = ["Applied and read back." if did else "Nothing to do: the cluster is as the plan wants it."]
    parts += [f"{count(len(open_steps), 'step is', 'steps are')} open for a person."] if open_steps else []
    parts += [f"{count(len(seen.unseen), 'endpoint')} could not be looked at."] if seen.unseen else []
    parts += [f"Discovery could not ask, so an endpoint may be missing: {gap}" for gap in seen.gaps]
    parts += [f"{count(len(seen.remaining), 'stays', 'stay')} refused, as before."] if seen.remaining else []
    return " ".join(parts if len(parts) > 1 else [*parts, "Every endpoint verifies from every peer."])
