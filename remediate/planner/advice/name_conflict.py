"""Name conflicts: two certificates that need one common name, of which Expressway's trusted CA list holds one (CSCwa12905).

Also the search for that obstacle: why an addition that would fix an endpoint is not planned.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import Cause
from remediate.planner.advice.hostnames import list_host_names
from remediate.planner.advice.phrases import describe_certificate, describe_certificates, join_endpoints
from remediate.planner.advice.prices import certificate_service, describe_reissue_price
from remediate.planner.advice.refusal import Advice, Refusal, suggest_removal, suggest_signing
from remediate.planner.solver.candidates import Candidates, common_name_group
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.openssl import name_hashes

_MAX_ADDED = 3
_MAX_ADDITIONS_TRIED = 500
_RULE = "Expressway cannot hold two different certificates with one common name"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why an addition that would fix an endpoint stays out of the list.

    Attributes:
        needed: The certificates of that addition.
        conflicting: Certificates of the list after the plan with a common name of `needed`.
        namesakes: Two of `needed` have one common name.
        victims: Endpoints that would be refused with `needed` in the list.
    """

    needed: Chain
    conflicting: Chain = ()
    namesakes: bool = False
    victims: tuple[Endpoint, ...] = ()


def find_obstacle(refusal: Refusal, candidates: Candidates, oracle: TrustOracle) -> Obstacle | None:
    """Return what keeps the smallest addition out that would fix `refusal`; None where no candidates would fix it."""
    if not oracle.may_accept(refusal.presented):
        return None
    listed = refusal.listed
    matters = listed.among(oracle.relevant(refusal.presented) | listed.unreadable)
    for needed in itertools.islice(_list_additions(refusal, candidates, oracle), _MAX_ADDITIONS_TRIED):
        groups = {common_name_group(certificate) for certificate in needed}
        conflicting = listed.among(namesake for group in groups for namesake in listed.by_group.get(group, ()))
        compatible = [certificate for certificate in matters if certificate not in conflicting]
        if not oracle.accepts([*compatible, *needed], refusal.presented):
            continue
        if conflicting or len(groups) < len(needed):
            return Obstacle(needed, conflicting, namesakes=len(groups) < len(needed))
        victims = refusal.other_endpoints.broken_by(needed) if refusal.other_endpoints else ()
        if victims:
            return Obstacle(needed, victims=victims)
    return None


def _list_additions(refusal: Refusal, candidates: Candidates, oracle: TrustOracle) -> Iterable[Chain]:
    """Return the sets of certificates that could be added, the smallest first."""
    # Begin with the few that matter to this chain: there are as many candidates as endpoints.
    relevant = candidates.addable & oracle.relevant(refusal.presented)
    addable = sorted(relevant - refusal.listed.order.keys(), key=lambda certificate: certificate.fingerprint)
    sizes = range(1, min(len(addable), _MAX_ADDED) + 1)
    return itertools.chain.from_iterable(itertools.combinations(addable, size) for size in sizes)


def advise_on_conflict(obstacle: Obstacle, refusal: Refusal) -> Advice:
    """Return the advice on a common name that is taken: by what, why that stays, and the options."""
    needed = describe_certificates(obstacle.needed)
    if not obstacle.conflicting:
        text = f"It would verify with {needed} in the trusted CA list, but {_RULE}, and these share one."
        return Advice(Cause.COMMON_NAME_CONFLICT, text, (_suggest_sending_the_chain(refusal), suggest_signing(refusal)))
    rivals = refusal.other_users(obstacle.conflicting)
    text = f"It would verify with {needed} in the trusted CA list, but {_RULE}, and {_explain_conflicting(obstacle, refusal, rivals)}."
    if _is_rekeyed(obstacle):
        text += " They are one CA by name, renewed with another key: a certificate that one key signed does not verify with the other."
    return Advice(Cause.COMMON_NAME_CONFLICT, text, _list_options(obstacle, refusal, rivals))


def _list_options(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    if not rivals:
        return _suggest_deletion(obstacle, refusal)
    own = refusal.presented[0] in obstacle.needed
    return _suggest_reissue(obstacle, refusal, rivals) if own else _suggest_other_ca(obstacle, refusal, rivals)


def _explain_conflicting(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> str:
    """Return what the conflicting certificates are there for."""
    certificates, endpoints = describe_certificates(obstacle.conflicting), join_endpoints(rivals)
    verb = "is" if len(obstacle.conflicting) == 1 else "are"
    if any(certificate in refusal.added for certificate in obstacle.conflicting):
        return f"{certificates} {verb} what this plan adds for {endpoints}"
    if rivals:
        return f"{certificates} {verb} in use by {endpoints}"
    return f"{certificates} {verb} in the list, although no observed endpoint needs it"


def _suggest_deletion(obstacle: Obstacle, refusal: Refusal) -> tuple[str, ...]:
    # No endpoint uses the conflicting certificate: usually it is the old one of a renewal.
    stale = describe_certificates(obstacle.conflicting)
    by_hand = f"If nothing needs {stale} any more: delete it on every peer ({TRUSTED_CA_PAGE}) and plan again."
    return (*suggest_removal(refusal), by_hand, suggest_signing(refusal))


def _is_rekeyed(obstacle: Obstacle) -> bool:
    """Return whether the needed and the conflicting certificate are one CA by its whole name, with two keys."""
    needed, listed = obstacle.needed[0], obstacle.conflicting[0]
    alone = len(obstacle.needed) == len(obstacle.conflicting) == 1 and needed.is_ca and listed.is_ca
    return alone and name_hashes(needed).subject == name_hashes(listed).subject and not needed.has_key_of(listed)


def _suggest_newer_key(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """Return the options for one CA with two keys in use: the newer key signs again what the older one signed."""
    needed, listed = obstacle.needed[0], obstacle.conflicting[0]
    if needed.not_before and listed.not_before and needed.not_before < listed.not_before:
        newer, address = describe_certificate(listed), refusal.endpoint.address
        again = f"Have the certificate of {address} signed again by the newer key of that CA, {newer}."
        return (again, suggest_signing(refusal))
    again = (
        f"Have the certificates of {join_endpoints(rivals)} signed again by the newer key of that CA, {describe_certificate(needed)}. "
        f"Only then delete {describe_certificates(obstacle.conflicting)} on every peer ({TRUSTED_CA_PAGE}), and plan again."
    )
    return (again, suggest_signing(refusal))


def _suggest_other_ca(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """Return the options for two CAs of one name, both in use."""
    if _is_rekeyed(obstacle):
        return _suggest_newer_key(obstacle, refusal, rivals)
    conflicting = describe_certificates(obstacle.conflicting)
    return (
        suggest_signing(refusal),
        f"Move the endpoints that need {conflicting} to another CA, delete it on every peer, and plan again.",
    )


def _suggest_reissue(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """Return the options for two servers' own certificates, both in use: one of them has to change on its node."""
    endpoint, leaf = refusal.endpoint, refusal.presented[0]
    own, rival = _describe_service(endpoint, leaf), _describe_service(rivals[0], obstacle.conflicting[0])
    names = ", ".join(dict.fromkeys([*list_host_names(leaf), endpoint.address.rstrip(".")]))
    price, rival_price = (describe_reissue_price(user.product, user.port) for user in (endpoint, rivals[0]))
    prices = price if rival_price == price else f"{own}: {price} {rival}: {rival_price}"
    options = (
        f"Have {own} or {rival} signed by a CA that the peers trust: it then need not be in the list itself. {prices}",
        f"Reissue {own} with a common name of its own, and put these into its CSR as SAN dNSNames: {names}. {price}",
    )
    same_node = endpoint.product == "cucm" and all(user.address == endpoint.address for user in rivals)
    reuse = f"On Unified CM 14 and later, let {endpoint.address} use one certificate for both services (certificate reuse)."
    return (*options, reuse) if same_node else options


def _suggest_sending_the_chain(refusal: Refusal) -> str:
    return f"Upload the whole chain on {refusal.endpoint.address}: an intermediate that it sends need not be in the list."


def _describe_service(endpoint: Endpoint, certificate: Certificate) -> str:
    """Return what the node's own certificate management calls `certificate`."""
    service = certificate_service(endpoint.product, endpoint.port)
    family = "-ECDSA" if certificate.key_family == "ecdsa" else ""
    return f"{service}{family} of {endpoint.address}"
