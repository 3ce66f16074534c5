"""The verdict: the one result of every verification, from a presented chain up to an endpoint as a peer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from remediate.model.certificate import Certificate
from remediate.model.identity import KeyFamily, PairId


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

    What it rests on is in no document and does not count when two verdicts are compared.

    Attributes:
        ok: Whether the traffic server would send the request.
        cause: Why not; None when ok.
        error: OpenSSL's text for ``code``, or the name rule's; None when ok.
        code: OpenSSL's ``X509_V_ERR_*`` number; 0 when the chain is good (also when only the name is refused).
        depth: Position in the chain, 0 being the leaf; None when ok.
        observed: Whether the peer and the endpoint could be observed; if not, the endpoint is neither accepted nor refused.
        key: The key family that an endpoint presents; None for a chain by itself, and where none was presented or either may be.
        built_chain: The certificates that OpenSSL put together, leaf first, as far as it came.
        shadowed_by: The trusted certificates that win over better ones; set when the cause is `shadowed`.
        works_anyway: It is refused for a certificate that the endpoint may present, and the one that is expected first verifies.
    """

    ok: bool
    cause: Cause | None = None
    error: str | None = None
    code: int = 0
    depth: int | None = None
    observed: bool = True
    key: KeyFamily | None = None
    built_chain: tuple[Certificate, ...] = field(default=(), compare=False, repr=False)
    shadowed_by: tuple[Certificate, ...] = field(default=(), compare=False, repr=False)
    works_anyway: bool = field(default=False, compare=False, repr=False)

    @property
    def works(self) -> bool:
        """Whether the certificate that is expected first verifies: nothing that works today may be broken."""
        return self.ok or self.works_anyway


Verdicts = Mapping[PairId, Verdict]
"""What each endpoint gets from each peer."""
