"""``remediate.plan/1``: the JSON document of a plan, read and written, and the id that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, Literal

from remediate.formats.actions import (
    ActionWire,
    RemoveCertificateWire,
    TrustCertificateWire,
    TrustOnNodeWire,
    read_action,
    write_action,
)
from remediate.formats.document import (
    Moment,
    Port,
    ProductName,
    Sha256,
    Text,
    Wire,
    check_certificates_present,
    ciphers_of,
    fingerprints_of,
    parse_document,
    read_certificates,
    validate,
    validate_entries,
    write_certificates,
)
from remediate.formats.snapshot import DiscoveryGapWire, read_gap
from remediate.formats.verdicts import OutcomeWire, share_verdicts, validate_verdicts, write_verdict
from remediate.model.canonical import document_json, rfc3339, sha256_of_members
from remediate.model.certificate import Certificate
from remediate.model.errors import FormatError
from remediate.model.identity import Address, Fingerprint, PlanId
from remediate.model.plan import (
    Alternative,
    Aspect,
    Base,
    CertificateFacts,
    ChainGroup,
    EndpointForecast,
    FutureChange,
    FutureTowardNode,
    FutureVerdict,
    Plan,
    Shortfall,
    Unresolved,
)
from remediate.model.toward_nodes import ClientCause, TowardNode
from remediate.model.verdict import Cause

PLAN_FORMAT: Final = "remediate.plan/1"
_ALARM: Final = "Alarm: "
"""How an alarm begins among the notes of the document, which has no other place for it."""


class ForecastWire(Wire):
    address: Text
    port: Port
    peer: Text
    before: OutcomeWire
    after: OutcomeWire
    product: ProductName | None = None


class UnresolvedWire(Wire):
    address: Text
    port: Port
    cause: Cause
    advice: str
    options: list[str]


class BaseWire(Wire):
    trusted_ca: Sha256
    ciphers: dict[str, str]
    version: str | None = None
    offers_workaround: bool = False
    removal: Literal["rest", "person"] | None = None
    system_name: str | None = None


class AlternativeWire(Wire):
    summary: str
    why_not: str
    switch: str | None = None


class FutureVerdictWire(Wire):
    at: Moment
    address: Text
    port: Port | None
    """None: what the address says of the peer's own certificate, by its `store`."""
    peer: Text
    ok: bool
    cause: Cause | ClientCause | None
    because: list[Sha256]
    store: Text | None = None


class FactsWire(Wire):
    subject: str
    common_name: str
    issuer: str
    not_before: str | None
    not_after: str | None
    dns_names: list[str]
    vouched_by: list[str] = []


class TowardNodeWire(Wire):
    peer: Text
    node: Text
    store: Text
    ok: bool
    cause: ClientCause | None
    error: str | None
    code: int
    depth: int | None
    advice: str
    options: list[str]
    missing: list[Sha256] = []


class ChainGroupWire(Wire):
    depth: int
    certificates: list[Sha256]
    missing: str | None
    endpoints: list[str]
    ends: str | None
    ends_at: str | None


class ShortfallWire(Wire):
    aspect: Aspect
    plan: int
    bound: int


class PlanWire(Wire):
    format: str
    id: Sha256
    cluster: Text
    made_at: Moment
    complete: bool
    base: dict[str, BaseWire]
    actions: list[ActionWire]
    endpoints: list[ForecastWire]
    unresolved: list[UnresolvedWire]
    certificates: dict[Sha256, str]
    facts: dict[Sha256, FactsWire] = {}
    notes: list[str] = []
    not_in_use: list[str] = []
    undiscovered: list[DiscoveryGapWire] = []
    alternatives: list[AlternativeWire] = []
    future: list[FutureVerdictWire] | None = None
    toward_nodes: list[TowardNodeWire] = []
    chains: list[ChainGroupWire] = []
    shortfall: ShortfallWire | None = None


def read_plan(text: str | bytes, *, is_own: bool = False) -> Plan:
    """Return the plan in `text`; one that `write_plan` wrote (`is_own`) under the id that it names, whatever its content.

    Raises:
        FormatError: It is not in the format, or its content does not match its id.
    """
    document = parse_document(text, PLAN_FORMAT, share_verdicts())
    wire, forecasts = _validate(document)
    if not is_own:
        _check_id(document, wire)
    certificates = read_certificates(wire.certificates)
    _check_certificates(wire, certificates)
    facts = {Fingerprint(key): _read_facts(facts) for key, facts in wire.facts.items()}
    _check_facts(facts, certificates)
    return Plan(
        id=PlanId(wire.id),
        cluster=wire.cluster,
        made_at=wire.made_at,
        complete=wire.complete,
        base={Address(peer): _read_base(base) for peer, base in wire.base.items()},
        actions=tuple(map(read_action, wire.actions)),
        endpoints=forecasts,
        unresolved=tuple(map(_read_unresolved, wire.unresolved)),
        certificates=certificates,
        facts=facts,
        alarms=tuple(note.removeprefix(_ALARM) for note in wire.notes if note.startswith(_ALARM)),
        notes=tuple(note for note in wire.notes if not note.startswith(_ALARM)),
        not_in_use=tuple(wire.not_in_use),
        undiscovered=tuple(map(read_gap, wire.undiscovered)),
        alternatives=tuple(map(_read_alternative, wire.alternatives)),
        future=None if wire.future is None else tuple(map(_read_future, wire.future)),
        toward_nodes=tuple(map(_read_toward_node, wire.toward_nodes)),
        chains=tuple(map(_read_chain, wire.chains)),
        shortfall=_read_shortfall(wire.shortfall) if wire.shortfall else None,
    )


def _validate(document: dict[str, Any]) -> tuple[PlanWire, tuple[EndpointForecast, ...]]:
    """Return the document but its forecasts, and those by themselves: there are many of them."""
    entries = document.get("endpoints")
    if not isinstance(entries, list):
        return validate(PlanWire, document, "plan"), ()
    return validate(PlanWire, {**document, "endpoints": []}, "plan"), _read_forecasts(entries)


def _check_id(document: Mapping[str, Any], wire: PlanWire) -> None:
    if plan_id(document) != wire.id:
        raise FormatError(
            f"The plan's content does not match its id {wire.id[:19]}…: it was changed after it was made.",
            next_step="Make the plan again with `remediate plan`; a plan is never edited by hand.",
        )


def _check_certificates(wire: PlanWire, certificates: Mapping[Fingerprint, Certificate]) -> None:
    """Raise FormatError where an action, a chain or the answer of a node names a certificate that the plan does not hold."""
    kinds = TrustCertificateWire | RemoveCertificateWire | TrustOnNodeWire
    for fingerprints in (
        [action.certificate for action in wire.actions if isinstance(action, kinds)],
        [fingerprint for chain in wire.chains for fingerprint in chain.certificates],
        [fingerprint for toward in wire.toward_nodes for fingerprint in toward.missing],
    ):
        check_certificates_present("plan", fingerprints_of(fingerprints), certificates)


def _read_base(wire: BaseWire) -> Base:
    return Base(wire.trusted_ca, ciphers_of(wire.ciphers), wire.version, wire.offers_workaround, wire.removal, wire.system_name)


def _read_alternative(wire: AlternativeWire) -> Alternative:
    return Alternative(wire.summary, wire.why_not, wire.switch)


def _read_chain(wire: ChainGroupWire) -> ChainGroup:
    certificates = fingerprints_of(wire.certificates)
    return ChainGroup(wire.depth, certificates, wire.missing, tuple(wire.endpoints), wire.ends, wire.ends_at)


def _read_shortfall(wire: ShortfallWire) -> Shortfall:
    return Shortfall(wire.aspect, wire.plan, wire.bound)


def write_plan(plan: Plan) -> str:
    """Return the JSON document of `plan`."""
    return document_json(plan_document(plan) | {"id": plan.id, "made_at": rfc3339(plan.made_at)})


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return all of the plan's document but ``id`` and ``made_at``: what the id is made of."""
    document: dict[str, Any] = {
        "format": PLAN_FORMAT,
        "cluster": plan.cluster,
        "complete": plan.complete,
        "base": {peer: _write_base(base) for peer, base in plan.base.items()},
        "actions": [write_action(action) for action in plan.actions],
        "endpoints": [_write_forecast(endpoint) for endpoint in plan.endpoints],
        "unresolved": [asdict(endpoint) for endpoint in plan.unresolved],
        "certificates": write_certificates(plan.certificates),
        "notes": [*(f"{_ALARM}{alarm}" for alarm in plan.alarms), *plan.notes],
        "alternatives": [asdict(alternative) for alternative in plan.alternatives],
    }
    # Left out where there are none: a plan of 0.1.0, read and written, is to have its own id again.
    optional = {
        "not_in_use": list(plan.not_in_use),
        "facts": {key: asdict(facts) for key, facts in plan.facts.items()},
        "undiscovered": [asdict(gap) for gap in plan.undiscovered],
        "toward_nodes": [_write_toward_node(toward) for toward in plan.toward_nodes],
        "chains": [asdict(chain) for chain in plan.chains],
        "shortfall": asdict(plan.shortfall) if plan.shortfall else None,
    }
    document |= {key: value for key, value in optional.items() if value}
    if plan.future is not None:
        document["future"] = [write_future(change) for change in plan.future]
    return document


def plan_id(document: Mapping[str, Any]) -> PlanId:
    """Return the id that belongs to a plan's document, whatever ``id`` and ``made_at`` it holds."""
    content = {key: value for key, value in document.items() if key not in {"id", "made_at"}}
    return PlanId(sha256_of_members(content))


def _write_toward_node(toward: TowardNode) -> dict[str, Any]:
    document = asdict(toward)
    return document if toward.missing else {key: value for key, value in document.items() if key != "missing"}


def _read_toward_node(wire: TowardNodeWire) -> TowardNode:
    return TowardNode(
        Address(wire.peer),
        Address(wire.node),
        wire.store,
        wire.ok,
        wire.cause,
        wire.error,
        wire.code,
        wire.depth,
        wire.advice,
        tuple(wire.options),
        fingerprints_of(wire.missing),
    )


def write_future(change: FutureChange) -> dict[str, Any]:
    """Return the document of one change: of a verdict, or, without a port and with the store, of a node's answer."""
    place: dict[str, Any]
    if isinstance(change, FutureTowardNode):
        place = {"address": change.node, "port": None, "store": change.store}
    else:
        place = {"address": change.address, "port": change.port}
    return {
        "at": rfc3339(change.at),
        **place,
        "peer": change.peer,
        "ok": change.ok,
        "cause": change.cause,
        "because": list(change.because),
    }


def _read_future(wire: FutureVerdictWire) -> FutureChange:
    because = tuple(Fingerprint(fingerprint) for fingerprint in wire.because)
    peer, address = Address(wire.peer), Address(wire.address)
    if wire.port is None and wire.store is not None and not isinstance(wire.cause, Cause):
        return FutureTowardNode(wire.at, peer, address, wire.store, wire.ok, wire.cause, because)
    if wire.port is None or isinstance(wire.cause, ClientCause):
        raise FormatError("A change ahead has neither a port nor the store of a node, or a cause of the other kind.")
    return FutureVerdict(wire.at, address, wire.port, peer, wire.ok, wire.cause, because)


def _read_facts(wire: FactsWire) -> CertificateFacts:
    names, vouched_by = tuple(wire.dns_names), tuple(wire.vouched_by)
    return CertificateFacts(wire.subject, wire.common_name, wire.issuer, wire.not_before, wire.not_after, names, vouched_by)


def _check_facts(facts: Mapping[Fingerprint, CertificateFacts], certificates: Mapping[Fingerprint, Certificate]) -> None:
    """Raise FormatError where the facts are not those of the certificate beside them: people read the facts."""
    check_certificates_present("plan", facts, certificates)
    for fingerprint, stated in facts.items():
        if stated != CertificateFacts.of(certificates[fingerprint], stated.vouched_by):
            raise FormatError(f"facts[{fingerprint}] does not match the certificate itself.")


def _write_base(base: Base) -> dict[str, Any]:
    # Left out where they are not known, for the same reason as above.
    optional = {
        "version": base.version,
        "offers_workaround": base.offers_workaround,
        "removal": base.removal,
        "system_name": base.system_name,
    }
    return {
        "trusted_ca": base.trusted_ca,
        "ciphers": dict(base.ciphers),
        **{key: value for key, value in optional.items() if value},
    }


def _read_forecasts(entries: list[Any]) -> tuple[EndpointForecast, ...]:
    """Return the forecasts in a document. Verdicts and names that are alike are one value: there are few of them."""
    addresses: dict[str, Address] = {}
    return tuple(
        EndpointForecast(
            addresses.setdefault(wire.address, Address(wire.address)),
            wire.port,
            addresses.setdefault(wire.peer, Address(wire.peer)),
            wire.before.verdict,
            wire.after.verdict,
            wire.product,
        )
        for wire in validate_entries(ForecastWire, validate_verdicts(entries), "plan", "endpoints")
    )


def _write_forecast(forecast: EndpointForecast) -> dict[str, Any]:
    return {
        "address": forecast.address,
        "port": forecast.port,
        "peer": forecast.peer,
        "before": write_verdict(forecast.before),
        "after": write_verdict(forecast.after),
        **({"product": forecast.product} if forecast.product else {}),
    }


def _read_unresolved(wire: UnresolvedWire) -> Unresolved:
    return Unresolved(Address(wire.address), wire.port, wire.cause, wire.advice, tuple(wire.options))
