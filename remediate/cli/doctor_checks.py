"""What `remediate doctor` looks at: secrets, pins, logins, what each box offers, clocks, the state directory.

Nothing is written to a box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.inventory.credentials import Once
from remediate.model.errors import RemediateError
from remediate.model.exit_codes import most_serious
from remediate.model.expressway import TIME_PAGE
from remediate.model.text import first_few

if TYPE_CHECKING:
    from remediate.connectors.expressway.peer import ExpresswayPeer
    from remediate.model.access import ClusterAccess, MraAccess, PeerAccess
    from remediate.model.identity import Address
    from remediate.model.limits import Limits
    from remediate.model.verdict import Outcome

CLOSE_ENOUGH = timedelta(minutes=5)
"""How far a peer's clock may be from this machine's before it is worth a warning. Its traffic server judges dates by its own."""
SHOWN_ENDPOINTS = 4
Now = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        subject: what: ``password of admin``, a peer's address.
        said: what was found, one line.
        code: the exit code that it stands for; 0 when nothing is in the way.
        next_step: what to do; empty where all is well. With `code` 0 this is a warning.
    """

    subject: str
    said: str
    code: int = 0
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found of one cluster. `unverified`: the peers on which the workaround is on."""

    findings: tuple[Finding, ...]
    unverified: tuple[Address, ...] = ()


def examine(cluster: ClusterAccess, limits: Limits, now: Now = utc_now) -> Examination:
    """Look at everything that a plan and an apply for `cluster` would need."""
    secrets = tuple(_secrets(cluster))
    if secrets[0].code:
        return Examination(
            (*secrets, *(Finding(f"peer {peer.address}", f"not tried; {_pins(peer)}", 1) for peer in cluster.peers))
        )
    peers = _Peers(cluster, limits, now)
    found = (*secrets, *peers.findings(), *_misjudged(cluster, limits, peers.skews))
    return Examination(found, tuple(peers.unverified))


def state_directory(path: Path) -> Finding:
    """Whether a run could keep its journal and its locks in `path`, or in a folder made there."""
    from remediate.executor.lock import shared_directory
    from remediate.executor.preflight import refuse_unusable

    try:
        refuse_unusable(path, shared_directory())
    except RemediateError as error:
        return Finding("state directory", str(error), error.exit_code, error.next_step)
    return Finding("state directory", f"{path} can be written")


def journal(state_dir: Path) -> Finding:
    """Whether the journal in `state_dir` can be read, and what is in it."""
    from remediate.executor.journal.store import Journal
    from remediate.executor.run_health import describe_run
    from remediate.model.text import count

    try:
        with Journal(state_dir) as book:
            runs = book.runs()
    except RemediateError as error:
        return Finding("journal", str(error), error.exit_code, error.next_step)
    newest = f", the newest {runs[0].id} on {runs[0].cluster}: {runs[0].state}" if runs else ""
    open_ends = "\n".join(
        f"Run {run.id} on {run.cluster}: {text}" for run in runs if (text := describe_run(run, state_dir, utc_now()))
    )
    return Finding("journal", f"can be read: {count(len(runs), 'run')}{newest}", next_step=open_ends)


def worst(findings: tuple[Finding, ...]) -> int:
    """Return the exit code that stands for all `findings`."""
    return most_serious(finding.code for finding in findings)


def _secrets(cluster: ClusterAccess) -> Iterator[Finding]:
    logins = [("Expressway", cluster.login), ("AXL", cluster.axl), ("platform", cluster.platform)]
    logins += [("MRA", peer.mra.login) for peer in cluster.peers if peer.mra]
    told: set[str] = set()
    for role, login in logins:
        if login is None:
            continue
        subject, source = f"{role} password of {login.username}", login.password.describe()
        if f"{subject} {source}" in told:
            continue
        told.add(f"{subject} {source}")
        # A question is worth asking only for what is needed here.
        asks = isinstance(login.password, Once) and login.password.asks_a_person
        try:
            if role == "Expressway" or not asks:
                login.password.read()
        except RemediateError as error:
            yield Finding(subject, f"from {source}: {error}", error.exit_code, error.next_step)
        else:
            yield Finding(subject, f"from {source}")


class _Peers:
    """One look at every peer. `skews`: how far ahead those clocks are that are far from this machine's."""

    def __init__(self, cluster: ClusterAccess, limits: Limits, now: Now) -> None:
        self._cluster, self._limits, self._now = cluster, limits, now
        self.skews: dict[Address, timedelta] = {}
        self.unverified: list[Address] = []

    def findings(self) -> Iterator[Finding]:
        """Log in to each peer, once, and say what was found."""
        from remediate.connectors.expressway.cluster import open_peers

        try:
            opened = open_peers(self._cluster, self._limits, writable=False)
        except RemediateError as error:
            yield Finding("logins", str(error), error.exit_code, error.next_step)
            return
        pins = {peer.address: _pins(peer) for peer in self._cluster.peers}
        ways = {peer.address: peer.mra for peer in self._cluster.peers}
        with opened:
            for peer in opened.peers:
                role = "primary, " if peer.address == opened.primary else ""
                yield from self._peer(peer, role, pins.get(peer.address, "named by the cluster itself"))
                yield _way_through(peer.address, ways.get(peer.address))
            for address, why in opened.unreachable.items():
                yield Finding(
                    f"peer {address}",
                    why,
                    4,
                    "Mend what is said of it; if it did not answer, check that it is up and reachable.",
                )

    def _peer(self, peer: ExpresswayPeer, role: str, pins: str) -> Iterator[Finding]:
        subject = f"peer {peer.address}"
        try:
            yield Finding(subject, f"logged in; {role}version {peer.version() or 'not said'}; {pins}")
            yield from _offers(subject, peer, axl=self._cluster.axl is not None)
            yield self._flag(subject, peer)
            yield self._clock(subject, peer)
        except RemediateError as error:
            yield Finding(subject, str(error), error.exit_code, error.next_step)

    def _flag(self, subject: str, peer: ExpresswayPeer) -> Finding:
        match peer.verify_origin_server():
            case True:
                return Finding(subject, "verification is on; the workaround is offered")
            case False:
                self.unverified.append(peer.address)
                return Finding(
                    subject, "verification is OFF: the workaround is on", 0, "Turn it off when `remediate verify` is good."
                )
            case _:
                return Finding(subject, "this version does not offer the workaround")

    def _clock(self, subject: str, peer: ExpresswayPeer) -> Finding:
        asked = self._now()
        said = peer.clock()
        if said is None:
            return Finding(
                subject, "it does not say what time it is; its certificates are judged by its clock, not by this one"
            )
        ahead = said - asked
        apart = f"its clock is {_duration(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'} this machine's"
        if abs(ahead) <= CLOSE_ENOUGH:
            return Finding(subject, "its clock agrees with this machine's")
        self.skews[peer.address] = ahead
        return Finding(
            subject,
            f"{apart}; it judges certificates by its own clock, and plans are made by this one",
            0,
            f"Correct whichever is wrong: NTP under {TIME_PAGE} on Expressway, or this machine's.",
        )


def _duration(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600, seconds // 60
    return f"{days} days" if days > 1 else f"{hours} hours" if hours > 1 else f"{minutes} minutes"


def _misjudged(cluster: ClusterAccess, limits: Limits, skews: Mapping[Address, timedelta]) -> Iterator[Finding]:
    """Which verdicts a wrong clock changes: what is in use starts or ends between the two."""
    if not skews:
        return
    from dataclasses import replace

    from remediate.connectors.collect import collect
    from remediate.report.view import endpoint_name
    from remediate.trust.endpoint_verifier import verify_snapshot

    try:
        snapshot = collect(cluster, limits=limits)
    except RemediateError as error:
        yield Finding("clocks", f"what they change could not be looked at: {error}", error.exit_code, error.next_step)
        return
    here = {(one.peer, one.address, one.port): one.outcome for one in verify_snapshot(snapshot)}
    for address, ahead in skews.items():
        there = verify_snapshot(replace(snapshot, taken_at=snapshot.taken_at + ahead))
        changed: dict[str, list[str]] = {}
        for one in there:
            now = here[one.peer, one.address, one.port]
            if one.peer == address and one.outcome.verdict != now.verdict:
                said = f"{_word(one.outcome)} by its clock, {_word(now)} by this machine's"
                changed.setdefault(said, []).append(endpoint_name(one.address, one.port))
        for said, names in changed.items():
            advice = "A plan from here can be wrong for this peer until the clocks agree."
            yield Finding(f"peer {address}", f"{said}: {first_few(names, SHOWN_ENDPOINTS)}", 0, advice)


def _word(outcome: Outcome) -> str:
    return "verified" if outcome.verdict.ok else f"refused ({outcome.verdict.cause})"


def _offers(subject: str, peer: ExpresswayPeer, *, axl: bool) -> Iterator[Finding]:
    """What remediate does on this version, and what is left to a person."""
    offered = peer.capabilities()
    if not offered.described:
        yield Finding(subject, "it does not describe its REST interface (/api/raml), so nothing beyond the documents is used")
    refreshed = [product for product in offered.refresh_products if axl]
    done = [f"restarting over {'REST' if offered.restart else 'the shell'}"]
    done += ["removing from the trusted CA list over REST"] if offered.remove_trusted_ca else []
    done += [f"refreshing {product} discovery over REST" for product in refreshed]
    yield Finding(subject, f"on this version, done for you: {', '.join(done)}")
    unknown = " (it describes DELETE in a form that is not known)" if offered.unknown_removal else ""
    by_hand = [] if offered.remove_trusted_ca else [f"removing from the trusted CA list{unknown}"]
    by_hand += [f"refreshing {product} discovery{_why_not(product in offered.refresh_products)}"
                for product in ("cucm", "imp", "unity") if product not in refreshed]  # fmt: skip
    yield Finding(subject, f"by hand: {', '.join(by_hand)}")


def _way_through(address: Address, way: MraAccess | None) -> Finding:
    """Whether `apply` will see if new trust is in effect. Nobody is asked: what there is to ask for, a plan says."""
    said = (
        f"clients' requests through it go to {way.url}, so an apply sees whether new trust is in effect"
        if way
        else ("an apply cannot see whether new trust is in effect: the inventory has no `mra` for it")
    )
    return Finding(f"peer {address}", said)


def _why_not(offered: bool) -> str:  # noqa: FBT001 - its one argument is its meaning
    return " (until the inventory has its AXL account)" if offered else ""


def _pins(peer: PeerAccess) -> str:
    tls = "fingerprint" if peer.tls.fingerprint else f"CA {peer.tls.ca}" if peer.tls.ca else "the system's CAs"
    ssh = "host key" if peer.ssh.host_key else f"{peer.ssh.known_hosts or 'the user known_hosts'}"
    return f"TLS trusted by {tls}, SSH by {ssh}"
