"""What the journal says of how the peers of a run stand: whose a certificate is, and what differs from before the run."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from remediate.executor import changes
from remediate.executor.journal.store import Journal
from remediate.executor.lists import ListBelief
from remediate.executor.operations import RemoveFromPeer, SetCipherList, TrustOnPeer
from remediate.executor.operations.certificates import named
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.identity import Address, Fingerprint
from remediate.model.run import Backup, Run, StepRecord
from remediate.model.text import first_few

_OF_LISTS = frozenset({TrustOnPeer.kind, RemoveFromPeer.kind})
_NOT_IN_EFFECT = frozenset({"failed", "undone"})
_WANTS = frozenset({"applied", "confirm-pending"})


def load_own_certificates(journal: Journal, run: str, peer: Address) -> dict[Fingerprint, StepRecord]:
    """Return the certificates that `run` wrote into the list of `peer`, or out of it, each with its last step."""
    steps = [record for record in journal.steps(run) if record.peer == peer and record.kind in _OF_LISTS]
    return {Fingerprint(record.facts["certificate"]): record for record in steps}


def load_unrelated(journal: Journal, run: str, peer: Address) -> frozenset[Fingerprint]:
    """Return what a whole list of `peer` holds beside the certificates of `run`, as far as the journal knows."""
    seen = journal.readings(run).get(peer)
    kept = frozenset(journal.backups(run)[peer].trusted_ca) - load_own_certificates(journal, run, peer).keys()
    return kept if seen is None else seen


def load_belief(journal: Journal, run: str, peer: Address) -> ListBelief:
    """Return what a process that knows nothing yet is to believe of the list of `peer`, for the sake of `run`."""
    own = load_own_certificates(journal, run, peer)
    in_effect = {certificate: record for certificate, record in own.items() if record.state == "done"}
    return ListBelief(
        own=frozenset(own),
        others=load_unrelated(journal, run, peer),
        expected={certificate: record.kind == TrustOnPeer.kind for certificate, record in in_effect.items()},
        known={
            fingerprint: journal.certificate(fingerprint)
            for fingerprint in journal.backups(run)[peer].trusted_ca
            if journal.names_certificate(fingerprint)
        },
    )


def find_later_owner(journal: Journal, run: str, record: StepRecord) -> str:
    """Return the id of a later run that did what step `record` did, or whose plan wants it so; empty: none."""
    if record.kind not in {TrustOnPeer.kind, SetCipherList.kind}:
        return ""
    return next((later.id for later in _later_runs(journal, run) if _wants(journal, later, record)), "")


def _later_runs(journal: Journal, run: str) -> Iterator[Run]:
    cluster = journal.run(run).cluster
    later = itertools.takewhile(lambda candidate: candidate.id != run, journal.runs())
    return (candidate for candidate in later if candidate.cluster == cluster)


def _wants(journal: Journal, run: Run, record: StepRecord) -> bool:
    same = (record.kind, record.peer, record.facts)
    if any((step.kind, step.peer, step.facts) == same and step.state not in _NOT_IN_EFFECT for step in journal.steps(run.id)):
        return True
    if run.state not in _WANTS:
        return False
    plan = journal.plan(run.id)
    if record.kind == SetCipherList.kind:
        return changes.cipher_targets(plan).get(record.facts["name"]) == record.facts["after"]
    return record.facts["certificate"] in changes.to_trust(plan, record.peer)


def describe_returned_certificates(journal: Journal, run: str, now: Iterable[Backup]) -> Iterator[str]:
    """Say which certificates of `run` the last reading shows although their steps are closed: no rollback ends well with them there.

    Those that came to light just now, the next rollback takes out. Those that were seen to go, somebody has put back, or the list that
    showed them gone was not true: a person must decide.
    """
    for backup in now:
        for certificate, record in load_own_certificates(journal, run, backup.peer).items():
            closed = record.kind == TrustOnPeer.kind and record.state in _NOT_IN_EFFECT
            if not closed or certificate not in backup.trusted_ca or find_later_owner(journal, run, record):
                continue
            name = named(journal.certificate(certificate))
            yield (
                f"{backup.peer} trusts {name} again, which this run had added, taken out, and read back as gone. If nobody put it "
                f"back on purpose, open {TRUSTED_CA_PAGE} there and delete it."
                if record.state == "undone" and record.proven
                else f"{backup.peer} shows {name} only now, which this run had sent. Roll back again, which takes it out."
            )


def differences(journal: Journal, run: str, now: Sequence[Backup]) -> Iterator[str]:
    """Say how the peers in `now` differ from their backup of before `run`."""
    backups = journal.backups(run)
    put_back = {record.peer for record in journal.steps(run) if record.kind == RemoveFromPeer.kind}
    for backup in now:
        yield from _against(backups[backup.peer], backup, journal, run, put_back=backup.peer in put_back)


def _against(before: Backup, now: Backup, journal: Journal, run: str, *, put_back: bool) -> Iterator[str]:
    own = load_own_certificates(journal, run, before.peer)
    if sorted(now.trusted_ca) != sorted(before.trusted_ca):
        came = [certificate for certificate in now.trusted_ca if certificate not in before.trusted_ca]
        also = _listed("now also", (certificate for certificate in came if certificate not in own), journal)
        # Of these it is said elsewhere whose they are: a run of this journal added them.
        ours = _listed("still with", (certificate for certificate in came if certificate in own), journal)
        went = (certificate for certificate in before.trusted_ca if certificate not in now.trusted_ca)
        how = "; ".join([*also, *ours, *_listed("no longer", went, journal)]) or "a certificate stands there more or less often"
        yield f"the trusted CA list of {before.peer} is not the one of before the run ({how})"
    elif now.trusted_ca != before.trusted_ca:
        since = ", since what the run had removed was put back at its end" if put_back else ""
        yield f"the trusted CA list of {before.peer} holds the same certificates in another order{since}"
    changed = [name for name in sorted({*before.ciphers, *now.ciphers}) if now.ciphers.get(name) != before.ciphers.get(name)]
    yield from (f"{name} of {before.peer} is not the one of before the run" for name in changed)


def _listed(how: str, those: Iterable[Fingerprint], journal: Journal) -> Iterator[str]:
    names = [
        named(journal.certificate(certificate)) if journal.names_certificate(certificate) else certificate
        for certificate in those
    ]
    if names:
        yield f"{how} {first_few(names)}"
