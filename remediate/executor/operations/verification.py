"""Change of `VerifyOriginServer` on one peer. Off (the workaround) means that the traffic server accepts any certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from remediate.executor.operations.change import Change, ChangeStatus, FindCertificate, Observed
from remediate.executor.ports import PeerPort
from remediate.model.canonical import sha256_of
from remediate.model.errors import NotOffered
from remediate.model.identity import Address


@dataclass(frozen=True, slots=True)
class SetVerification(Change):
    """Turn the verification of certificates on or off on one peer."""

    kind: ClassVar[str] = "verify-origin-server"
    on: bool

    @property
    def summary(self) -> str:
        return f"turn the verification of certificates {_word(on=self.on).lower()} on {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, run `xConfiguration EdgeConfigServer VerifyOriginServer: {_word(on=self.on)}`."

    def precondition(self, peer: PeerPort) -> Observed:
        """Read whether the change is still to make. Raises NotOffered."""
        current = peer.verify_origin_server()
        if current is None:
            raise NotOffered(f"{self.peer} does not offer VerifyOriginServer in this version.")
        return Observed(ChangeStatus.DONE if current is self.on else ChangeStatus.TO_DO, sha256_of(_word(on=current)))

    def write(self, peer: PeerPort) -> None:
        peer.set_verify_origin_server(self.on)

    def inverse(self) -> SetVerification:
        return SetVerification(self.peer, on=not self.on)

    def facts(self) -> Mapping[str, str]:
        return {"on": _word(on=self.on)}

    @classmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        del find
        return cls(peer, on=facts["on"] == "On")


def _word(*, on: bool) -> str:
    return "On" if on else "Off"
