"""A plan as a change ticket in Markdown: what changes on which peer, impact, verification, way back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediate.model.canonical import rfc3339
from remediate.model.identity import Address
from remediate.model.plan import Action, Plan, RemoveCertificate, SetCiphers, TrustCertificate
from remediate.model.text import count, escape
from remediate.report.view import (
    Left,
    alarms_of,
    approvals_required,
    by_hand,
    headline,
    incompleteness_of,
    left_over,
    matrix_of,
    other_notes,
    peers_of,
    reasons_of,
    sums_of,
    symbol_of,
)

_MARKUP = re.compile(r"[\\`*_\[\]<>|#~&!]")


def plan_ticket(plan: Plan) -> str:
    """Return the ticket. Untrusted text stands in code spans, where Markdown interprets nothing."""
    parts = (_summary, _matrix, _changes, _approvals, _impact, _verification, _rollback, _unresolved, _notes)
    return "\n".join(line for part in parts for line in part(plan)) + "\n"


def code(text: str) -> str:
    """Return untrusted `text` as a code span that also holds inside a table."""
    shown = escape(text, 2500).replace("`", "'").replace("|", "\\|")
    return f"`{shown}`" if shown.strip() else "`(empty)`"


def prose(text: str) -> str:
    """Return `text`, in which untrusted names stand, with everything escaped that Markdown would interpret."""
    return _MARKUP.sub(r"\\\g<0>", escape(text, 2500))


def _summary(plan: Plan) -> Iterator[str]:
    sums = sums_of(plan.endpoints)
    yield f"# Change: trust on Expressway-C cluster {code(plan.cluster)}"
    yield ""
    yield f"- Plan: {code(plan.id)}, made {rfc3339(plan.made_at)}"
    yield f"- Peers: {', '.join(code(peer) for peer in plan.base) or 'none'}"
    yield f"- Result: {sums.before} of {sums.pairs} pairs of peer and endpoint verify now, {sums.after} after the change"
    if sums.unseen:
        yield f"- Not looked at (?): {count(sums.unseen, 'pair')}"
    yield from (f"- **{prose(alarm)}**" for alarm in alarms_of(plan))
    if not plan.complete:
        yield "- **Incomplete**: not everything could be seen"
        yield from (f"  - {prose(sentence)}" for sentence in incompleteness_of(plan))


def _matrix(plan: Plan) -> Iterator[str]:
    matrix = matrix_of(plan.endpoints)
    yield from ("", "## Endpoints, before → after", "")
    yield f"| endpoint | {' | '.join(code(label) for label in matrix.labels)} | cause |"
    yield f"|---|{':-:|' * len(matrix.peers)}---|"
    for row in matrix.rows:
        cells = ("·" if cell is None else f"{symbol_of(cell.before)} → {symbol_of(cell.after)}" for cell in row.cells)
        yield f"| {code(row.endpoint)} | {' | '.join(cells)} | {', '.join(row.causes)} |"


def _changes(plan: Plan) -> Iterator[str]:
    yield from ("", "## Changes", "")
    if not plan.actions:
        yield "None."
    for peer in plan.base:
        own = [action for action in plan.actions if peer in peers_of(action)]
        if own:
            yield from _peer_changes(peer, own, plan)
    shared = [action for action in plan.actions if not peers_of(action)]
    if shared:
        yield "### The cluster as a whole"
        yield ""
        yield from (line for action in shared for line in _change(action, plan))


def _peer_changes(peer: Address, actions: list[Action], plan: Plan) -> Iterator[str]:
    yield f"### {code(peer)}"
    yield ""
    yield from (line for action in actions for line in _change(action, plan))
    yield ""


def _change(action: Action, plan: Plan) -> Iterator[str]:
    yield f"- **{action.id}** {prose(headline(action, plan))}"
    if isinstance(action, TrustCertificate | RemoveCertificate):
        yield f"  - fingerprint {code(action.certificate)}"
    if isinstance(action, SetCiphers):
        yield f"  - from {code(action.before)}"
        yield f"  - to {code(action.after)}"
    if reasons_of(action):
        yield f"  - for {', '.join(code(reason) for reason in reasons_of(action))}"
    if page := by_hand(action):
        yield f"  - by hand: {page}"


def _approvals(plan: Plan) -> Iterator[str]:
    required = approvals_required(plan)
    if required:
        yield from ("", "## Approvals needed", "")
        yield "Compare each fingerprint with the server's own, over another path, before approving it."
        yield ""
        yield from (f"- [ ] {code(one.certificate)} {prose(headline(one, plan))}" for one in required)


def _impact(plan: Plan) -> Iterator[str]:
    kinds = {action.kind for action in plan.actions}
    yield from ("", "## Impact", "")
    if not plan.actions:
        yield "- None."
    if "trust-certificate" in kinds:
        yield "- Appending to a trusted CA list takes nothing away: what verifies today goes on verifying, as the table shows."
    if "set-ciphers" in kinds:
        yield "- The cipher list of the traffic server changes on the primary and replicates to the other peers in about a minute."
    if "remove-certificate" in kinds:
        yield "- A stale certificate leaves the trusted CA list; whatever relied on it alone is refused afterwards."
    if "restart-peer" in kinds:
        yield "- Peers restart one at a time, and only where a test shows that the new trust is not in effect."


def _verification(plan: Plan) -> Iterator[str]:
    sums = sums_of(plan.endpoints)
    yield from ("", "## Verification", "")
    yield "- Each change is read back from the peer before the next peer is touched."
    yield f"- Afterwards `remediate verify -i INVENTORY` must show {sums.after} of {count(sums.pairs, 'pair')} verified."


def _rollback(plan: Plan) -> Iterator[str]:
    if not plan.actions:
        return
    yield from ("", "## Rollback", "")
    yield "- `remediate rollback RUN -i INVENTORY` undoes the run (`remediate runs` names it) from its journal."
    yield "- Where a peer does not offer removal (`remediate doctor` says so), it names each certificate for a person to delete."
    yield "- Last resort, where the version offers it: `remediate workaround on -i INVENTORY` turns verification off on every peer."


def _unresolved(plan: Plan) -> Iterator[str]:
    if plan.unresolved:
        yield from ("", "## Not fixed by this change", "")
        yield from (line for one in left_over(plan.unresolved) for line in _stays(one))


def _stays(one: Left) -> Iterator[str]:
    yield f"- {', '.join(map(code, one.endpoints))} **{one.cause.value}**: {prose(one.advice)}"
    yield from (f"  - {prose(option)}" for option in one.options)


def _notes(plan: Plan) -> Iterator[str]:
    if other_notes(plan):
        yield from ("", "## Notes", "")
        yield from (f"- {prose(note)}" for note in other_notes(plan))
