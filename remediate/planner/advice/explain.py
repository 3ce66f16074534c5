"""Fixes: what would make the verdict on one chain good, without a cluster around it, tried with OpenSSL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import PRODUCTS_BY_PORT
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import TRUST_CAUSES
from remediate.planner.advice.causes import advise_on_cause
from remediate.planner.advice.hostnames import advise_on_name
from remediate.planner.advice.phrases import describe_certificate, describe_certificates
from remediate.planner.advice.refusal import Refusal
from remediate.planner.solver.candidates import common_name_group
from remediate.trust.hostnames import name_matches
from remediate.trust.underlying_fault import find_underlying_fault
from remediate.trust.verifier import verify_chain

_CONDITION = "after checking its fingerprint out of band"


@dataclass(frozen=True, slots=True)
class Fixes:
    """The changes that make a refused chain verify.

    Attributes:
        list_changes: Changes of the trusted CA list, each of which alone makes the verdict good, name included.
        advice: What to do, one sentence each; the chain first, then the name.
    """

    list_changes: tuple[str, ...]
    advice: tuple[str, ...]


def find_fixes(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str, at: datetime, port: int = 8443
) -> Fixes:
    """Return what would fix the verdict of `verify_chain` on the same arguments: nothing where it is good.

    `presented` is not empty. `port` tells which service of the node a reissue is about.
    """
    verdict = verify_chain(presented, trusted, None, at)
    refusal = Refusal(
        Endpoint(Address(address), port, PRODUCTS_BY_PORT.get(port, "cucm"), {}), tuple(presented), verdict, tuple(trusted)
    )
    matches = name_matches(presented[0], address)
    list_changes = () if verdict.ok else tuple(_find_list_changes(refusal, at))
    chain_advice = list_changes or (() if verdict.ok else _advise_on_chain(refusal, at))
    name_advice: tuple[str, ...] = ()
    if not matches:
        text, options = advise_on_name(refusal.endpoint, presented[0])
        name_advice = (text, *options)
    return Fixes(list_changes if matches else (), (*chain_advice, *name_advice))


def _find_list_changes(refusal: Refusal, at: datetime) -> Iterator[str]:
    stale = refusal.verdict.shadowed_by
    if stale:
        precedes = "it takes precedence" if len(stale) == 1 else "they take precedence"
        yield f"Remove {describe_certificates(stale)} from the trusted CA list: {precedes} over the good one."
        return
    for certificate in dict.fromkeys(refusal.presented):
        # Expressway holds no two different certificates with one common name (CSCwa12905): there, the old one has to go first.
        rivals = tuple(old for old in refusal.trusted if common_name_group(old) == common_name_group(certificate))
        compatible = [listed for listed in refusal.trusted if listed not in rivals]
        if certificate not in refusal.trusted and verify_chain(refusal.presented, (*compatible, certificate), None, at).ok:
            instead = f" instead of {describe_certificates(rivals)}, which has the same common name," if rivals else ""
            warning = _warn_of_new_key(certificate, rivals)
            yield f"Add {describe_certificate(certificate)} to the trusted CA list{instead} {_CONDITION}.{warning}"


def _warn_of_new_key(new: Certificate, replaced: Chain) -> str:
    """Return what else is refused once `new` replaces CAs with another key: whatever those keys signed."""
    rekeyed = tuple(old for old in replaced if old.is_ca and not old.has_key_of(new))
    return (
        f" First have every certificate reissued that the key of {describe_certificates(rekeyed)} signed: it is refused afterwards."
        if rekeyed
        else ""
    )


def _advise_on_chain(refusal: Refusal, at: datetime) -> tuple[str, ...]:
    if refusal.verdict.cause in TRUST_CAUSES:
        fault = find_underlying_fault(refusal.verdict, refusal.presented, refusal.trusted, at)
        if fault is not None:
            advice = advise_on_cause(replace(refusal, verdict=fault))
            return (f"Trust alone does not fix it: {advice.text}", *advice.options)
    return advise_on_cause(refusal).sentences
