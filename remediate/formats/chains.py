"""The chains in the document of a plan."""

from __future__ import annotations

from typing import Any

from remediate.formats.document import Sha256, Wire
from remediate.model.identity import Fingerprint
from remediate.model.plan import ChainGroup


class ChainGroupWire(Wire):
    depth: int
    certificates: list[Sha256]
    missing: str | None
    endpoints: list[str]
    ends: str | None
    ends_at: str | None


def read_chain(wire: ChainGroupWire) -> ChainGroup:
    """Return the chain in `wire`."""
    certificates = tuple(Fingerprint(fingerprint) for fingerprint in wire.certificates)
    return ChainGroup(wire.depth, certificates, wire.missing, tuple(wire.endpoints), wire.ends, wire.ends_at)


def write_chain(chain: ChainGroup) -> dict[str, Any]:
    """Return the document of `chain`."""
    return {
        "depth": chain.depth,
        "certificates": list(chain.certificates),
        "missing": chain.missing,
        "endpoints": list(chain.endpoints),
        "ends": chain.ends,
        "ends_at": chain.ends_at,
    }
