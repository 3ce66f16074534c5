"""The trust oracle: the solver's questions about trust. Would a list accept a chain, what can change that?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remediate.model.certificate import Certificate, Chain
from remediate.openssl.x509 import Unreadable
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import has_signed, is_readable, is_self_issued, key_info, name_hashes
from remediate.trust.verifier import OpenSslAnswers


class TrustOracle:
    """Asks OpenSSL whether a list accepts a chain, with only the certificates in the list that can matter to the chain.

    Attributes:
        index: Every certificate that a list may hold, by subject.
    """

    def __init__(self, certificates: Iterable[Certificate], answers: OpenSslAnswers) -> None:
        """Index `certificates`: every certificate that a list may hold."""
        unique = tuple(dict.fromkeys(certificates))
        self.index = SubjectIndex(unique)
        self._unreadable = frozenset(certificate for certificate in unique if not is_readable(certificate))
        self._answers = answers
        self._relevant: dict[Chain, frozenset[Certificate]] = {}
        self._may_accept: dict[Chain, bool] = {}
        self._issuers: dict[Certificate, Chain] = {}
        self._has_signed: dict[tuple[bytes, Certificate], bool] = {}
        self._issuer_names = {name_hashes(certificate).issuer for certificate in unique}

    def relevant(self, chain: Chain) -> frozenset[Certificate]:
        """Return all readable certificates that can change the verdict on `chain`."""
        if chain not in self._relevant:
            self._relevant[chain] = frozenset(self.index.relevant(chain)) - self._unreadable
        return self._relevant[chain]

    def issuers(self, certificate: Certificate) -> Chain:
        """Return the readable certificates that are named as the issuer of `certificate` and signed it, itself excepted."""
        if certificate not in self._issuers:
            bearers = self.index.bearers(name_hashes(certificate).issuer)
            self._issuers[certificate] = tuple(
                bearer for bearer in bearers if bearer != certificate and self.has_signed(bearer, certificate)
            )
        return self._issuers[certificate]

    def has_signed(self, issuer: Certificate, certificate: Certificate) -> bool:
        """Return whether the signature of `certificate` verifies under the key of `issuer`."""
        question = (key_info(issuer), certificate)
        if question not in self._has_signed:
            self._has_signed[question] = has_signed(issuer, certificate)
        return self._has_signed[question]

    def may_issue(self, certificate: Certificate) -> bool:
        """Return whether OpenSSL could look `certificate` up at all: as its own issuer, or as that of one that a list may hold."""
        return name_hashes(certificate).subject in self._issuer_names

    def may_accept(self, chain: Chain) -> bool:
        """Return whether any list could accept `chain`: OpenSSL ends a chain in a self-issued certificate of the list, or nowhere."""
        if chain not in self._may_accept:
            self._may_accept[chain] = any(map(is_self_issued, self.relevant(chain)))
        return self._may_accept[chain]

    def has_namesake(self, certificate: Certificate) -> bool:
        """Return whether another certificate has the subject of `certificate`: a renewal or a twin."""
        return any(bearer != certificate for bearer in self.index.bearers(name_hashes(certificate).subject))

    def accepts(self, trusted: Sequence[Certificate], chain: Chain) -> bool:
        """Return whether the list `trusted`, in its order, accepts `chain`; nothing in it that is not relevant to `chain` matters.

        A list that holds a certificate OpenSSL cannot read accepts nothing: the traffic server drops it as a whole.
        """
        if self._unreadable and not self._unreadable.isdisjoint(trusted):
            return False
        relevant = self.relevant(chain)
        try:
            return self._answers.ask(chain, tuple(certificate for certificate in trusted if certificate in relevant)).ok
        except Unreadable:
            return False
