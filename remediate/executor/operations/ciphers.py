"""Change of one cipher list on the primary, from where it replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from remediate.executor.operations.change import Change, ChangeStatus, FindCertificate, Observed
from remediate.executor.ports import PeerPort
from remediate.model.canonical import sha256_of
from remediate.model.identity import Address, CipherList
from remediate.trust.ciphers import means_the_same


@dataclass(frozen=True, slots=True)
class SetCipherList(Change):
    """Replace the cipher list `before` by `after`; any third list was set by others, and is left alone.

    A list that offers the same suites in the same order is the same list, however it is written.
    """

    kind: ClassVar[str] = "set-ciphers"
    name: str
    before: CipherList
    after: CipherList

    @property
    def summary(self) -> str:
        return f"set {self.name} to {self.after!r} on {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f'On {self.peer}, run `xConfiguration Ciphers {self.name} Value: "{self.after}"`.'

    def precondition(self, peer: PeerPort) -> Observed:
        current = peer.ciphers().get(self.name, CipherList(""))
        if means_the_same(current, self.after):
            status = ChangeStatus.DONE
        else:
            status = ChangeStatus.TO_DO if means_the_same(current, self.before) else ChangeStatus.FOREIGN
        return Observed(status, sha256_of(current))

    def write(self, peer: PeerPort) -> None:
        peer.set_cipher(self.name, self.after)

    def inverse(self) -> SetCipherList:
        return SetCipherList(self.peer, self.name, before=self.after, after=self.before)

    def facts(self) -> Mapping[str, str]:
        return {"name": self.name, "before": self.before, "after": self.after}

    @classmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        del find
        return cls(peer, facts["name"], CipherList(facts["before"]), CipherList(facts["after"]))
