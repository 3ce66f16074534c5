"""Changes of a trust store of a Unified CM or IM and Presence node: upload one certificate, and delete it; each is the inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from remediate.executor.operations.certificates import describe_certificate, digest_list
from remediate.executor.operations.change import ChangeStatus, Observed
from remediate.executor.ports import NodePort
from remediate.model.certificate import Certificate
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE
from remediate.model.identity import Address


@dataclass(frozen=True, slots=True)
class UploadToNode:
    """Add one certificate to what a service of one node trusts; `peer` is the node."""

    kind: ClassVar[str] = "trust-on-node"
    is_verifiable: ClassVar[bool] = True
    peer: Address
    store: str
    certificate: Certificate

    @property
    def summary(self) -> str:
        """The change in the imperative, for a person."""
        return f"upload {describe_certificate(self.certificate)} as {self.store}-trust of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        """One sentence with the page or the command, for a person who makes the change."""
        name = describe_certificate(self.certificate)
        return f"On {self.peer}, open {CERTIFICATE_MANAGEMENT_PAGE} and upload {name} as {self.store}-trust."

    def precondition(self, peer: NodePort) -> Observed:
        """Read whether the change is still to make."""
        return _read_store(peer, self.store, self.certificate, done_when_present=True)

    def write(self, peer: NodePort) -> None:
        """Send the change to the node."""
        peer.add_trusted(self.store, self.certificate)

    def read_back(self, peer: NodePort) -> Observed:
        """Read whether the change was made."""
        return self.precondition(peer)

    def inverse(self) -> DeleteFromNode:
        """Return the change that undoes it."""
        return DeleteFromNode(self.peer, self.store, self.certificate)

    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it."""
        return {"store": self.store, "certificate": self.certificate.fingerprint}


@dataclass(frozen=True, slots=True)
class DeleteFromNode:
    """Take one certificate out of what a service of one node trusts; `peer` is the node."""

    kind: ClassVar[str] = "delete-on-node"
    is_verifiable: ClassVar[bool] = True
    peer: Address
    store: str
    certificate: Certificate

    @property
    def summary(self) -> str:
        """The change in the imperative, for a person."""
        return f"delete {describe_certificate(self.certificate)} from {self.store}-trust of {self.peer}"

    @property
    def manual_instruction(self) -> str:
        """One sentence with the page or the command, for a person who makes the change."""
        name = describe_certificate(self.certificate)
        return f"On {self.peer}, open {CERTIFICATE_MANAGEMENT_PAGE} and delete {name} from {self.store}-trust."

    def precondition(self, peer: NodePort) -> Observed:
        """Read whether the change is still to make."""
        return _read_store(peer, self.store, self.certificate, done_when_present=False)

    def write(self, peer: NodePort) -> None:
        """Send the change to the node."""
        peer.remove_trusted(self.store, self.certificate)

    def read_back(self, peer: NodePort) -> Observed:
        """Read whether the change was made."""
        return self.precondition(peer)

    def inverse(self) -> UploadToNode:
        """Return the change that undoes it."""
        return UploadToNode(self.peer, self.store, self.certificate)

    def facts(self) -> Mapping[str, str]:
        """Return what the journal keeps of it."""
        return {"store": self.store, "certificate": self.certificate.fingerprint}


def _read_store(node: NodePort, store: str, certificate: Certificate, *, done_when_present: bool) -> Observed:
    """Read the store. Nothing else in it is held against the write: the nodes of a cluster replicate their stores meanwhile."""
    listed = [listed_certificate.fingerprint for listed_certificate in node.trusted(store, certificate)]
    is_done = (certificate.fingerprint in listed) is done_when_present
    return Observed(ChangeStatus.DONE if is_done else ChangeStatus.TO_DO, digest_list(listed))
