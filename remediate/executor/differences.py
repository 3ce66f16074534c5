"""Differences between the peers of a run and its journal: whose a certificate is, and what is not as before the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remediate.executor import changes
from remediate.executor.journal.store import Journal
from remediate.executor.lists import ListBelief
from remediate.executor.operations import LIST_CHANGES, RemoveFromPeer, SetCipherList, TrustOnPeer, UploadToNode
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.result import ManualStep
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.run import Backup, Run, StepRecord
from remediate.model.text import first_few
from remediate.trust.ciphers import is_default_since_x15, means_the_same

_APPLIED = frozenset({"applied", "confirm-pending"})


def load_own_certificates(journal: Journal, run: str, peer: Address) -> dict[Fingerprint, StepRecord]:
    """Return the certificates that `run` wrote into the list of `peer`, or out of it, each with its last step."""
    steps = [record for record in journal.steps(run) if record.peer == peer and record.kind in LIST_CHANGES]
    return {Fingerprint(record.facts["certificate"]): record for record in steps}


def load_unrelated(journal: Journal, run: str, peer: Address) -> frozenset[Fingerprint]:
    """Return the certificates not of `run` that a whole list of `peer` holds, as far as the journal knows."""
    last_read = journal.readings(run).get(peer)
    if last_read is not None:
        return last_read
    return frozenset(journal.backups(run)[peer].trusted_ca) - load_own_certificates(journal, run, peer).keys()


def load_belief(journal: Journal, run: str, peer: Address) -> ListBelief:
    """Return what a new process has to expect of the list of `peer`, to continue or to undo `run`."""
    own = load_own_certificates(journal, run, peer)
    in_effect = {certificate: record for certificate, record in own.items() if record.state == "done"}
    return ListBelief(
        own=frozenset(own),
        unrelated=load_unrelated(journal, run, peer),
        expected={certificate: record.kind == TrustOnPeer.kind for certificate, record in in_effect.items()},
        certificates={
            fingerprint: journal.certificate(fingerprint)
            for fingerprint in journal.backups(run)[peer].trusted_ca
            if journal.names_certificate(fingerprint)
        },
    )


def find_later_owner(journal: Journal, run: str, record: StepRecord) -> str:
    """Return the id of a later run that did what step `record` did, or whose plan contains it; empty: there is none."""
    if record.kind not in {TrustOnPeer.kind, SetCipherList.kind, UploadToNode.kind}:
        return ""
    return next((later.id for later in _load_later_runs(journal, run) if _owns(journal, later, record)), "")


def _load_later_runs(journal: Journal, run: str) -> list[Run]:
    """Return the runs after `run` on the same cluster, newest first."""
    runs = journal.runs()
    position = [candidate.id for candidate in runs].index(run)
    return [later for later in runs[:position] if later.cluster == runs[position].cluster]


def _owns(journal: Journal, run: Run, record: StepRecord) -> bool:
    change = (record.kind, record.peer, record.facts)
    if any((step.kind, step.peer, step.facts) == change and not step.is_closed for step in journal.steps(run.id)):
        return True
    if run.state not in _APPLIED or run.plan is None:
        return False
    plan = journal.plan(run.id)
    if record.kind == SetCipherList.kind:
        return changes.find_cipher_lists(plan).get(record.facts["name"]) == record.facts["after"]
    if record.kind == UploadToNode.kind:
        return (record.peer, record.facts["store"], record.facts["certificate"]) in changes.find_uploads(plan)
    return record.facts["certificate"] in changes.find_additions(plan, record.peer)


def find_returned_certificates(journal: Journal, run: str, now: Iterable[Backup]) -> list[ManualStep]:
    """Return a step for each certificate of `run` that a peer shows although its step is closed.

    One that came to light only now, the next rollback removes. One that was read back as gone was put back by a person, or the list
    that lacked it was wrong: a person must decide.
    """
    steps: list[ManualStep] = []
    for backup in now:
        for certificate, record in load_own_certificates(journal, run, backup.peer).items():
            is_closed = record.kind == TrustOnPeer.kind and record.is_closed
            if not is_closed or certificate not in backup.trusted_ca or find_later_owner(journal, run, record):
                continue
            name = describe_certificate(journal.certificate(certificate))
            text = (
                f"{backup.peer} trusts {name} again, which this run had added, removed and read back as gone. Unless someone "
                f"added it again on purpose, open {TRUSTED_CA_PAGE} there and delete it."
                if record.state == "undone" and record.proven
                else f"{backup.peer} shows {name} only now, which this run had sent. Roll back again to remove it."
            )
            steps.append(ManualStep(text, backup.peer))
    return steps


def describe_differences(journal: Journal, run: str, now: Sequence[Backup]) -> list[str]:
    """Return a clause for each difference between the peers in `now` and their backup of before `run`."""
    backups = journal.backups(run)
    put_back = {record.peer for record in journal.steps(run) if record.kind == RemoveFromPeer.kind}
    clauses: list[str] = []
    for backup in now:
        before = backups[backup.peer]
        clauses += _compare_lists(before, backup, journal, run, is_put_back=backup.peer in put_back)
        names = sorted({*before.ciphers, *backup.ciphers})
        clauses += [
            f"{name} of {before.peer} is not as it was before the run{_describe_rewriting(backup.ciphers.get(name))}"
            for name in names
            if not means_the_same(backup.ciphers.get(name, CipherList("")), before.ciphers.get(name, CipherList("")))
        ]
    return clauses


def _describe_rewriting(ciphers: CipherList | None) -> str:
    return " (it is the default since X15.0.2, which an upgrade sets)" if ciphers and is_default_since_x15(ciphers) else ""


def _compare_lists(before: Backup, now: Backup, journal: Journal, run: str, *, is_put_back: bool) -> list[str]:
    """Return at most one clause about the trusted CA lists of one peer."""
    if now.trusted_ca == before.trusted_ca:
        return []
    if sorted(now.trusted_ca) == sorted(before.trusted_ca):
        # What was removed is at the end of the list once it is put back.
        since = ", because the certificates that the run had removed were appended again" if is_put_back else ""
        return [f"the trusted CA list of {before.peer} holds the same certificates in another order{since}"]
    own = load_own_certificates(journal, run, before.peer)
    added = [certificate for certificate in now.trusted_ca if certificate not in before.trusted_ca]
    removed = [certificate for certificate in before.trusted_ca if certificate not in now.trusted_ca]
    foreign = _enumerate([certificate for certificate in added if certificate not in own], journal)
    # A run of this journal added these, as is reported elsewhere.
    ours = _enumerate([certificate for certificate in added if certificate in own], journal)
    lacking = _enumerate(removed, journal)
    parts = (
        f"now also {foreign}" if foreign else "",
        f"still with {ours}" if ours else "",
        f"no longer {lacking}" if lacking else "",
    )
    how = "; ".join(filter(None, parts)) or "a certificate is listed there more or less often"
    return [f"the trusted CA list of {before.peer} is not as it was before the run ({how})"]


def _enumerate(certificates: Iterable[Fingerprint], journal: Journal) -> str:
    return first_few(
        [
            describe_certificate(journal.certificate(fingerprint)) if journal.names_certificate(fingerprint) else fingerprint
            for fingerprint in certificates
        ]
    )
