"""Changes of a trust store of a Unified CM or IM and Presence node: upload one certificate, and delete it; each is the inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from remediate.executor.operations.certificates import describe_certificate, digest_list
from remediate.executor.operations.change import Change, ChangeStatus, FindCertificate, Observed
from remediate.executor.ports import NodePort
from remediate.model.certificate import Certificate
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE
from remediate.model.identity import Address, Fingerprint


@dataclass(frozen=True, slots=True)
class _StoreChange(Change):
    """One certificate that comes into what a service of a node trusts, or leaves it; `peer` is the node.

    Attributes:
        adds: It comes.
    """

    adds: ClassVar[bool]
    store: str
    certificate: Certificate

    def precondition(self, peer: NodePort) -> Observed:
        # Nothing else in the store is held against the write: the nodes of a cluster replicate their stores meanwhile.
        listed = [listed_certificate.fingerprint for listed_certificate in peer.trusted(self.store, self.certificate)]
        is_done = (self.certificate.fingerprint in listed) is self.adds
        return Observed(ChangeStatus.DONE if is_done else ChangeStatus.TO_DO, digest_list(listed))

    def facts(self) -> Mapping[str, str]:
        return {"store": self.store, "certificate": self.certificate.fingerprint}

    @classmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        return cls(peer, facts["store"], find(Fingerprint(facts["certificate"])))


@dataclass(frozen=True, slots=True)
class UploadToNode(_StoreChange):
    """Add one certificate to what a service of one node trusts; `peer` is the node."""

    kind: ClassVar[str] = "trust-on-node"
    adds: ClassVar[bool] = True

    @property
    def summary(self) -> str:
        return f"upload {describe_certificate(self.certificate)} as {self.store}-trust of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        name = describe_certificate(self.certificate)
        return f"On {self.peer}, open {CERTIFICATE_MANAGEMENT_PAGE} and upload {name} as {self.store}-trust."

    def write(self, peer: NodePort) -> None:
        peer.add_trusted(self.store, self.certificate)

    def inverse(self) -> DeleteFromNode:
        return DeleteFromNode(self.peer, self.store, self.certificate)


@dataclass(frozen=True, slots=True)
class DeleteFromNode(_StoreChange):
    """Take one certificate out of what a service of one node trusts; `peer` is the node."""

    kind: ClassVar[str] = "delete-on-node"
    adds: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        return f"delete {describe_certificate(self.certificate)} from {self.store}-trust of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        name = describe_certificate(self.certificate)
        return f"On {self.peer}, open {CERTIFICATE_MANAGEMENT_PAGE} and delete {name} from {self.store}-trust."

    def write(self, peer: NodePort) -> None:
        peer.remove_trusted(self.store, self.certificate)

    def inverse(self) -> UploadToNode:
        return UploadToNode(self.peer, self.store, self.certificate)
