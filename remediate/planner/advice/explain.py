"""What would mend one verdict by itself, without a cluster around it: tried with OpenSSL, not guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import TRUST_CAUSES
from remediate.planner.advice.causes import on_the_cause
from remediate.planner.advice.hostnames import on_the_name
from remediate.planner.advice.refusal import Refusal, name_of, names_of
from remediate.planner.solver.candidates import common_name_group
from remediate.trust.chain_verifier import Chain
from remediate.trust.hostnames import name_matches
from remediate.trust.underlying_fault import find_underlying_fault
from remediate.trust.verify import explain_chain, verify_chain

_AFTER_A_LOOK = "once a person compared its fingerprint over another path"


@dataclass(frozen=True, slots=True)
class Mending:
    """What would make a refused chain verify.

    Attributes:
        mends: changes of the trusted CA list, each of which alone makes the verdict good, name included.
        advice: what to do, one sentence each; the chain first, then the name.
    """

    mends: tuple[str, ...]
    advice: tuple[str, ...]


def mending_of(presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str, at: datetime) -> Mending:
    """Return what would mend the verdict of `verify_chain` on the same arguments: nothing where it is good.

    Args:
        presented: leaf first, not empty.
    """
    chain = explain_chain(presented, trusted, None, at)
    refusal = Refusal(Endpoint(Address(address), 8443, "cucm", {}), tuple(presented), chain, tuple(trusted))
    fits = name_matches(presented[0], address)
    changes = () if chain.verdict.ok else tuple(_changes(refusal, at))
    of_chain = changes or (() if chain.verdict.ok else _of_the_cause(refusal, at))
    of_name = () if fits else _sentences(*on_the_name(refusal.endpoint, presented[0]))
    return Mending(changes if fits else (), (*of_chain, *of_name))


def _changes(refusal: Refusal, at: datetime) -> Iterator[str]:
    stale = refusal.explained.shadowed_by
    if stale:
        yield f"Remove {names_of(stale)} from the trusted CA list: {'it wins' if len(stale) == 1 else 'they win'} over the good one."
        return
    for certificate in dict.fromkeys(refusal.presented):
        # Expressway holds no two different certificates with one common name (CSCwa12905): there, the old one has to go first.
        rivals = tuple(old for old in refusal.trusted if common_name_group(old) == common_name_group(certificate))
        kept = [old for old in refusal.trusted if old not in rivals]
        if certificate not in refusal.trusted and verify_chain(refusal.presented, (*kept, certificate), None, at).ok:
            instead = f" in the place of {names_of(rivals)}, which has the same common name," if rivals else ""
            yield f"Add {name_of(certificate)} to the trusted CA list{instead} {_AFTER_A_LOOK}.{_what_it_costs(certificate, rivals)}"


def _what_it_costs(new: Certificate, old: Chain) -> str:
    """What else is refused once `new` stands in the place of `old`: with another key, whatever the old key signed."""
    rekeyed = tuple(one for one in old if one.is_ca and not one.has_key_of(new))
    return f" What the key of {names_of(rekeyed)} signed has to be signed again first: it is refused then." if rekeyed else ""


def _of_the_cause(refusal: Refusal, at: datetime) -> tuple[str, ...]:
    if refusal.explained.verdict.cause in TRUST_CAUSES:
        behind = find_underlying_fault(refusal.explained, refusal.presented, refusal.trusted, at)
        if behind is not None:
            advice = on_the_cause(replace(refusal, explained=behind))
            return _sentences(f"Trust alone does not mend it: {advice.text}", advice.options)
    advice = on_the_cause(refusal)
    return _sentences(advice.text, advice.options)


def _sentences(text: str, options: Sequence[str]) -> tuple[str, ...]:
    return (text, *options)
