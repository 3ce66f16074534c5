"""The chain verifier: OpenSSL's answer for a presented chain against one list, then the traffic server's rule for the name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from remediate.model.certificate import Certificate
from remediate.model.verdict import Cause, Verdict
from remediate.openssl.x509 import Unreadable
from remediate.trust.error_codes import cause_of
from remediate.trust.hostnames import name_matches
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import V_OK, V_UNSPECIFIED, Built, TrustedList, broken_list_text, error_text, name_hashes

Chain = tuple[Certificate, ...]

ACCEPTED = Verdict(ok=True)
_MAX_SUSPECTS = 16
"""How many certificates are tried for shadowing; the ones that OpenSSL used first."""


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """A verdict with the chain that it rests on.

    Attributes:
        built_chain: The certificates that OpenSSL put together, leaf first, as far as it came.
        shadowed_by: The trusted certificates that win over better ones; set when the cause is `shadowed`.
    """

    verdict: Verdict
    built_chain: Chain = ()
    shadowed_by: Chain = ()


class OpenSslAnswers:
    """OpenSSL's answers at one moment; each question is asked once.

    Lists that differ only in certificates that do not matter to a chain share the answer for it: so do the lists of a cluster's peers,
    and the lists that a planner tries.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._by_question: dict[tuple[Chain, Chain], Built] = {}

    def ask(self, presented: Chain, relevant: Chain) -> Built:
        """Return OpenSSL's answer for `presented` with `relevant`, the certificates of a list that matter to it.

        Raises:
            Unreadable: OpenSSL cannot parse one of the presented certificates.
        """
        question = (presented, relevant)
        answer = self._by_question.get(question)
        if answer is None:
            answer = self._by_question[question] = TrustedList(relevant).verify(presented, self._at)
        return answer


class ChainVerifier:
    """Verifies any number of chains against one trusted CA list at one moment, each chain once."""

    def __init__(self, trusted: Chain, at: datetime, answers: OpenSslAnswers | None = None) -> None:
        """Load the list `trusted`; with `answers`, a question that was answered there is not asked again."""
        self._at = at
        self._list = TrustedList(trusted)
        self._trusted = trusted
        self._answers = answers
        self._results: dict[Chain, VerificationResult] = {}

    def verify(self, presented: Chain, address: str | None) -> VerificationResult:
        """Return the result for `presented` (leaf first) under `address` (None: the chain only)."""
        result = self._results.get(presented)
        if result is None:
            result = self._results[presented] = self._verify_chain(presented)
        if result.verdict.ok and address is not None and not name_matches(presented[0], address):
            return replace(result, verdict=name_mismatch(address))
        return result

    def relevant(self, presented: Chain) -> Chain:
        """Return the certificates of the list that can change the verdict on `presented`, in the list's order."""
        return self._index.relevant(presented)

    @cached_property
    def _index(self) -> SubjectIndex:
        return SubjectIndex(self._trusted)

    def _verify_chain(self, presented: Chain) -> VerificationResult:
        if not presented:
            return VerificationResult(_refuse(Cause.HANDSHAKE_FAILED, "no certificate was presented", V_UNSPECIFIED, 0))
        if self._list.broken is not None:
            # One unreadable block makes the traffic server drop the whole list: every HTTPS target of that peer fails.
            return VerificationResult(_refuse(Cause.CHAIN_INVALID, broken_list_text(self._list.broken), V_UNSPECIFIED, 0))
        try:
            result = self._ask(presented)
        except Unreadable as error:
            fingerprints = [str(certificate.fingerprint) for certificate in presented]
            position = fingerprints.index(str(error))
            text = "a presented certificate cannot be read"
            return VerificationResult(_refuse(Cause.CHAIN_INVALID, text, V_UNSPECIFIED, position))
        if result.code == V_OK:
            return VerificationResult(ACCEPTED, result.chain)
        verdict = _refuse(cause_of(result.code), error_text(result.code), result.code, result.depth)
        shadowed_by = self._find_shadowing(presented, result)
        return VerificationResult(replace(verdict, cause=Cause.SHADOWED) if shadowed_by else verdict, result.chain, shadowed_by)

    def _ask(self, presented: Chain) -> Built:
        if self._answers is None:
            return self._list.verify(presented, self._at)
        return self._answers.ask(presented, self.relevant(presented))

    def _find_shadowing(self, presented: Chain, result: Built) -> Chain:
        """Return the trusted certificates without which this very list would accept `presented`: one, or several in a row.

        OpenSSL looks issuers up by subject and asks the list first, so a stale copy in the list wins over a good one that is
        presented, and of two with one subject the first wins. A certificate with a subject of its own shadows nothing.
        """
        relevant = self.relevant(presented)
        suspects = _with_rivals(relevant, presented)
        likely = sorted(suspects, key=lambda certificate: certificate not in result.chain)
        for suspect in likely[:_MAX_SUSPECTS]:
            if _list_without(relevant, suspect).verify(presented, self._at).code == V_OK:
                return (suspect,)
        return self._remove_in_turn(presented, relevant, result) if suspects else ()

    def _remove_in_turn(self, presented: Chain, relevant: Chain, result: Built) -> Chain:
        """Remove the certificate at fault, as long as that is a listed one in the place of another."""
        removed: list[Certificate] = []
        while result.code != V_OK and len(removed) < _MAX_SUSPECTS:
            remaining = tuple(certificate for certificate in relevant if certificate not in removed)
            at_fault = result.chain[result.depth] if result.depth < len(result.chain) else None
            if at_fault is None or at_fault not in _with_rivals(remaining, presented):
                return ()
            removed.append(at_fault)
            result = _list_without(remaining, at_fault).verify(presented, self._at)
        return tuple(removed) if result.code == V_OK else ()


def _list_without(relevant: Chain, excluded: Certificate) -> TrustedList:
    return TrustedList([certificate for certificate in relevant if certificate != excluded])


def _with_rivals(trusted: Chain, presented: Chain) -> Chain:
    """Return those of `trusted` whose subject another certificate has too."""
    bearers = Counter(name_hashes(certificate).subject for certificate in {*presented, *trusted})
    return tuple(certificate for certificate in trusted if bearers[name_hashes(certificate).subject] > 1)


def name_mismatch(address: str) -> Verdict:
    """Return the name rule's refusal, in the traffic server's words; OpenSSL has no number for it, and its depth is 0."""
    printable = address.encode(errors="backslashreplace").decode()
    return _refuse(Cause.NAME_MISMATCH, f"SNI ({printable}) not in certificate", V_OK, 0)


def _refuse(cause: Cause, error: str, code: int, depth: int) -> Verdict:
    return Verdict(ok=False, cause=cause, error=error, code=code, depth=depth)
