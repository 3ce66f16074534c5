"""Two certificates that need one common name, of which Expressway's trusted CA list holds one (CSCwa12905): the ways out."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.model.certificate import Certificate
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import Cause
from remediate.planner.advice.hostnames import host_names
from remediate.planner.advice.obstacle import Obstacle
from remediate.planner.advice.refusal import Advice, Refusal, endpoints_of, name_of, names_of, signed_by_a_ca
from remediate.trust.openssl import name_hashes

# Which of a node's certificates answers on which port (the port reference of Unified CM; 6971 and 6972 are the TFTP service's).
_TFTP_PORTS = frozenset({6971, 6972})
_RULE = "Expressway holds no two different certificates with one common name"


def on_the_conflict(obstacle: Obstacle, refusal: Refusal) -> Advice:
    """Return what stands in the way and why it stays, and the ways out."""
    wanted = names_of(obstacle.wanted)
    if not obstacle.in_the_way:
        text = f"It would verify with {wanted} in the trusted CA list, but {_RULE}, and these share one."
        return Advice(Cause.COMMON_NAME_CONFLICT, text, (_send_the_chain(refusal), signed_by_a_ca(refusal)))
    rivals = _rivals(obstacle, refusal)
    verb = "is" if len(obstacle.in_the_way) == 1 else "are"
    text = (
        f"It would verify with {wanted} in the trusted CA list, but {_RULE}, and {names_of(obstacle.in_the_way)} {verb} "
        f"{_hold(obstacle, refusal, rivals)}."
    )
    if _is_rekeyed(obstacle):
        text += " They are one CA by name, renewed with another key: what one key signed does not verify by the other."
    return Advice(Cause.COMMON_NAME_CONFLICT, text, _ways_out(obstacle, refusal, rivals))


def _ways_out(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    if not rivals:
        return _removals(obstacle, refusal)
    own = refusal.presented[0] in obstacle.wanted
    return _reissues(obstacle, refusal, rivals) if own else _other_authorities(obstacle, refusal, rivals)


def _hold(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> str:
    """Why what is in the way stays."""
    if any(one in refusal.added for one in obstacle.in_the_way):
        return f"what this plan adds for {endpoints_of(rivals)}"
    return f"there for {endpoints_of(rivals)}" if rivals else "there, although no endpoint that was seen needs it"


def _removals(obstacle: Obstacle, refusal: Refusal) -> tuple[str, ...]:
    """Nobody rests on what is in the way: it is the old one of a renewal, as a rule."""
    stale = names_of(obstacle.in_the_way)
    by_hand = f"If nothing needs {stale} any more: delete it on every peer ({TRUSTED_CA_PAGE}) and plan again."
    return (*removal(refusal), by_hand, signed_by_a_ca(refusal))


def removal(refusal: Refusal) -> tuple[str, ...]:
    """The switch that takes stale certificates out, where that was seen to help."""
    if not refusal.removable:
        return ()
    return (f"Plan again with --allow-removal: it takes {names_of(refusal.removable)} out first.",)


def _is_rekeyed(obstacle: Obstacle) -> bool:
    """Whether what is wanted and what is in the way are one CA by its whole name, with two keys."""
    wanted, listed = obstacle.wanted[0], obstacle.in_the_way[0]
    alone = len(obstacle.wanted) == len(obstacle.in_the_way) == 1 and wanted.is_ca and listed.is_ca
    return alone and name_hashes(wanted).subject == name_hashes(listed).subject and not wanted.has_key_of(listed)


def _signed_again(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """One CA with two keys, both in use: what the older key signed has to be signed again by the newer one."""
    wanted, listed = obstacle.wanted[0], obstacle.in_the_way[0]
    if wanted.not_before and listed.not_before and wanted.not_before < listed.not_before:
        again = (
            f"Have the certificate of {refusal.endpoint.address} signed again by the newer key of that CA, {name_of(listed)}."
        )
        return (again, signed_by_a_ca(refusal))
    again = (
        f"Have the certificates of {endpoints_of(rivals)} signed again by the newer key of that CA, {name_of(wanted)}. Only then "
        f"delete {names_of(obstacle.in_the_way)} on every peer ({TRUSTED_CA_PAGE}), and plan again."
    )
    return (again, signed_by_a_ca(refusal))


def _other_authorities(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """Two CAs of one name, both in use."""
    if _is_rekeyed(obstacle):
        return _signed_again(obstacle, refusal, rivals)
    return (
        signed_by_a_ca(refusal),
        f"Move the endpoints that need {names_of(obstacle.in_the_way)} to another CA, delete it on every peer, and plan again.",
    )


def _reissues(obstacle: Obstacle, refusal: Refusal, rivals: Sequence[Endpoint]) -> tuple[str, ...]:
    """Two servers' own certificates, both in use: one of them has to change on its node."""
    endpoint, leaf = refusal.endpoint, refusal.presented[0]
    mine, theirs = _service(endpoint, leaf), _service(rivals[0], obstacle.in_the_way[0])
    names = ", ".join(dict.fromkeys([*host_names(leaf), endpoint.address.rstrip(".")]))
    options = (
        f"Have {mine} or {theirs} signed by a CA that the peers trust: it then need not stand in the list itself.",
        f"Reissue {mine} with a common name of its own, and put these into its CSR as SAN dNSNames: {names}.",
    )
    same_node = endpoint.product == "cucm" and all(rival.address == endpoint.address for rival in rivals)
    reuse = f"On Unified CM 14 and later, let {endpoint.address} use one certificate for both services (certificate reuse)."
    return (*options, reuse) if same_node else options


def _send_the_chain(refusal: Refusal) -> str:
    return f"Upload the whole chain on {refusal.endpoint.address}: an intermediate that it sends need not stand in the list."


def _rivals(obstacle: Obstacle, refusal: Refusal) -> tuple[Endpoint, ...]:
    """The endpoints that rest on what is in the way."""
    users = {user.name: user for certificate in obstacle.in_the_way for user in refusal.others.users(certificate)}
    return tuple(users[name] for name in sorted(users) if name != refusal.endpoint.name)


def _service(endpoint: Endpoint, certificate: Certificate) -> str:
    """The certificate as the node's own certificate management calls it."""
    service = "CallManager" if endpoint.product == "cucm" and endpoint.port in _TFTP_PORTS else "tomcat"
    family = "-ECDSA" if certificate.key_family == "ecdsa" else ""
    return f"{service}{family} of {endpoint.address}"
