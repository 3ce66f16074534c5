"""The verdicts in the document of a plan: tens of thousands, of few kinds, so those that are alike are read once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

from pydantic import ValidationError

from remediate.formats.document import Family, Wire
from remediate.formats.snapshot import failure_in
from remediate.model.verdict import Cause, Verdict


class OutcomeWire(Wire):
    ok: bool
    cause: Cause | None
    error: str | None
    code: int
    depth: int | None
    key: Family | None

    @cached_property
    def verdict(self) -> Verdict:
        """The value that the document holds."""
        # A node that answers and shares no cipher with the peers was observed; one whose handshake failed otherwise was not.
        failed = self.cause is Cause.HANDSHAKE_FAILED and failure_in(self.error) is Cause.HANDSHAKE_FAILED
        observed = not (self.cause is Cause.UNREACHABLE or failed)
        return Verdict(self.ok, self.cause, self.error, self.code, self.depth, observed, self.key)


_MEMBERS: Final = tuple(OutcomeWire.model_fields)


def share_verdicts() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a hook of `json.loads` by which verdicts with the same content are one object."""
    verdicts: dict[tuple[object, ...], dict[str, Any]] = {}
    content_of = itemgetter(*_MEMBERS)

    def share(members: dict[str, Any]) -> dict[str, Any]:
        if len(members) != len(_MEMBERS):
            return members
        try:
            content = content_of(members)
            # 1 equals true, and is another text: an id is made of the text.
            return verdicts.setdefault((*content, *map(type, content)), members)
        except (KeyError, TypeError):  # another object; a list or an object where a verdict has none
            return members

    return share


def validate_verdicts(entries: list[Any]) -> list[Any]:
    """Return `entries` with every verdict in them validated, once each object; what is no verdict stays as it is, to be refused."""
    wires: dict[int, object] = {}

    def validate_once(members: object) -> object:
        if id(members) not in wires:
            try:
                wires[id(members)] = OutcomeWire.model_validate(members)
            except ValidationError:
                wires[id(members)] = members
        return wires[id(members)]

    return [
        {**entry, **{name: validate_once(entry[name]) for name in ("before", "after") if name in entry}}
        if isinstance(entry, dict)
        else entry
        for entry in entries
    ]


def write_verdict(verdict: Verdict) -> dict[str, Any]:
    """Return the document of `verdict`."""
    return {
        "ok": verdict.ok,
        "cause": verdict.cause.value if verdict.cause else None,
        "error": verdict.error,
        "code": verdict.code,
        "depth": verdict.depth,
        "key": verdict.key,
    }
