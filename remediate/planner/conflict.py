"""Two certificates that need one common name, of which Expressway's trusted CA list holds one (CSCwa12905): what can be done."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.snapshot import Endpoint
from remediate.planner.oracle import Oracle
from remediate.planner.refusal import TRUSTED_LIST_PAGE, Refusal, names_of
from remediate.planner.slots import Candidates, slot_of
from remediate.trust.names import matching_addresses
from remediate.trust.verify import Chain

_MOST_CERTIFICATES_TO_ADD = 3
_MOST_WAYS = 2000
# Which of a node's certificates answers on which port (the port reference of Unified CM; 6971 and 6972 are the TFTP service's).
_TFTP_PORTS = frozenset({6971, 6972})


@dataclass(frozen=True, slots=True)
class Conflict:
    """What `wanted` would mend, were it not for `in_the_way`: certificates of the list, after the plan, with the same common names."""

    wanted: Chain
    in_the_way: Chain


def conflict_of(refusal: Refusal, known: Candidates, oracle: Oracle) -> Conflict | None:
    """Return the smallest addition that a common name alone forbids; None where there is none."""
    trusted, presented = refusal.trusted, refusal.presented
    usable = [one for one in known.certificates if one in oracle.relevant(presented) and one not in trusted]
    sizes = range(1, min(len(usable), _MOST_CERTIFICATES_TO_ADD) + 1)
    ways = itertools.chain.from_iterable(itertools.combinations(usable, size) for size in sizes)
    for wanted in itertools.islice(ways, _MOST_WAYS):
        slots = {slot_of(one) for one in wanted}
        in_the_way = tuple(one for one in trusted if slot_of(one) in slots)
        rest = [one for one in trusted if one not in in_the_way]
        if in_the_way and oracle.accepts([*rest, *wanted], presented):
            return Conflict(wanted, in_the_way)
    return None


def way_out(conflict: Conflict, refusal: Refusal) -> tuple[str, tuple[str, ...]]:
    """Return what stands in the way and why it stays, and the ways out."""
    rivals = _rivals(conflict, refusal)
    text = (
        f"It would verify with {names_of(conflict.wanted)} in the trusted CA list, but Expressway holds no two different certificates "
        f"with one common name, and {names_of(conflict.in_the_way)} {_hold(conflict, refusal, rivals)}."
    )
    if not rivals:
        return text, _removals(conflict, refusal)
    own = refusal.presented[0] in conflict.wanted
    return text, _reissues(conflict, refusal, rivals) if own else _other_authorities(conflict, refusal)


def _hold(conflict: Conflict, refusal: Refusal, rivals: Sequence[Endpoint]) -> str:
    """Why what is in the way stays."""
    names = _and([one.name for one in rivals])
    if any(one in refusal.added for one in conflict.in_the_way):
        return f"is what this plan adds for {names}"
    return f"is there for {names}" if rivals else "is there, although no endpoint that was seen needs it"


def _removals(conflict: Conflict, refusal: Refusal) -> tuple[str, ...]:
    """Nobody rests on what is in the way: it is the old one of a renewal, as a rule."""
    stale = names_of(conflict.in_the_way)
    return (
        f"If {stale} is no longer presented anywhere: delete it on every peer ({TRUSTED_LIST_PAGE}) and plan again.",
        "Plan with --allow-removal to have it taken out first.",
        f"Have the certificate of {refusal.endpoint.address} signed by a CA that the peers trust.",
    )


def _other_authorities(conflict: Conflict, refusal: Refusal) -> tuple[str, ...]:
    """Two CAs of one name, both in use."""
    return (
        f"Have the certificate of {refusal.endpoint.address} signed by a CA that the peers trust.",
        f"Move the endpoints that need {names_of(conflict.in_the_way)} to another CA, then plan again with --allow-removal.",
    )


def _reissues(conflict: Conflict, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """Two servers' own certificates, both in use: one of them has to change on its node."""
    endpoint, leaf = refusal.endpoint, refusal.presented[0]
    mine, theirs = _service(endpoint, leaf), _service(rivals[0], conflict.in_the_way[0])
    names = ", ".join(dict.fromkeys([*matching_addresses(leaf), endpoint.address]))
    options = (
        f"Have {mine} or {theirs} signed by a CA that the peers trust: it then need not stand in the list itself.",
        f"Reissue {mine} with a common name of its own, and put these into its CSR as SAN dNSNames: {names}.",
    )
    same_node = endpoint.product == "cucm" and all(one.address == endpoint.address for one in rivals)
    reuse = f"On Unified CM 14 and later, let {endpoint.address} use one certificate for both services (certificate reuse)."
    return (*options, reuse) if same_node else options


def _rivals(conflict: Conflict, refusal: Refusal) -> tuple[Endpoint, ...]:
    """The endpoints that rest on what is in the way."""
    users = {one.name: one for certificate in conflict.in_the_way for one in refusal.users(certificate)}
    return tuple(users[name] for name in sorted(users) if name != refusal.endpoint.name)


def _service(endpoint: Endpoint, certificate: Certificate) -> str:
    """The certificate as the node's own certificate management calls it."""
    service = "CallManager" if endpoint.product == "cucm" and endpoint.port in _TFTP_PORTS else "tomcat"
    family = "-ECDSA" if certificate.key_family == "ecdsa" else ""
    return f"{service}{family} of {endpoint.address}"


def _and(words: Sequence[str]) -> str:
    *head, last = words or [""]
    return f"{', '.join(head)} and {last}" if head else last
