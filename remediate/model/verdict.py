"""What a peer says of one endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why an endpoint is refused. The values are the contract's; docs/verdict.md says what each one means."""

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one presented chain, one trusted CA list and one connection address.

    Attributes:
        ok: the traffic server would go on with the request.
        cause: why not; None when ok.
        error: OpenSSL's text for ``code``, or the name rule's; None when ok.
        code: OpenSSL's ``X509_V_ERR_*`` number; 0 when the chain is good (also when only the name is refused).
        depth: position in the chain, 0 being the leaf; None when ok.
    """

    ok: bool
    cause: Cause | None = None
    error: str | None = None
    code: int = 0
    depth: int | None = None
