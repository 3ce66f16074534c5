"""JSON to values: every refusal is one sentence that says where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from remediate.formats.shapes import (
    APPROVALS_FORMAT,
    PLAN_FORMAT,
    SNAPSHOT_FORMAT,
    ActionWire,
    ApprovalsWire,
    DiscoveryGapWire,
    EndpointWire,
    ForecastWire,
    OutcomeWire,
    PeerWire,
    PlanWire,
    RefreshDiscoveryWire,
    RemoveCertificateWire,
    RestartPeerWire,
    SetCiphersWire,
    SnapshotWire,
    TrustCertificateWire,
)
from remediate.formats.writing import plan_id
from remediate.model.approvals import Approvals, ApprovedCertificate
from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, FormatError
from remediate.model.identity import Address, CipherList, Fingerprint, PlanId
from remediate.model.plan import (
    Action,
    Alternative,
    Base,
    EndpointForecast,
    Plan,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    Unresolved,
)
from remediate.model.snapshot import Alarm, DiscoveryGap, Endpoint, Peer, Preference, Publisher, Snapshot
from remediate.model.verdict import Cause, Outcome, Verdict

_Document = TypeVar("_Document", bound=BaseModel)
_SURROGATE = re.compile("[\ud800-\udfff]")
"""JSON can escape one, and nobody can write it down as UTF-8."""
_SHOWN = 60


def read_snapshot(text: str | bytes) -> Snapshot:
    """Return the snapshot in `text`. Raises FormatError."""
    wire = _validated(SnapshotWire, _document(text, SNAPSHOT_FORMAT), "snapshot")
    certificates = _certificates(wire.certificates)
    snapshot = Snapshot(
        cluster=wire.cluster,
        taken_at=wire.taken_at,
        peers=tuple(_peer(peer) for peer in wire.peers),
        endpoints=tuple(_endpoint(endpoint) for endpoint in wire.endpoints),
        available_ca=_fingerprints(wire.available_ca),
        vouched_for=frozenset(_fingerprints(wire.vouched_for)),
        certificates=certificates,
        publishers=tuple(
            Publisher(Address(publisher.address), publisher.product, publisher.refresh) for publisher in wire.publishers
        ),
        not_in_use=tuple(wire.not_in_use),
        undiscovered=_undiscovered(wire),
        alarms=tuple(Alarm(Fingerprint(alarm.certificate), alarm.message) for alarm in wire.alarms),
    )
    _check_named("snapshot", _named_in(snapshot), certificates)
    _check_distinct("snapshot", "peer", [str(peer.address) for peer in snapshot.peers])
    _check_distinct("snapshot", "endpoint", [endpoint.name for endpoint in snapshot.endpoints])
    if sum(peer.primary for peer in snapshot.peers) > 1:
        raise FormatError("The snapshot holds more than one primary peer.")
    return snapshot


def read_plan(text: str | bytes) -> Plan:
    """Return the plan in `text`. Raises FormatError, also when its content is not what its id says."""
    document = _document(text, PLAN_FORMAT)
    wire = _validated(PlanWire, document, "plan")
    if plan_id(document) != wire.id:
        raise FormatError(
            f"The plan's content does not match its id {wire.id[:19]}…: it was changed after it was made.",
            next_step="Make the plan again with `remediate plan`; a plan is never edited by hand.",
        )
    certificates = _certificates(wire.certificates)
    named = [action.certificate for action in wire.actions if isinstance(action, TrustCertificateWire | RemoveCertificateWire)]
    _check_named("plan", _fingerprints(named), certificates)
    return Plan(
        id=PlanId(wire.id),
        cluster=wire.cluster,
        made_at=wire.made_at,
        complete=wire.complete,
        base={Address(peer): Base(one.trusted_ca, _ciphers(one.ciphers), one.version) for peer, one in wire.base.items()},
        actions=tuple(_action(action) for action in wire.actions),
        endpoints=tuple(_forecast(endpoint) for endpoint in wire.endpoints),
        unresolved=tuple(
            Unresolved(Address(one.address), one.port, one.cause, one.advice, tuple(one.options)) for one in wire.unresolved
        ),
        certificates=certificates,
        notes=tuple(wire.notes),
        not_in_use=tuple(wire.not_in_use),
        undiscovered=tuple(_gap(gap) for gap in wire.undiscovered),
        alternatives=tuple(
            Alternative(alternative.summary, alternative.why_not, alternative.switch) for alternative in wire.alternatives
        ),
    )


def read_approvals(text: str | bytes) -> Approvals:
    """Return the approvals in `text`. Raises FormatError."""
    wire = _validated(ApprovalsWire, _document(text, APPROVALS_FORMAT), "approvals file")
    approved = (
        ApprovedCertificate(Fingerprint(entry.certificate), rfc3339(entry.at), entry.by, entry.how) for entry in wire.approved
    )
    return Approvals(PlanId(wire.plan), tuple(approved))


def _document(text: str | bytes, wanted: str) -> dict[str, Any]:
    kind = wanted.rpartition("/")[0]
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"This is no {kind}: it is not JSON ({_one_line(error)}).") from error
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, str) or found.partition("/")[0] != kind:
        raise FormatError(f"This is no {kind}: its format is {found!r}, expected {wanted!r}.")
    if found.partition("/")[2].split(".")[0] != wanted.partition("/")[2]:
        raise FormatError(
            f"This file's format is {found!r}; this version of remediate reads {wanted!r}.",
            next_step="Use the version of remediate that made the file, or make the file again.",
        )
    broken = next((text for text in _texts(document) if not text.isascii() and _SURROGATE.search(text)), None)
    if broken is not None:
        raise FormatError(f"This {kind} holds text with half a character (a lone surrogate): {broken[:_SHOWN]!r}.")
    return dict(document)


def _texts(document: object) -> Iterator[str]:
    """Every text in `document`, names of members too. Not by recursion: how deep it goes is up to whoever wrote it."""
    waiting = [document]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting.extend(items)
            case dict() as members:
                waiting.extend((*members, *members.values()))


def _validated(kind: type[_Document], document: Mapping[str, Any], what: str) -> _Document:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise FormatError(f"The {what} is not as its format says: at {where}: {_one_line(first['msg'])}{more}.") from error


def _certificates(pems: Mapping[str, str]) -> dict[Fingerprint, Certificate]:
    found: dict[Fingerprint, Certificate] = {}
    for key, pem in pems.items():
        try:
            certificate = Certificate.from_pem(pem)
        except CertificateError as error:
            raise FormatError(f"certificates[{key}] cannot be read: {error}") from error
        if certificate.fingerprint != key:
            raise FormatError(f"certificates[{key}] holds another certificate, {certificate.fingerprint}.")
        found[certificate.fingerprint] = certificate
    return found


def _fingerprints(texts: Iterable[str]) -> tuple[Fingerprint, ...]:
    return tuple(Fingerprint(text) for text in texts)


def _named_in(snapshot: Snapshot) -> set[Fingerprint]:
    named = set(snapshot.available_ca) | snapshot.vouched_for
    for peer in snapshot.peers:
        named.update(peer.trusted_ca)
    for endpoint in snapshot.endpoints:
        for chain in endpoint.presented.values():
            named.update(chain)
    return named


def _check_named(what: str, named: Iterable[Fingerprint], certificates: Mapping[Fingerprint, Certificate]) -> None:
    missing = sorted(set(named) - certificates.keys())
    if missing:
        raise FormatError(f"The {what} names {missing[0]}, which is not among its certificates.")


def _check_distinct(what: str, kind: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) != len(names) else []
    if twice:
        raise FormatError(f"The {what} holds the {kind} {twice[0]} more than once.")


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _ciphers(lists: Mapping[str, str]) -> dict[str, CipherList]:
    return {name: CipherList(value) for name, value in lists.items()}


def _undiscovered(wire: SnapshotWire) -> tuple[DiscoveryGap, ...]:
    """What discovery could not learn. A snapshot of 0.1.0 has sentences alone, of which each may mean a missing endpoint."""
    if wire.undiscovered is None:
        return tuple(
            DiscoveryGap(wire.cluster, "unknown", "not-asked", incomplete=True, message=text) for text in wire.not_asked
        )
    return tuple(_gap(gap) for gap in wire.undiscovered)


def _gap(wire: DiscoveryGapWire) -> DiscoveryGap:
    return DiscoveryGap(wire.source, wire.service, wire.kind, wire.incomplete, wire.message, tuple(wire.names), wire.count)


def _peer(wire: PeerWire) -> Peer:
    return Peer(
        address=Address(wire.address),
        version=wire.version,
        primary=wire.primary,
        trusted_ca=_fingerprints(wire.trusted_ca),
        ciphers=_ciphers(wire.ciphers),
        verify_origin_server=wire.verify_origin_server,
        error=wire.error,
        removal=wire.removal,
        rest_port=wire.rest_port,
    )


def _endpoint(wire: EndpointWire) -> Endpoint:
    preferred = wire.preferred
    return Endpoint(
        address=Address(wire.address),
        port=wire.port,
        product=wire.product,
        presented={family: _fingerprints(chain) for family, chain in wire.presented.items() if chain},
        preferred=Preference(
            preferred.client_order,
            preferred.family,
            {CipherList(one): family for one, family in preferred.measured.items()},
        ),
        tls13=wire.tls13,
        error=wire.error,
        learned_from=tuple(wire.learned_from),
    )


def _action(wire: ActionWire) -> Action:
    match wire:
        case TrustCertificateWire():
            return TrustCertificate(
                wire.id,
                Fingerprint(wire.certificate),
                _addresses(wire.peers),
                wire.role,
                wire.approval,
                tuple(wire.because),
            )
        case SetCiphersWire():
            return SetCiphers(wire.id, wire.name, CipherList(wire.before), CipherList(wire.after))
        case RefreshDiscoveryWire():
            return RefreshDiscovery(wire.id, Address(wire.publisher), wire.product, wire.by)
        case RestartPeerWire():
            return RestartPeer(wire.id, _addresses(wire.peers), wire.when)
        case RemoveCertificateWire():
            return RemoveCertificate(
                wire.id, Fingerprint(wire.certificate), _addresses(wire.peers), wire.by, tuple(wire.because)
            )


def _addresses(texts: Iterable[str]) -> tuple[Address, ...]:
    return tuple(Address(text) for text in texts)


def _outcome(wire: OutcomeWire) -> Outcome:
    # A file has no field for this: a node that answered, and has no shared cipher, has an error that does not begin with its cause.
    no_handshake = wire.cause is Cause.HANDSHAKE_FAILED and (wire.error or "").startswith(Cause.HANDSHAKE_FAILED)
    observed = wire.cause is not Cause.UNREACHABLE and not no_handshake
    return Outcome(Verdict(wire.ok, wire.cause, wire.error, wire.code, wire.depth, observed), wire.key)


def _forecast(wire: ForecastWire) -> EndpointForecast:
    return EndpointForecast(Address(wire.address), wire.port, Address(wire.peer), _outcome(wire.before), _outcome(wire.after))
