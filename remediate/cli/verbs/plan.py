"""``remediate plan``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from remediate.cli.options import PATH, approvals, authorities, common, inventory, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from remediate.cli.fleet import Done
    from remediate.model.access import ClusterAccess
    from remediate.model.approvals import ApprovedCertificate
    from remediate.model.certificate import Certificate
    from remediate.model.plan import CipherPolicy, Plan, Policy
    from remediate.model.snapshot import Snapshot

CIPHERS = ("keep", "prefer-rsa", "prefer-ecdsa", "auto")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of the policy; None and False leave the inventory's word."""

    ciphers: CipherPolicy | None
    allow_removal: bool
    never_trust_self_signed: bool
    approvals: tuple[ApprovedCertificate, ...]
    authorities: tuple[Certificate, ...]

    def over(self, policy: Policy) -> Policy:
        """Return `policy` with these wishes on top."""
        from dataclasses import replace

        from remediate.cli.approvals import fingerprints_approved

        return replace(
            policy,
            ciphers=self.ciphers or policy.ciphers,
            allow_removal=self.allow_removal or policy.allow_removal,
            trust_self_signed=policy.trust_self_signed and not self.never_trust_self_signed,
            approved=policy.approved | fingerprints_approved(self.approvals),
        )


@click.command()
@inventory(required=False)
@option(
    "--snapshot", "snapshot_path", type=PATH, metavar="FILE", help="Plan from this snapshot, offline, without an inventory."
)
@option(
    "-o", "--output", type=PATH, metavar="FILE", help="Where to write; an existing folder where several clusters are chosen."
)
@option("--ciphers", type=click.Choice(CIPHERS), help="What may be done to the cipher list; auto where nothing says otherwise.")
@authorities
@approvals
@option("--allow-removal", is_flag=True, help="Stale certificates may be removed where nothing else helps.")
@option("--never-trust-self-signed", is_flag=True, help="Never trust a server's own self-signed certificate.")
@option("--detailed-exitcode", is_flag=True, help="Exit with 2 for pending changes, 10 for what stays refused.")
@option("--explain", is_flag=True, help="Also show the next-best plans, why they lost, and how to choose them.")
@common
@click.pass_obj
def command(
    session: Session,
    inventory_path: Path | None,
    patterns: tuple[str, ...],
    snapshot_path: Path | None,
    output: Path | None,
    ciphers: CipherPolicy | None,
    ca_paths: tuple[Path, ...],
    approve: tuple[str, ...],
    approve_file: Path | None,
    allow_removal: bool,  # noqa: FBT001 - click passes options by name
    never_trust_self_signed: bool,  # noqa: FBT001
    detailed_exitcode: bool,  # noqa: FBT001
    explain: bool,  # noqa: FBT001
) -> int:
    """Look at a cluster, decide the smallest safe change, and explain it. Writes nothing to a cluster.

    With one cluster, -o writes its plan, and --json prints it; with several, -o is a folder that gets CLUSTER.json for each, and
    --json prints {"clusters": [{"cluster", "exit_code", "error", "plan"}], "exit_code"}.

    \b
    EXAMPLES
      remediate plan -i inventory.yml
      remediate plan -i inventory.yml --ca pki/ -o plan.json
      remediate plan --snapshot snapshot.json --ciphers keep --explain

    \b
    EXIT CODES
      0   a plan was made (with --detailed-exitcode: there is nothing to change and nothing is refused)
      2   --detailed-exitcode: changes are pending
      10  --detailed-exitcode: something stays refused that no trust or cipher change fixes
      4   a peer or an endpoint could not be observed, or discovery could not ask; the plan is made and written all the same
      1   error in the inventory, a secret, a login or a pin
    """
    from remediate.cli.approvals import approvals_given
    from remediate.cli.fleet import exit_code_of, only, tell_errors
    from remediate.cli.observe import read_authorities
    from remediate.cli.results import write_documents, write_files

    given = approvals_given(approve, approve_file, ca_paths)
    wishes = Wishes(ciphers, allow_removal, never_trust_self_signed, given, read_authorities(session, ca_paths))
    if snapshot_path and not _inventory_is_meant():
        results: tuple[Done[Plan], ...] = (_from_snapshot(session, snapshot_path, wishes, detailed=detailed_exitcode),)
    elif inventory_path:
        results = _from_clusters(session, inventory_path, patterns, wishes, output, detailed=detailed_exitcode)
    else:
        raise UsageError("Nothing to plan from.", next_step="Give -i INVENTORY, or --snapshot FILE.")
    only(results)
    tell_errors(session, results)
    written = write_files(results, output)
    if session.json:
        write_documents(session, results, "plan", exit_code_of(results))
    else:
        _show(session, [done.value for done in results if done.value], explain=explain)
    plans = {done.cluster: done.value for done in results if done.value}
    for path in written:
        one = plans.get(path.stem) or next(iter(plans.values()))
        session.hint(f"Wrote {path}. {_next(one, path, inventory_path)}")
    return exit_code_of(results)


def _next(plan: Plan, path: Path, inventory: Path | None) -> str:
    """What to do with a plan that was written."""
    from remediate.model.plan import TrustCertificate

    if not plan.actions:
        return "There is nothing to apply."
    if not plan.complete:
        return "It is incomplete: make what could not be observed reachable, and plan again."
    if any(isinstance(action, TrustCertificate) and action.approval == "required" for action in plan.actions):
        return f"Next: compare the fingerprints that need your approval with `remediate approve {path}`, or pass them with --approve."
    return f"Next: `remediate apply {path} -i {inventory or 'INVENTORY'}`."


def _inventory_is_meant() -> bool:
    """With a snapshot given too: whether the inventory alone stands on the command line, which wins over the environment."""
    context = click.get_current_context()
    typed = {
        name: context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("snapshot_path", "inventory_path")
    }
    if all(typed.values()):
        raise UsageError("Both a snapshot and an inventory are given.", next_step="Give -i INVENTORY, or --snapshot FILE.")
    return typed["inventory_path"]


def _from_snapshot(session: Session, path: Path, wishes: Wishes, *, detailed: bool) -> Done[Plan]:
    from remediate.cli.files import read_text
    from remediate.cli.fleet import Done
    from remediate.cli.observe import remind_from_journal
    from remediate.model.plan import Policy
    from remediate.model.snapshot import Snapshot

    snapshot = Snapshot.from_json(read_text(path))
    plan, code = _decide(session, snapshot, wishes, Policy(), detailed=detailed)
    remind_from_journal(session)
    return Done(snapshot.cluster, plan, code)


def _from_clusters(
    session: Session, path: Path, patterns: tuple[str, ...], wishes: Wishes, output: Path | None, *, detailed: bool
) -> tuple[Done[Plan], ...]:
    from remediate.cli.fleet import across, choose
    from remediate.cli.observe import observe
    from remediate.cli.results import check_output
    from remediate.model.limits import Limits

    clusters = choose(session, path, patterns)
    check_output(output, len(clusters))
    with session.listening() as sink:

        def look(cluster: ClusterAccess) -> tuple[Plan, int]:
            return _decide(session, observe(cluster, sink), wishes, cluster.policy, detailed=detailed)

        return across(clusters, look, Limits())


def _decide(session: Session, snapshot: Snapshot, wishes: Wishes, policy: Policy, *, detailed: bool) -> tuple[Plan, int]:
    from remediate.cli.approvals import keep_approvals
    from remediate.cli.codes import plan_code
    from remediate.cli.collector import pause_collector
    from remediate.cli.observe import warn_of, with_authorities
    from remediate.planner import changed_by_approvals, make_plan

    warn_of(session, snapshot)
    seen, chosen = with_authorities(snapshot, wishes.authorities), wishes.over(policy)
    with pause_collector():
        plan = make_plan(seen, chosen)
        needs_review = changed_by_approvals(plan, seen, chosen)
    if needs_review:
        session.say(f"{plan.cluster}: what you approved leads to another plan than without it: review it again.")
    keep_approvals(session, plan, wishes.approvals)
    return plan, plan_code(plan, detailed=detailed)


def _show(session: Session, plans: list[Plan], *, explain: bool) -> None:
    from remediate.report.terminal import show_plan

    console = session.out()
    for number, plan in enumerate(plans):
        if number:
            console.rule()
        show_plan(console, plan, every_row=session.verbose > 0, explain=explain)
