"""The advice on each cause of a refusal by itself, and the remedies of OpenSSL's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.text import join_words
from remediate.model.verdict import Cause
from remediate.planner.advice.hostnames import advise_on_name
from remediate.planner.advice.phrases import (
    describe_certificate,
    describe_certificates,
    format_expiry_day,
    join_endpoints,
)
from remediate.planner.advice.prices import describe_reissue_price
from remediate.planner.advice.refusal import Advice, Refusal, suggest_removal, suggest_signing
from remediate.trust.openssl import is_readable

_FETCHABLE: Final = re.compile(r"(?:https?|ldaps?)://[!-~]{1,200}")
_MAX_PLACES: Final = 2
_REISSUE_LEAF = "Reissue {fault} from another certificate template: renewing it from the same one repeats the failure."
_ASK_THE_CA = "Ask the owner of that CA, or have {address} signed by another CA that the peers trust."

REMEDIES: Final[dict[int, tuple[str, ...]]] = {
    4: ("Compare {fault} with the certificate on its server: its signature cannot be read.",),
    6: ("Reissue {fault}: OpenSSL cannot read its public key.",),
    7: (
        "A CA certificate with the issuer's name and another key is used instead, from the trusted CA list or the presented chain.",
        "Send and trust the CA certificate whose key signed {fault}.",
    ),
    13: ("Reissue {fault}: the start of its validity is not a date.",),
    14: ("Reissue {fault}: the end of its validity is not a date.",),
    22: ("Have {address} signed by a CA nearer to its root: the traffic server follows at most seven intermediates.",),
    24: (
        "{fault} is used as a CA, but is not one (basicConstraints CA:TRUE, or keyCertSign in its key usage, is missing).",
        "Have {address} signed by a real CA, or have that CA certificate reissued.",
    ),
    25: ("A CA above {fault} allows fewer CAs below itself (pathLenConstraint).", _ASK_THE_CA),
    26: (
        "Its extended key usage lacks Server Authentication (1.3.6.1.5.5.7.3.1): ask the CA for a template that has it, or none.",
        _REISSUE_LEAF,
    ),
    32: ("{fault} signed another certificate without keyCertSign in its key usage.", _ASK_THE_CA),
    34: ("{fault} has a critical extension that OpenSSL does not know.", _REISSUE_LEAF),
    40: ("{fault} is a proxy certificate (RFC 3820), which no TLS server may present.", _REISSUE_LEAF),
    41: ("An extension of {fault} is broken.", _REISSUE_LEAF),
    42: ("The policy extension of {fault} is broken.", _REISSUE_LEAF),
    47: ("A CA above {fault} permits other names than it has (nameConstraints).", _ASK_THE_CA),
    48: ("A CA above {fault} forbids a name that it has (nameConstraints).", _ASK_THE_CA),
    49: ("A CA above {fault} has name constraints of a form that OpenSSL does not support (minimum or maximum).", _ASK_THE_CA),
    51: ("A CA above {fault} has name constraints of a type that OpenSSL does not know.", _ASK_THE_CA),
    52: ("A CA above {fault} has name constraints that OpenSSL cannot read.", _ASK_THE_CA),
    53: ("A name in {fault} cannot be read, and a CA above constrains names.", _REISSUE_LEAF),
    66: ("Reissue {fault} with a larger key: RSA 2048 or P-256.",),
    67: ("Its CA has too small a key.", _ASK_THE_CA),
    68: ("{fault} is signed with a digest that is too weak: have it signed again with SHA-256.", _ASK_THE_CA),
}
"""What to do about each error that trust does not fix, by its number (x509_vfy.h). Placeholders: {fault}, {address}."""
_DEFAULT_REMEDY: Final = ("Reissue {fault} without the fault that OpenSSL reports.",)


def advise_on_cause(refusal: Refusal) -> Advice:
    """Return the advice on the cause by itself."""
    return _BY_CAUSE[refusal.verdict.cause or Cause.CHAIN_INVALID](refusal)


def _advise_on_self_signed(refusal: Refusal) -> Advice:
    text = f"It presents the self-signed certificate {describe_certificate(refusal.presented[0])}, which is not trusted."
    return Advice(Cause.SELF_SIGNED_UNTRUSTED, text, (suggest_signing(refusal),))


def _advise_on_untrusted_issuer(refusal: Refusal) -> Advice:
    root = (refusal.verdict.built_chain or refusal.presented)[-1]
    return Advice(
        Cause.ISSUER_UNTRUSTED,
        f"Its root {describe_certificate(root)} was presented and is not trusted.",
        (suggest_signing(refusal),),
    )


def advise_on_unknown_issuer(refusal: Refusal, namesakes: tuple[Certificate, ...] = ()) -> Advice:
    """Return the advice on a missing issuer; `namesakes` were observed, have its name, and did not sign the chain."""
    end, address = (refusal.verdict.built_chain or refusal.presented)[-1], refusal.endpoint.address
    finding = "was neither presented nor found"
    if namesakes:
        verb = "has" if len(namesakes) == 1 else "have"
        finding = f"was not found: {describe_certificates(namesakes)} {verb} that name, but did not issue it"
    text = f"The CA certificate {end.issuer or 'with an empty name'!r}, which issued {describe_certificate(end)}, {finding}."
    listed = tuple(namesake for namesake in namesakes if namesake in refusal.trusted)
    room = _explain_full_place(refusal, listed)
    options = (
        f"Give that CA certificate with --ca ({_tell_source(end, address)}) and plan again.{room}",
        *_suggest_newer_key(refusal, listed),
        f"Upload the whole chain on {address}, so that it is presented.",
    )
    return Advice(Cause.ISSUER_UNKNOWN, text, options)


def _tell_source(issued: Certificate, address: str) -> str:
    """Return where the missing issuer of `issued` can be had."""
    places = [url for url in issued.issuer_addresses if _FETCHABLE.fullmatch(url)][:_MAX_PLACES]
    if not places:
        return f"ask the owner of {address} for it"
    return f"the certificate names {' or '.join(places)} as its location; compare its fingerprint with the CA's owner"


def _explain_full_place(refusal: Refusal, listed: Chain) -> str:
    """Return what has to happen before the missing CA certificate fits into a list that holds `listed`, its namesakes."""
    if not listed:
        return ""
    users = refusal.other_users(listed)
    verb = "uses" if len(users) == 1 else "use"
    if users:
        return f" The list holds one certificate per common name, and {join_endpoints(users)} {verb} {describe_certificates(listed)}."
    return f" The list holds one certificate per common name: {describe_certificates(listed)} may have to be removed first."


def _suggest_newer_key(refusal: Refusal, listed: Chain) -> tuple[str, ...]:
    """Return the option for a CA that was renewed with another key, where the list holds the renewed certificate already."""
    authorities = tuple(namesake for namesake in listed if namesake.is_ca)
    if not authorities:
        return ()
    again = f"have the certificate of {refusal.endpoint.address} signed again by {describe_certificates(authorities)}"
    return (f"If that CA was renewed with another key: {again}.",)


def _advise_on_shadowed(refusal: Refusal) -> Advice:
    stale = refusal.verdict.shadowed_by
    certificates, users, is_one = describe_certificates(stale), refusal.other_users(stale), len(stale) == 1
    pronoun = "it" if is_one else "them"
    verb = "takes" if is_one else "take"
    by_hand = f"by hand on every peer that holds {pronoun} ({TRUSTED_CA_PAGE}) and plan again."
    reissue = f"Have the certificates of {join_endpoints(users)} that use {pronoun} reissued first: delete {pronoun} {by_hand}"
    return Advice(
        Cause.SHADOWED,
        f"{certificates} in the trusted CA list {verb} precedence over the good certificate; only removing {pronoun} helps.",
        (*suggest_removal(refusal), reissue if users else f"Delete {pronoun} {by_hand}"),
    )


def advise_on_name_mismatch(refusal: Refusal) -> Advice:
    """Return the advice on a name that does not match."""
    addresses = refusal.other_endpoints.addresses if refusal.other_endpoints else ()
    return Advice(Cause.NAME_MISMATCH, *advise_on_name(refusal.endpoint, refusal.presented[0], addresses))


def _advise_on_expired(refusal: Refusal) -> Advice:
    late = _certificate_at_fault(refusal)
    return Advice(
        Cause.EXPIRED,
        f"{describe_certificate(late)} expired on {format_expiry_day(late)}.",
        (*suggest_removal(refusal), _suggest_renewal(refusal, late)),
    )


def _advise_on_not_yet_valid(refusal: Refusal) -> Advice:
    early = _certificate_at_fault(refusal)
    begins = early.not_before.date().isoformat() if early.not_before else "an unreadable date"
    return Advice(
        Cause.NOT_YET_VALID,
        f"{describe_certificate(early)} is valid from {begins} on.",
        ("Check the clock of the peer and of the node (NTP).", *suggest_removal(refusal), _suggest_renewal(refusal, early)),
    )


def _advise_on_invalid_chain(refusal: Refusal) -> Advice:
    broken = tuple(certificate for certificate in refusal.trusted if not is_readable(certificate))
    if broken:
        return _advise_on_broken_list(refusal, broken)
    verdict, fault = refusal.verdict, _certificate_at_fault(refusal)
    endpoint = refusal.endpoint
    price = (describe_reissue_price(endpoint.product, endpoint.port),) if fault == refusal.presented[0] else ()
    return Advice(
        Cause.CHAIN_INVALID,
        f"OpenSSL refuses {describe_certificate(fault)}: {verdict.error} (error {verdict.code} at depth {verdict.depth}).",
        (*suggest_removal(refusal), *list_remedies(verdict.code, describe_certificate(fault), endpoint.address), *price),
    )


def _advise_on_broken_list(refusal: Refusal, broken: Chain) -> Advice:
    # One entry that cannot be read makes the traffic server drop the whole list, whatever the endpoint presents.
    entries = join_words([f"number {refusal.trusted.index(entry) + 1} ({entry.fingerprint[:19]}…)" for entry in broken])
    return Advice(
        Cause.CHAIN_INVALID,
        f"OpenSSL cannot read part of the trusted CA list: {entries}. The traffic server then ignores the whole list.",
        (*suggest_removal(refusal), f"Delete it by hand on every peer that holds it ({TRUSTED_CA_PAGE}) and plan again."),
    )


def _advise_on_failed_handshake(refusal: Refusal) -> Advice:
    error = refusal.verdict.error or "the handshake failed"
    return Advice(
        Cause.HANDSHAKE_FAILED,
        f"No certificate was received: {error}.",
        ("Check the TLS versions and ciphers of the node against the peers' reverse proxy cipher list.",),
    )


def _advise_on_unreachable(refusal: Refusal) -> Advice:
    error = refusal.verdict.error or "unreachable"
    return Advice(
        Cause.UNREACHABLE,
        f"It could not be checked ({error}).",
        ("Make it reachable from here and plan again, or apply with --allow-incomplete.",),
    )


_BY_CAUSE: dict[Cause, Callable[[Refusal], Advice]] = {
    Cause.SELF_SIGNED_UNTRUSTED: _advise_on_self_signed,
    Cause.ISSUER_UNTRUSTED: _advise_on_untrusted_issuer,
    Cause.ISSUER_UNKNOWN: advise_on_unknown_issuer,
    Cause.SHADOWED: _advise_on_shadowed,
    Cause.NAME_MISMATCH: advise_on_name_mismatch,
    Cause.EXPIRED: _advise_on_expired,
    Cause.NOT_YET_VALID: _advise_on_not_yet_valid,
    Cause.CHAIN_INVALID: _advise_on_invalid_chain,
    Cause.HANDSHAKE_FAILED: _advise_on_failed_handshake,
    Cause.UNREACHABLE: _advise_on_unreachable,
}


def _certificate_at_fault(refusal: Refusal) -> Certificate:
    chain, depth = refusal.verdict.built_chain or refusal.presented, refusal.verdict.depth or 0
    return chain[min(depth, len(chain) - 1)]


def _suggest_renewal(refusal: Refusal, fault: Certificate) -> str:
    endpoint = refusal.endpoint
    if fault == refusal.presented[0]:
        return f"Renew the certificate of {endpoint.address}. {describe_reissue_price(endpoint.product, endpoint.port)}"
    return f"Replace the CA certificate {describe_certificate(fault)}, or have {refusal.endpoint.address} signed by another CA."


def list_remedies(code: int, fault: str, address: str) -> tuple[str, ...]:
    """Return what to do about ``X509_V_ERR_*`` `code`, one sentence each.

    Args:
        code: Not one that an addition to the trusted CA list fixes.
        fault: The certificate at the depth of the error, as a sentence names it.
        address: The endpoint's address.
    """
    return tuple(_fill_in(sentence, fault, address) for sentence in REMEDIES.get(code, _DEFAULT_REMEDY))


def _fill_in(sentence: str, fault: str, address: str) -> str:
    # Not str.format: the name of a hostile certificate may hold braces.
    return sentence.replace("{address}", address).replace("{fault}", fault)
