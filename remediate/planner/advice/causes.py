"""What is said of each cause by itself, and the ways out."""

from __future__ import annotations

from collections.abc import Callable

from remediate.model.certificate import Certificate
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.snapshot import Endpoint
from remediate.model.text import join_words
from remediate.model.verdict import Cause
from remediate.planner.advice.hostnames import on_the_name
from remediate.planner.advice.name_conflict import removal
from remediate.planner.advice.refusal import (
    Advice,
    Refusal,
    day_of_end,
    endpoints_of,
    name_of,
    names_of,
    signed_by_a_ca,
)
from remediate.planner.advice.remedies import remedies
from remediate.trust.chain_verifier import Chain
from remediate.trust.openssl import readable


def on_the_cause(refusal: Refusal) -> Advice:
    """Return what is said of the cause by itself, and the ways out."""
    return _BY_CAUSE[refusal.explained.verdict.cause or Cause.CHAIN_INVALID](refusal)


def _self_signed(refusal: Refusal) -> Advice:
    text = f"It presents the self-signed certificate {name_of(refusal.presented[0])}, which is not trusted."
    return Advice(Cause.SELF_SIGNED_UNTRUSTED, text, (signed_by_a_ca(refusal),))


def _issuer_untrusted(refusal: Refusal) -> Advice:
    root = (refusal.explained.built_chain or refusal.presented)[-1]
    return Advice(
        Cause.ISSUER_UNTRUSTED, f"Its root {name_of(root)} was presented and is not trusted.", (signed_by_a_ca(refusal),)
    )


def issuer_unknown(refusal: Refusal, namesakes: tuple[Certificate, ...] = ()) -> Advice:
    """Return what is said of a missing issuer; `namesakes` are at hand, have its name, and are not it."""
    end, address = (refusal.explained.built_chain or refusal.presented)[-1], refusal.endpoint.address
    found = "was neither presented nor found"
    if namesakes:
        found = (
            f"was not found: {names_of(namesakes)} {'has' if len(namesakes) == 1 else 'have'} that name, and did not issue it"
        )
    text = f"The CA certificate {end.issuer or 'with an empty name'!r}, which issued {name_of(end)}, {found}."
    in_the_list = tuple(namesake for namesake in namesakes if namesake in refusal.trusted)
    options = (
        f"Give that CA certificate with --ca (ask the owner of {address} for it) and plan again.{_making_room(refusal, in_the_list)}",
        *_signed_by_the_newer_key(refusal, in_the_list),
        f"Upload the whole chain on {address}, so that it is presented.",
    )
    return Advice(Cause.ISSUER_UNKNOWN, text, options)


def _making_room(refusal: Refusal, in_the_list: Chain) -> str:
    """What has to happen before the missing CA certificate fits into a list that holds its namesakes."""
    if not in_the_list:
        return ""
    resting = _resting(refusal, in_the_list)
    verb = "rests" if len(resting) == 1 else "rest"
    if resting:
        return f" The list holds one certificate of a name, and {endpoints_of(resting)} {verb} on {names_of(in_the_list)}."
    return f" The list holds one certificate of a name: {names_of(in_the_list)} may have to go first."


def _signed_by_the_newer_key(refusal: Refusal, in_the_list: Chain) -> tuple[str, ...]:
    """The way out where a CA was renewed with another key and the list holds the renewed one already."""
    authorities = tuple(namesake for namesake in in_the_list if namesake.is_ca)
    if not authorities:
        return ()
    again = f"have the certificate of {refusal.endpoint.address} signed again by {names_of(authorities)}"
    return (f"If that CA was renewed with another key: {again}.",)


def _resting(refusal: Refusal, some: Chain) -> tuple[Endpoint, ...]:
    """The other endpoints whose chains are made of `some`, by name."""
    users = {endpoint.name: endpoint for certificate in some for endpoint in refusal.others.users(certificate)}
    return tuple(users[name] for name in sorted(users) if name != refusal.endpoint.name)


def _shadowed(refusal: Refusal) -> Advice:
    stale = refusal.explained.shadowed_by
    verb, it = ("wins", "it") if len(stale) == 1 else ("win", "them")
    resting = _resting(refusal, stale)
    first = f"Have the certificates of {endpoints_of(resting)} signed again first, which rest on {it}: " if resting else ""
    delete = f"{'d' if first else 'D'}elete {it} by hand on every peer that holds {it} ({TRUSTED_CA_PAGE}) and plan again."
    return Advice(
        Cause.SHADOWED,
        f"{names_of(stale)} in the trusted CA list {verb} over the good certificate; only taking {it} out helps.",
        (*removal(refusal), f"{first}{delete}"),
    )


def name_mismatch(refusal: Refusal) -> Advice:
    """Return what is said of a name that does not match."""
    return Advice(Cause.NAME_MISMATCH, *on_the_name(refusal.endpoint, refusal.presented[0]))


def _expired(refusal: Refusal) -> Advice:
    late = _at_fault(refusal)
    return Advice(Cause.EXPIRED, f"{name_of(late)} expired on {day_of_end(late)}.", (*removal(refusal), _renew(refusal, late)))


def _not_yet_valid(refusal: Refusal) -> Advice:
    early = _at_fault(refusal)
    begins = early.not_before.date().isoformat() if early.not_before else "an unreadable date"
    return Advice(
        Cause.NOT_YET_VALID,
        f"{name_of(early)} is valid from {begins} on.",
        ("Check the clock of the peer and of the node (NTP).", *removal(refusal), _renew(refusal, early)),
    )


def _chain_invalid(refusal: Refusal) -> Advice:
    broken = tuple(certificate for certificate in refusal.trusted if not readable(certificate))
    if broken:
        return _broken_list(refusal, broken)
    verdict, fault = refusal.explained.verdict, _at_fault(refusal)
    return Advice(
        Cause.CHAIN_INVALID,
        f"OpenSSL refuses {name_of(fault)}: {verdict.error} (error {verdict.code} at depth {verdict.depth}).",
        (*removal(refusal), *remedies(verdict.code, name_of(fault), refusal.endpoint.address)),
    )


def _broken_list(refusal: Refusal, broken: Chain) -> Advice:
    """One entry that cannot be read makes the traffic server drop the whole list: the endpoint has no part in it."""
    prints = join_words([f"number {refusal.trusted.index(one) + 1} ({one.fingerprint[:19]}…)" for one in broken])
    return Advice(
        Cause.CHAIN_INVALID,
        f"The trusted CA list holds what OpenSSL cannot read: {prints}. The traffic server then drops the whole list.",
        (*removal(refusal), f"Delete it by hand on every peer that holds it ({TRUSTED_CA_PAGE}) and plan again."),
    )


def _handshake_failed(refusal: Refusal) -> Advice:
    error = refusal.explained.verdict.error or "the handshake failed"
    return Advice(
        Cause.HANDSHAKE_FAILED,
        f"No certificate could be seen: {error}.",
        ("Check the TLS versions and ciphers of the node against the peers' reverse proxy cipher list.",),
    )


def _unreachable(refusal: Refusal) -> Advice:
    error = refusal.explained.verdict.error or "unreachable"
    return Advice(
        Cause.UNREACHABLE,
        f"It could not be looked at ({error}), so nothing is known of it.",
        ("Make it reachable from here and plan again, or apply with --allow-incomplete.",),
    )


_BY_CAUSE: dict[Cause, Callable[[Refusal], Advice]] = {
    Cause.SELF_SIGNED_UNTRUSTED: _self_signed,
    Cause.ISSUER_UNTRUSTED: _issuer_untrusted,
    Cause.ISSUER_UNKNOWN: issuer_unknown,
    Cause.SHADOWED: _shadowed,
    Cause.NAME_MISMATCH: name_mismatch,
    Cause.EXPIRED: _expired,
    Cause.NOT_YET_VALID: _not_yet_valid,
    Cause.CHAIN_INVALID: _chain_invalid,
    Cause.HANDSHAKE_FAILED: _handshake_failed,
    Cause.UNREACHABLE: _unreachable,
}


def _at_fault(refusal: Refusal) -> Certificate:
    chain, depth = refusal.explained.built_chain or refusal.presented, refusal.explained.verdict.depth or 0
    return chain[min(depth, len(chain) - 1)]


def _renew(refusal: Refusal, fault: Certificate) -> str:
    if fault == refusal.presented[0]:
        return f"Renew the certificate of {refusal.endpoint.address}."
    return f"Replace the CA certificate {name_of(fault)}, or have {refusal.endpoint.address} signed by another CA."
