"""Plan as a change ticket in Markdown: what changes on which peer, impact, verification, rollback."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediate.language.messages import translate, translate_for_page
from remediate.model.expressway import REFRESH_PRICE
from remediate.model.identity import Address, is_ip
from remediate.model.plan import Action, Plan, RemoveCertificate, SetCiphers, TrustCertificate, TrustOnNode
from remediate.model.text import count, escape
from remediate.report.cards import list_cards
from remediate.report.check_counts import count_passing
from remediate.report.lines import colon
from remediate.report.moments import format_moment
from remediate.report.toward_nodes import TOWARD_NODES, describe_toward_nodes
from remediate.report.view import (
    NO_CHANGE_AHEAD,
    UnresolvedGroup,
    approvals_required,
    arrange_matrix,
    count_pairs,
    describe_approval,
    describe_future,
    group_unresolved,
    headline,
    incompleteness_of,
    last_resort,
    manual_page,
    peers_of,
    reasons_of,
    refresh_notes,
    restarts_after_uploads,
    summarise_verdicts,
    symbol_of,
)

_LINE_MARK = re.compile(r" *(#+ |- )?(\*\*a\d+\*\* )?")
_MARKUP = re.compile(r"[\\`*_\[\]<>|#~&!]")


def plan_ticket(plan: Plan, next_step: str = "") -> str:
    """Return the ticket of `plan`; `next_step` is what to do with it.

    Untrusted text is put in code spans, where Markdown interprets nothing.
    """
    parts = (
        _write_matrix,
        _write_changes,
        _write_approvals,
        _write_impact,
        _write_verification,
        _write_rollback,
        _write_unresolved,
        _write_toward_nodes,
        _write_future,
        _write_notes,
    )
    lines = [*_write_summary(plan), *([f"- {next_step}"] if next_step else [])]
    lines += [line for part in parts for line in part(plan)]
    return "\n".join(map(translate_line, lines)) + "\n"


def translate_line(line: str) -> str:
    """Return a line of Markdown in the language in use; the mark of a heading or an entry stays."""
    mark = _LINE_MARK.match(line)
    end = mark.end() if mark else 0
    return f"{line[:end]}{translate_for_page(line[end:])}"


def code(text: str) -> str:
    """Return untrusted `text` as a code span, which may be part of a table."""
    literal = escape(text, 2500).replace("`", "'").replace("|", "\\|")
    return f"`{literal}`" if literal.strip() else "`(empty)`"


def prose(text: str) -> str:
    """Return `text`, which may contain untrusted names, with all Markdown syntax escaped."""
    return _MARKUP.sub(r"\\\g<0>", escape(translate(text), 2500))


def _write_summary(plan: Plan) -> Iterator[str]:
    sums = count_pairs(plan.endpoints)
    title = f"Change: trust on Expressway-C cluster {code(plan.cluster)}"
    yield f"# {translate(title)}"
    yield ""
    yield from (f"**{prose(' '.join(summarise_verdicts(plan)))}**", "")
    yield f"- Plan: {code(plan.id)}, made {format_moment(plan.made_at)}"
    yield f"- Peers: {', '.join(_name(peer, plan) for peer in plan.base) or 'none'}"
    yield f"- Result: {count_passing(sums.before, sums.pairs)} now, {sums.after} after the change"
    if sums.unseen:
        yield f"- Not checked (?): {count(sums.unseen, 'check')}"
    yield from (f"- {card.topic}: **{prose(card.title)}**. {prose(card.detail)}" for card in list_cards(plan))
    yield from (f"- **Alarm: {prose(alarm)}**" for alarm in plan.alarms)
    if not plan.complete:
        yield "- **Incomplete**: not everything could be checked"
        yield from (f"  - {prose(sentence)}" for sentence in incompleteness_of(plan))


def _name(peer: Address, plan: Plan) -> str:
    """Return the address of a peer, and what its administrators call it where that says more."""
    name = plan.system_names.get(peer, "") if is_ip(peer) else ""
    return f"{code(peer)} ({code(name)})" if name else code(peer)


def _write_matrix(plan: Plan) -> Iterator[str]:
    matrix = arrange_matrix(plan.endpoints)
    yield from ("", "## Endpoints, before → after", "")
    yield f"| endpoint | {' | '.join(code(label) for label in matrix.labels)} | cause |"
    yield f"|---|{':-:|' * len(matrix.peers)}---|"
    for row in matrix.rows:
        cells = ("·" if cell is None else f"{symbol_of(cell.before)} → {symbol_of(cell.after)}" for cell in row.cells)
        yield f"| {code(row.endpoint)} | {' | '.join(cells)} | {', '.join(row.causes)} |"


def _write_changes(plan: Plan) -> Iterator[str]:
    yield from ("", "## Changes", "")
    if not plan.actions:
        yield "None."
    for peer in plan.base:
        own = [action for action in plan.actions if peer in peers_of(action)]
        if own:
            yield from _write_peer_changes(peer, own, plan)
    shared = [action for action in plan.actions if not peers_of(action)]
    if shared:
        yield "### The cluster as a whole"
        yield ""
        yield from (line for action in shared for line in _write_action(action, plan))


def _write_peer_changes(peer: Address, actions: list[Action], plan: Plan) -> Iterator[str]:
    yield f"### {_name(peer, plan)}"
    yield ""
    yield from (line for action in actions for line in _write_action(action, plan))
    yield ""


def _write_action(action: Action, plan: Plan) -> Iterator[str]:
    yield f"- **{action.id}** {prose(headline(action, plan))}"
    if isinstance(action, TrustCertificate | RemoveCertificate | TrustOnNode):
        yield f"  - fingerprint {code(action.certificate)}"
    if isinstance(action, TrustCertificate | TrustOnNode):
        certificate = plan.certificates.get(action.certificate)
        if certificate and certificate.not_after:
            yield f"  - until {certificate.not_after:%Y-%m-%d}"
        yield f"  - {prose(describe_approval(action, plan))}"
    if isinstance(action, SetCiphers):
        yield f"  - from {code(action.before)}"
        yield f"  - to {code(action.after)}"
    if reasons_of(action):
        yield f"  - for {', '.join(code(reason) for reason in reasons_of(action))}"
    if page := manual_page(action):
        yield f"  - by hand: {page}"
    yield from (f"  - {prose(note)}" for note in refresh_notes(action))


def _write_approvals(plan: Plan) -> Iterator[str]:
    required = approvals_required(plan)
    if required:
        yield from ("", "## Approvals needed", "")
        yield "Compare each fingerprint with the one on the server itself before you approve it."
        yield ""
        yield from (f"- [ ] {code(action.certificate)} {prose(headline(action, plan))}" for action in required)


def _write_impact(plan: Plan) -> Iterator[str]:
    kinds = {action.kind for action in plan.actions}
    yield from ("", "## Impact", "")
    if not plan.actions:
        yield "- None."
    if "trust-certificate" in kinds:
        yield "- Adding to a trusted CA list removes nothing: what passes today still passes, as the table shows."
    if "set-ciphers" in kinds:
        yield "- The cipher list of the traffic server changes on the primary; the other peers have it after two minutes or more."
    if "remove-certificate" in kinds:
        yield "- A stale certificate is removed from the trusted CA list; what relied on it alone fails afterwards."
    if "trust-on-node" in kinds:
        yield (
            "- Uploading to a trust store of a node removes nothing there; afterwards, anyone with a certificate of that CA "
            "may connect."
        )
        yield from (f"- {prose(sentence)}" for sentence in restarts_after_uploads(plan))
    if "restart-peer" in kinds:
        yield "- Peers restart one at a time, and only where a test shows that the new trust is not in effect."
    if "refresh-discovery" in kinds:
        yield f"- Discovery is refreshed last, after all peers are done. {REFRESH_PRICE}"


def _write_verification(plan: Plan) -> Iterator[str]:
    sums = count_pairs(plan.endpoints)
    yield from ("", "## Verification", "")
    yield "- Each change is read back from the peer before the next peer is touched."
    yield f"- Afterwards `remediate verify -i INVENTORY` must show {sums.after} of {count(sums.pairs, 'check')} passing."


def _write_rollback(plan: Plan) -> Iterator[str]:
    if not plan.actions:
        return
    yield from ("", "## Rollback", "")
    yield "- `remediate rollback RUN -i INVENTORY` undoes the run (`remediate runs` names it) from its journal."
    yield "- If a peer does not offer removal (`remediate doctor` shows it), each certificate to delete by hand is named."
    if any(isinstance(action, TrustOnNode) for action in plan.actions):
        yield "- What was uploaded to a node is deleted there over its platform shell; without it, delete it by hand."
    yield f"- {last_resort(plan)}"


def _write_unresolved(plan: Plan) -> Iterator[str]:
    if plan.unresolved:
        yield from ("", "## Not fixed by this change", "")
        yield from (line for group in group_unresolved(plan.unresolved) for line in _write_group(group))


def _write_group(group: UnresolvedGroup) -> Iterator[str]:
    yield f"- {', '.join(map(code, group.endpoints))} **{group.cause.value}**{colon()} {prose(group.advice)}"
    yield from (f"  - {prose(option)}" for option in group.options)


def _write_toward_nodes(plan: Plan) -> Iterator[str]:
    if sentences := describe_toward_nodes(plan):
        yield from ("", f"## {TOWARD_NODES}", "")
        yield from (f"- {prose(sentence)}" for sentence in sentences)


def _write_future(plan: Plan) -> Iterator[str]:
    if plan.future is not None:
        yield from ("", "## After this plan, by date", "")
        yield from (f"- {prose(sentence)}" for sentence in describe_future(plan) or (NO_CHANGE_AHEAD,))


def _write_notes(plan: Plan) -> Iterator[str]:
    if plan.notes:
        yield from ("", "## Notes", "")
        yield from (f"- {prose(note)}" for note in plan.notes)
