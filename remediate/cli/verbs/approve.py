"""``remediate approve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import OUTPUT, PATH, common, option
from remediate.cli.session import Session
from remediate.model.errors import Declined
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from remediate.model.approvals import Approvals
    from remediate.model.plan import Plan, TrustCertificate, TrustOnNode


@click.command()
@click.argument("plan", type=PATH)
@option("-o", "--output", type=OUTPUT, metavar="FILE", help="Also write the approvals to this file, for `apply --approvals`.")
@common
@click.pass_obj
def command(session: Session, plan: Path, output: Path | None) -> ExitCode:
    """Approve, one by one, the certificates of PLAN that no trusted source confirms. Contacts nothing.

    Shows what each certificate is for, where it was seen and where to read its fingerprint out of band, and asks for `yes` in
    full. When all are approved, the state directory keeps the approvals, where `apply` on this machine finds them, and FILE
    gets them for `apply --approvals FILE` on another machine. Approvals are valid for this plan only.

    \b
    EXAMPLES
      remediate approve plan.json
      remediate approve plan.json -o approvals.json

    \b
    EXIT CODES
      0   every certificate that needs an approval was approved, or none needs one
      7   declined, or there is no terminal to ask on; nothing was written
      1   PLAN cannot be read, or the approvals cannot be written
    """
    from remediate.cli.approvals import approve_now
    from remediate.cli.files import read_document, write_atomically
    from remediate.executor.approval_store import record_approvals
    from remediate.executor.vouching import list_actions_to_approve
    from remediate.model.approvals import Approvals
    from remediate.model.plan import Plan

    value = read_document(plan, Plan.from_json)
    actions = list_actions_to_approve(value)
    _ask_for_each(session, value, actions)
    approvals = Approvals(value.id, approve_now((action.certificate for action in actions), "terminal"))
    if output:
        write_atomically(output, approvals.to_json())
    if actions:
        record_approvals(session.state_dir, approvals)
    if session.json:
        session.write(approvals.to_json())
    session.hint(_summarise(approvals, output))
    return ExitCode.DONE


def _ask_for_each(session: Session, plan: Plan, actions: tuple[TrustCertificate | TrustOnNode, ...]) -> None:
    """Ask for each certificate. Raises Declined unless every one is approved."""
    from remediate.cli.questions import read_answer
    from remediate.report.approval import approval_lines

    if actions and not session.may_ask:
        raise Declined(
            "There is no terminal to ask on, and nothing was written.",
            next_step="Run it on a terminal, or compare the fingerprints and pass each to `remediate apply` with --approve.",
        )
    for number, action in enumerate(actions, start=1):
        session.say(f"Certificate {number} of {len(actions)} that needs your approval for {plan.cluster}:")
        for line in approval_lines(plan, action):
            session.say(line)
        try:
            answer = read_answer("Did you compare it? Type yes to approve: ")
        except EOFError:
            answer = ""
        if answer.strip() != "yes":
            raise Declined(
                f"Declined: {action.certificate} is not approved, and nothing was written.",
                next_step="Compare its fingerprint out of band, then run `remediate approve` again.",
            )


def _summarise(approvals: Approvals, output: Path | None) -> str:
    if not approvals.approved:
        return "No certificate in this plan needs approval."
    where = f" Wrote {output}, for `remediate apply --approvals {output}` on another machine." if output else ""
    return f"Recorded for the plan {approvals.plan}: `remediate apply` on this machine uses it.{where}"
