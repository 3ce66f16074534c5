"""Changes that would be made, for a person: by peer, peers alike together, the certificates of one list under one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remediate.language.messages import translate
from remediate.model.identity import Fingerprint
from remediate.model.text import count, escape
from remediate.report.lines import colon
from remediate.report.text import short_fingerprint

_MAX_NAMES = 2_000
_ADDS, _REMOVES = "trust-certificate", "remove-certificate"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change that would be made.

    Attributes:
        peer: The peer or the node; empty: none, or several.
        text: The change as a sentence.
        kind: Its name in plans; empty: it has none.
        certificate: The certificate that comes into the list of the peer or leaves it, for a person; empty: no list is changed.
    """

    peer: str
    text: str
    kind: str = ""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A line about changes, in the language in use and escaped: peers, what is done to them, or one certificate.

    Attributes:
        depth: 0 for peers, 1 for a change, 2 for a certificate.
    """

    depth: int
    text: str


def make_planned_change(message: str, fields: Mapping[str, Any]) -> PlannedChange:
    """Return the change that an event with this `message` and these `fields` is about."""
    peer, kind = str(fields.get("peer") or ""), str(fields.get("change") or "")
    if kind not in {_ADDS, _REMOVES} or not fields.get("certificate"):
        return PlannedChange(peer, message, kind)
    return PlannedChange(peer, message, kind, describe_listed(fields))


def describe_listed(fields: Mapping[str, Any]) -> str:
    """Return the certificate of a change of a list for a person, by the fields of its event. Untrusted text: escape it."""
    name = fields.get("common_name") or fields.get("subject") or ""
    return f"{name} ({short_fingerprint(Fingerprint(str(fields.get('certificate', ''))))})".lstrip()


def describe_changes(changes: Iterable[PlannedChange], limit: int | None = None) -> Iterator[ChangeLine]:
    """Yield the lines of `changes`, in order of the peers; last what is about no single one.

    Args:
        changes: The changes.
        limit: How many certificates of a list are named; the others are counted. None: all are.
    """
    by_peer: dict[str, dict[PlannedChange, None]] = {}
    for change in changes:
        by_peer.setdefault(change.peer, {}).setdefault(change)
    peers_by_lines: dict[tuple[ChangeLine, ...], list[str]] = {}
    for peer in sorted(by_peer, key=lambda name: not name):
        peers_by_lines.setdefault(tuple(_describe_peer(peer, tuple(by_peer[peer]), limit)), []).append(peer)
    for lines, peers in peers_by_lines.items():
        names = ", ".join(peer or translate("The run as a whole") for peer in peers)
        yield ChangeLine(0, f"{escape(names, _MAX_NAMES)}{colon()}")
        yield from lines


def _describe_peer(peer: str, changes: Sequence[PlannedChange], limit: int | None) -> Iterator[ChangeLine]:
    for kind in (_ADDS, _REMOVES):
        certificates = [escape(change.certificate) for change in changes if change.certificate and change.kind == kind]
        if certificates:
            total = count(len(certificates), "certificate")
            yield ChangeLine(1, translate(f"{total} to trust:" if kind == _ADDS else f"{total} to remove:"))
            yield from (ChangeLine(2, certificate) for certificate in certificates[:limit])
            if certificates[limit:] and limit is not None:
                yield ChangeLine(2, translate(f"and {len(certificates) - limit} more"))
    for change in changes:
        if not change.certificate:
            yield ChangeLine(1, escape(_leave_out(peer, change.text), _MAX_NAMES))


def _leave_out(peer: str, text: str) -> str:
    """Return a message in the language in use, without the peer that it stands under."""
    return translate(text).replace(translate(f" on {peer}"), "") if peer else translate(text)
