"""The verdict of a peer on an endpoint, and the values that hold one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remediate.model.identity import Address, AtPair, KeyFamily


class Cause(StrEnum):
    """Why an endpoint is refused. The values are the contract's; docs/verdict.md explains each one."""

    SELF_SIGNED_UNTRUSTED = "self-signed-untrusted"
    ISSUER_UNTRUSTED = "issuer-untrusted"
    ISSUER_UNKNOWN = "issuer-unknown"
    COMMON_NAME_CONFLICT = "common-name-conflict"
    SHADOWED = "shadowed"
    NAME_MISMATCH = "name-mismatch"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    CHAIN_INVALID = "chain-invalid"
    UNREACHABLE = "unreachable"
    HANDSHAKE_FAILED = "handshake-failed"


TRUST_CAUSES: Final = frozenset({Cause.SELF_SIGNED_UNTRUSTED, Cause.ISSUER_UNTRUSTED, Cause.ISSUER_UNKNOWN})
"""The causes that an addition to the trusted CA list can fix."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one presented chain, one trusted CA list and one connection address.

    Attributes:
        ok: Whether the traffic server would send the request.
        cause: Why not; None when ok.
        error: OpenSSL's text for ``code``, or the name rule's; None when ok.
        code: OpenSSL's ``X509_V_ERR_*`` number; 0 when the chain is good (also when only the name is refused).
        depth: Position in the chain, 0 being the leaf; None when ok.
        observed: Whether the peer and the endpoint could be observed; if not, the endpoint is neither accepted nor refused.
    """

    ok: bool
    cause: Cause | None = None
    error: str | None = None
    code: int = 0
    depth: int | None = None
    observed: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, and the key family of the certificate it is about (None when none was presented, or either may be)."""

    verdict: Verdict
    key: KeyFamily | None


@dataclass(frozen=True, slots=True)
class Judgement(AtPair):
    """What one endpoint gets from one peer.

    Attributes:
        works: The certificate that is expected first verifies, name included. Where another one may be presented instead, an
            endpoint can work today that does not count as verified: nothing that works today may be broken.
    """

    address: Address
    port: int
    peer: Address
    outcome: Outcome
    works: bool
