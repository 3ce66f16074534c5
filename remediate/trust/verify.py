"""One verdict: OpenSSL's answer for the chain, then the traffic server's for the name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache

from remediate.model.certificate import Certificate
from remediate.model.verdict import Cause, Verdict
from remediate.openssl.x509 import Unreadable
from remediate.trust.error_codes import cause_of
from remediate.trust.hostnames import name_matches
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import V_OK, V_UNSPECIFIED, Built, TrustedList, broken_list_text, error_text, name_hashes

Chain = tuple[Certificate, ...]

GOOD = Verdict(ok=True)
_MOST_SUSPECTS = 16
"""How many certificates are tried for shadowing; the ones that OpenSSL used first."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A verdict with how it came about.

    Attributes:
        chain: the certificates OpenSSL put together, leaf first, as far as it came.
        shadowing: the trusted certificates that win over better ones; set when the cause is `shadowed`.
    """

    verdict: Verdict
    chain: Chain = ()
    shadowing: Chain = ()


def verify_chain(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str | None, at: datetime
) -> Verdict:
    """Return what a peer with the trusted CA list `trusted` says of `presented`.

    Args:
        presented: leaf first, as sent.
        trusted: in the list's order, which matters to OpenSSL.
        address: the connection address, FQDN or IP address as text; None judges the chain only.
        at: the aware moment to judge at.

    Raises:
        ValueError: `at` has no time zone.
        RemediateError: no OpenSSL can be loaded on this machine.
    """
    return explain_chain(presented, trusted, address, at).verdict


def explain_chain(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str | None, at: datetime
) -> Explained:
    """Return the verdict of `verify_chain`, with the chain it rests on. Raises as it does."""
    if at.utcoffset() is None:
        raise ValueError("the moment to judge at needs a time zone")
    return _judge_of(tuple(trusted), at).explain(tuple(presented), address)


@lru_cache(maxsize=64)
def _judge_of(trusted: Chain, at: datetime) -> ListJudge:
    return ListJudge(trusted, at)


class Answers:
    """OpenSSL's answers at one moment, each question once, whoever asks it.

    Lists that differ only in certificates that are nothing to a chain share the answer for it: the lists of a cluster's peers do,
    and the lists that a planner tries.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._known: dict[tuple[Chain, Chain], Built] = {}

    def built(self, presented: Chain, relevant: Chain) -> Built:
        """Return OpenSSL's answer for `presented` with `relevant`, those of a list that can have a say. Raises Unreadable."""
        question = (presented, relevant)
        answer = self._known.get(question)
        if answer is None:
            answer = self._known[question] = TrustedList(relevant).verify(presented, self._at)
        return answer


class ListJudge:
    """Judges any number of chains against one trusted CA list at one moment; a chain is judged once however often it is asked."""

    def __init__(self, trusted: Chain, at: datetime, answers: Answers | None = None) -> None:
        """With `answers`, what is known there is not asked again."""
        self._at = at
        self._list = TrustedList(trusted)
        self._trusted = trusted
        self._answers = answers
        self._explained: dict[Chain, Explained] = {}

    def explain(self, presented: Chain, address: str | None) -> Explained:
        """Return the verdict for `presented` (leaf first) under `address` (None: the chain only), and how it came about."""
        explained = self._explained.get(presented)
        if explained is None:
            explained = self._explained[presented] = self._judge(presented)
        if explained.verdict.ok and address is not None and not name_matches(presented[0], address):
            return replace(explained, verdict=name_mismatch(address))
        return explained

    def relevant(self, presented: Chain) -> Chain:
        """Return those of the list that can have a say in the verdict on `presented`, in the list's order."""
        return self._index.relevant(presented)

    @cached_property
    def _index(self) -> SubjectIndex:
        return SubjectIndex(self._trusted)

    def _judge(self, presented: Chain) -> Explained:
        if not presented:
            return Explained(_refused(Cause.HANDSHAKE_FAILED, "no certificate was presented", V_UNSPECIFIED, 0))
        if self._list.broken is not None:
            # One unreadable block makes the traffic server drop the whole list: every HTTPS target of that peer fails.
            return Explained(_refused(Cause.CHAIN_INVALID, broken_list_text(self._list.broken), V_UNSPECIFIED, 0))
        try:
            built = self._built(presented)
        except Unreadable as error:
            position = next(index for index, one in enumerate(presented) if one.fingerprint == str(error))
            text = "a presented certificate cannot be read"
            return Explained(_refused(Cause.CHAIN_INVALID, text, V_UNSPECIFIED, position))
        if built.code == V_OK:
            return Explained(GOOD, built.chain)
        verdict = _refused(cause_of(built.code), error_text(built.code), built.code, built.depth)
        shadowing = self._shadowing(presented, built)
        return Explained(replace(verdict, cause=Cause.SHADOWED) if shadowing else verdict, built.chain, shadowing)

    def _built(self, presented: Chain) -> Built:
        if self._answers is None:
            return self._list.verify(presented, self._at)
        return self._answers.built(presented, self.relevant(presented))

    def _shadowing(self, presented: Chain, built: Built) -> Chain:
        """The trusted certificates without which this very list would accept `presented`: one, or several that follow each other.

        OpenSSL looks issuers up by subject and asks the list first, so a stale copy in the list wins over a good one that is
        presented, and of two with one subject the first wins. One whose subject nobody else has takes nobody's place.
        """
        relevant = self.relevant(presented)
        suspects = _with_rivals(relevant, presented)
        likely = sorted(suspects, key=lambda one: one not in built.chain)
        for suspect in likely[:_MOST_SUSPECTS]:
            if self._without(relevant, {suspect}).verify(presented, self._at).code == V_OK:
                return (suspect,)
        return self._one_after_the_other(presented, relevant, built) if suspects else ()

    def _one_after_the_other(self, presented: Chain, relevant: Chain, built: Built) -> Chain:
        """Take out what is at fault, as long as that is a listed certificate in the place of another one."""
        out: list[Certificate] = []
        while built.code != V_OK and len(out) < _MOST_SUSPECTS:
            rest = tuple(one for one in relevant if one not in out)
            at_fault = built.chain[built.depth] if built.depth < len(built.chain) else None
            if at_fault not in _with_rivals(rest, presented):
                return ()
            out.append(at_fault)
            built = self._without(rest, {at_fault}).verify(presented, self._at)
        return tuple(out) if built.code == V_OK else ()

    @staticmethod
    def _without(relevant: Chain, some: set[Certificate]) -> TrustedList:
        return TrustedList([one for one in relevant if one not in some])


def _with_rivals(listed: Chain, presented: Chain) -> Chain:
    """Those of `listed` whose subject another certificate has too."""
    bearers = Counter(name_hashes(one).subject for one in {*presented, *listed})
    return tuple(one for one in listed if bearers[name_hashes(one).subject] > 1)


def name_mismatch(address: str) -> Verdict:
    """The name rule's refusal, in the traffic server's words. OpenSSL has no number for it; it is said at depth 0."""
    shown = address.encode(errors="backslashreplace").decode()
    return _refused(Cause.NAME_MISMATCH, f"SNI ({shown}) not in certificate", V_OK, 0)


def _refused(cause: Cause, error: str, code: int, depth: int) -> Verdict:
    return Verdict(ok=False, cause=cause, error=error, code=code, depth=depth)
