"""Checks of `remediate doctor`: secrets, pins, logins, what each peer offers, clocks, OpenSSL, the state directory.

No check writes to a peer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediate.cli.check_result import CheckResult, check_result_json
from remediate.cli.client_checks import check_clients
from remediate.cli.node_checks import check_nodes
from remediate.inventory.credentials import CachedSource
from remediate.language.messages import mark_words
from remediate.model.canonical import utc_now
from remediate.model.errors import RemediateError
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE, MAX_TRUSTED_CA, TIME_PAGE, TRUSTED_CA_PAGE
from remediate.model.text import count, first_few

if TYPE_CHECKING:
    from remediate.connectors.expressway.peer import ExpresswayPeer
    from remediate.model.access import ClusterAccess, PeerAccess
    from remediate.model.health import Health
    from remediate.model.identity import Address
    from remediate.model.limits import Limits
    from remediate.model.verdict import Verdict

_VERIFIED, _LOGINS, _CLOCKS, *_ROLES = mark_words("passes", "logins", "clocks", "Expressway", "REST", "AXL", "platform")
CLOSE_ENOUGH = timedelta(minutes=5)
"""Difference between a peer's clock and this machine's from which doctor warns. The traffic server judges dates by the peer's."""
MAX_ENDPOINTS = 4


@dataclass(frozen=True, slots=True)
class ClusterChecks:
    """Results of the checks of one cluster.

    Attributes:
        unverified: The peers on which the workaround is on.
        health: The status of each peer that answered.
    """

    findings: tuple[CheckResult, ...]
    unverified: tuple[Address, ...] = ()
    health: Mapping[Address, Health] = field(default_factory=dict)


def cluster_checks_json(checks: ClusterChecks) -> dict[str, Any]:
    """Return the results of one cluster as ``--json`` prints them."""
    from remediate.formats.snapshot import write_health
    from remediate.model.canonical import rfc3339

    health = {
        address: {**write_health(health), "started_at": rfc3339(health.started_at) if health.started_at else None}
        for address, health in checks.health.items()
    }
    return {"findings": [check_result_json(finding) for finding in checks.findings], "health": health}


def check_cluster(cluster: ClusterAccess, limits: Limits, state_dir: Path) -> ClusterChecks:
    """Check everything that a plan and an apply for `cluster` need.

    Args:
        cluster: The cluster to check.
        limits: The limits of every connection.
        state_dir: Where the sign-ins of clients are counted, and the journal is.
    """
    secrets = tuple(_check_secrets(cluster))
    if any(secret.code for secret in secrets if secret.subject.startswith(("Expressway", "REST"))):
        return ClusterChecks(
            (
                *secrets,
                *(
                    CheckResult(f"peer {peer.address}", f"not tested; {_describe_pins(peer)}", ExitCode.ERROR)
                    for peer in cluster.peers
                ),
            )
        )
    peers = _PeerChecks(cluster, limits)
    clients = check_clients(cluster, limits, state_dir)
    left_on = _check_maintenance(cluster, state_dir)
    findings = (*secrets, *peers.run(), *left_on, *clients, *_find_changed_verdicts(cluster, limits, peers.skews))
    return ClusterChecks(findings, tuple(peers.unverified), peers.health)


def check_state_directory(path: Path) -> CheckResult:
    """Check that a run can keep its journal and its locks in `path`, or in a folder created there."""
    from remediate.executor.lock import shared_directory
    from remediate.executor.preflight import refuse_unusable

    try:
        refuse_unusable(path, shared_directory())
    except RemediateError as error:
        return CheckResult("state directory", str(error), error.exit_code, error.next_step)
    return CheckResult("state directory", f"{path} is writable")


def check_library() -> CheckResult:
    """Name the OpenSSL that gives the verdicts, and what it gets wrong."""
    from remediate.trust.library import describe_failed_self_test, describe_library

    try:
        library, warning = describe_library(), describe_failed_self_test()
    except RemediateError as error:
        return CheckResult("verdicts", str(error), error.exit_code, error.next_step)
    if warning:
        advice = "Use a Python with a standard OpenSSL 3.x, without FIPS and without a system policy that disables algorithms."
        return CheckResult("verdicts", warning, next_step=advice)
    return CheckResult("verdicts", f"{library}, which passes the self-test")


def check_journal(state_dir: Path) -> CheckResult:
    """Check that the journal in `state_dir` can be read, and list the runs that need attention."""
    from remediate.executor.journal.store import Journal
    from remediate.executor.run_health import describe_run

    try:
        with Journal(state_dir) as journal:
            runs = journal.runs()
    except RemediateError as error:
        return CheckResult("journal", str(error), error.exit_code, error.next_step)
    newest = f", the newest {runs[0].id} on {runs[0].cluster}: {runs[0].state}" if runs else ""
    open_ends = "\n".join(
        f"Run {run.id} on {run.cluster}: {text}" for run in runs if (text := describe_run(run, state_dir, utc_now()))
    )
    return CheckResult("journal", f"readable: {count(len(runs), 'run')}{newest}", next_step=open_ends)


def most_serious_code(findings: tuple[CheckResult, ...]) -> ExitCode:
    """Return the most serious exit code of `findings`."""
    return most_serious(finding.code for finding in findings)


def _check_secrets(cluster: ClusterAccess) -> Iterator[CheckResult]:
    accounts = (cluster.login, cluster.rest, cluster.axl, cluster.platform)
    logins = [*zip(_ROLES, accounts, strict=True), *(("MRA", peer.mra.login) for peer in cluster.peers if peer.mra)]
    checked: set[str] = set()
    for role, login in logins:
        if login is None:
            continue
        subject, source = f"{role} password of {login.username}", login.password.describe()
        if f"{subject} {source}" in checked:
            continue
        checked.add(f"{subject} {source}")
        # Prompt only for the password that the checks below need.
        is_interactive = isinstance(login.password, CachedSource) and login.password.is_interactive
        try:
            if role in {"Expressway", "REST"} or not is_interactive:
                login.password.read()
        except RemediateError as error:
            yield CheckResult(subject, f"from {source}: {error}", error.exit_code, error.next_step)
        else:
            yield CheckResult(subject, f"from {source}")


def _check_maintenance(cluster: ClusterAccess, state_dir: Path) -> Iterator[CheckResult]:
    """Yield a result for each peer whose maintenance mode a run from here left on, by the journal."""
    from remediate.cli.observe import advise_on_maintenance, describe_maintenance_left_on

    for text in describe_maintenance_left_on(state_dir, cluster.name):
        yield CheckResult("maintenance mode", text, next_step=advise_on_maintenance(cluster.name))


class _PeerChecks:
    """Checks of every peer of a cluster, over one login each.

    Attributes:
        skews: By how much a peer's clock is ahead, for the peers whose clock differs by more than `CLOSE_ENOUGH`.
        unverified: The peers on which the workaround is on.
        health: The status of each peer.
    """

    def __init__(self, cluster: ClusterAccess, limits: Limits) -> None:
        self._cluster, self._limits = cluster, limits
        self.skews: dict[Address, timedelta] = {}
        self.unverified: list[Address] = []
        self.health: dict[Address, Health] = {}

    def run(self) -> Iterator[CheckResult]:
        """Log in to each peer once and yield the results."""
        from remediate.connectors.expressway.cluster import open_peers

        try:
            opened = open_peers(self._cluster, self._limits, writable=False)
        except RemediateError as error:
            yield CheckResult(_LOGINS, str(error), error.exit_code, error.next_step)
            return
        pins = {peer.address: _describe_pins(peer) for peer in self._cluster.peers}
        with opened:
            for peer in opened.peers:
                role = "primary" if peer.address == opened.primary else ""
                pinned = pins.get(peer.address, "reported by the cluster itself")
                yield from (replace(result, peer=peer.address) for result in self._check_peer(peer, role, pinned))
            for address, reason in opened.unreachable.items():
                yield CheckResult(
                    f"peer {address}",
                    reason,
                    ExitCode.INCOMPLETE,
                    "Fix what is reported; if it did not answer, check that it is up and reachable.",
                    address,
                )
            if opened.peers:
                yield from check_nodes(self._cluster, self._limits, opened)

    def _check_peer(self, peer: ExpresswayPeer, role: str, pins: str) -> Iterator[CheckResult]:
        from remediate.connectors.expressway.peer import SHELL_ACCOUNT_ADVICE

        subject = f"peer {peer.address}"
        try:
            version = (
                f"primary, version {peer.version() or 'not reported'}"
                if role
                else f"version {peer.version() or 'not reported'}"
            )
            yield CheckResult(subject, f"logged in; {version}; {pins}")
            if peer.shell_problem:
                text = f"REST works, but the shell does not: {peer.shell_problem}"
                yield CheckResult(subject, text, ExitCode.ERROR, SHELL_ACCOUNT_ADVICE)
            yield from _describe_capabilities(subject, peer, axl=self._cluster.axl is not None)
            yield _check_trusted_list(subject, peer)
            if not peer.shell_problem:
                yield self._check_verification(subject, peer)
            yield self._check_clock(subject, peer)
            yield from self._check_health(subject, peer)
        except RemediateError as error:
            yield CheckResult(subject, str(error), error.exit_code, error.next_step)

    def _check_health(self, subject: str, peer: ExpresswayPeer) -> Iterator[CheckResult]:
        from remediate.report.health import describe_health

        health = self.health[peer.address] = peer.health()
        # Without a shell almost nothing of it is observed, and a separate result reports that.
        for text, next_step in () if peer.shell_problem else describe_health(health):
            yield CheckResult(subject, text, next_step=next_step)

    def _check_verification(self, subject: str, peer: ExpresswayPeer) -> CheckResult:
        match peer.verify_origin_server():
            case True:
                return CheckResult(subject, "verification is on; the workaround is offered")
            case False:
                self.unverified.append(peer.address)
                return CheckResult(
                    subject,
                    "verification is OFF: the workaround is on",
                    next_step="Turn it off when `remediate verify` is good.",
                )
            case _:
                return CheckResult(subject, "this version does not offer the workaround")

    def _check_clock(self, subject: str, peer: ExpresswayPeer) -> CheckResult:
        here_now = utc_now()
        peer_time = peer.clock()
        if peer_time is None:
            return CheckResult(subject, "its clock could not be read; it checks certificates by its own clock, not by this one")
        ahead = peer_time - here_now
        apart = f"its clock is {_format_duration(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'} this machine's"
        if abs(ahead) <= CLOSE_ENOUGH:
            return CheckResult(subject, "its clock agrees with this machine's")
        self.skews[peer.address] = ahead
        return CheckResult(
            subject,
            f"{apart}; it checks certificates by its own clock, but plans are made by this one",
            next_step=f"Correct the clock that is wrong: NTP under {TIME_PAGE} on Expressway, or this machine's.",
        )


def _format_duration(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600, seconds // 60
    return f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else count(minutes, "minute")


def _find_changed_verdicts(cluster: ClusterAccess, limits: Limits, skews: Mapping[Address, timedelta]) -> Iterator[CheckResult]:
    """Yield the verdicts that a wrong clock changes, because a certificate becomes valid or expires between the two times."""
    if not skews:
        return
    from remediate.connectors.collect import collect
    from remediate.trust.verifier import verify_snapshot

    try:
        snapshot = collect(cluster, limits=limits)
    except RemediateError as error:
        yield CheckResult(_CLOCKS, f"their effect could not be checked: {error}", error.exit_code, error.next_step)
        return
    verdicts_now = verify_snapshot(snapshot)
    for address, ahead in skews.items():
        names_by_difference: dict[str, list[str]] = {}
        for pair, verdict in verify_snapshot(replace(snapshot, taken_at=snapshot.taken_at + ahead)).items():
            now = verdicts_now[pair]
            if pair.peer == address and verdict != now:
                difference = f"{_describe_verdict(verdict)} by its clock, {_describe_verdict(now)} by this machine's"
                names_by_difference.setdefault(difference, []).append(str(pair.endpoint))
        for difference, names in names_by_difference.items():
            advice = "A plan from here can be wrong for this peer until the clocks agree."
            yield CheckResult(f"peer {address}", f"{difference}: {first_few(names, MAX_ENDPOINTS)}", next_step=advice)


def _describe_verdict(verdict: Verdict) -> str:
    return _VERIFIED if verdict.ok else f"refused ({verdict.cause})"


_MANUAL_STEPS = "Plan time for these: `apply` and `rollback` name the page of each when it is needed."


def _describe_capabilities(subject: str, peer: ExpresswayPeer, *, axl: bool) -> Iterator[CheckResult]:
    """Yield what remediate does on this version, and what has to be done by hand."""
    capabilities = peer.capabilities()
    if not capabilities.described:
        yield CheckResult(
            subject, "it does not describe its REST interface (/api/raml), so only documented operations are used"
        )
    refreshed = [product for product in capabilities.refresh_products if axl]
    automatic = [f"restarting over {'REST' if capabilities.restart else 'the shell'}"]
    automatic += ["removing from the trusted CA list over REST"] if capabilities.remove_trusted_ca else []
    automatic += [f"refreshing {product} discovery over REST" for product in refreshed]
    automatic += ["recording a diagnostic log over REST (`diagnose --for`)"] if capabilities.logging_method else []
    yield CheckResult(subject, f"on this version, done for you: {', '.join(automatic)}")
    unknown = " (its description of DELETE is in an unknown format)" if capabilities.unknown_removal else ""
    manual = [] if capabilities.remove_trusted_ca else [f"removing from the trusted CA list{unknown}"]
    manual += [f"refreshing {product} discovery{_reason_not_refreshed(product in capabilities.refresh_products)}"
                for product in ("cucm", "imp", "unity") if product not in refreshed]  # fmt: skip
    manual += [] if capabilities.logging_method else [f"recording a diagnostic log ({DIAGNOSTIC_LOGGING_PAGE})"]
    yield CheckResult(subject, f"by hand: {', '.join(manual)}", next_step=_MANUAL_STEPS)


def _check_trusted_list(subject: str, peer: ExpresswayPeer) -> CheckResult:
    listed = peer.trusted_list()
    size, crls = len(listed.certificates), len(listed.revocation_lists)
    text = f"its trusted CA list holds {count(size, 'certificate')}"
    if crls:
        text += f" and {count(crls, 'CRL')}: revocation may apply too, and is not checked here"
    if size >= MAX_TRUSTED_CA:
        advice = f"Delete certificates that are no longer needed ({TRUSTED_CA_PAGE}); `remediate certificates` lists those."
        return CheckResult(subject, f"{text}; Expressway allows {MAX_TRUSTED_CA}, so none can be added", next_step=advice)
    return CheckResult(subject, text)


def _reason_not_refreshed(offered: bool) -> str:  # noqa: FBT001 - its one argument is its meaning
    return " (until the inventory has its AXL account)" if offered else ""


def _describe_pins(peer: PeerAccess) -> str:
    tls = "fingerprint" if peer.tls.fingerprint else f"CA {peer.tls.ca}" if peer.tls.ca else "the system's CAs"
    ssh = "host key" if peer.ssh.host_key else f"{peer.ssh.known_hosts or 'the user known_hosts'}"
    return f"TLS trusted by {tls}, SSH by {ssh}"
