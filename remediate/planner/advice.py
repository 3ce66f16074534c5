"""What would help an endpoint that stays refused: computed from its certificates, never a stock phrase alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace

from remediate.model.certificate import Certificate
from remediate.model.identity import Product
from remediate.model.verdict import Cause
from remediate.planner.conflict import conflict_of, way_out
from remediate.planner.oracle import Oracle
from remediate.planner.refusal import TRUSTED_LIST_PAGE, Advice, Refusal, day_of_end, name_of, names_of
from remediate.planner.slots import Candidates
from remediate.trust.names import matching_addresses, name_matches
from remediate.trust.verify import Chain

# What a client asks for on each port (facts of the Expressway port reference: 6971 and 6972 belong to the TFTP service).
_LOST: dict[tuple[Product, int], str] = {
    ("cucm", 8443): "sign-in and directory search",
    ("cucm", 6971): "headset configuration",
    ("cucm", 6972): "their configuration files",
}
_LOST_AT_PRODUCT: dict[Product, str] = {
    "cucm": "what they ask of this port",
    "imp": "instant messaging and presence",
    "unity": "voicemail",
}
_MENDED_BY_TRUST = {Cause.SELF_SIGNED_UNTRUSTED, Cause.ISSUER_UNTRUSTED, Cause.ISSUER_UNKNOWN}


def advise(refusal: Refusal, known: Candidates, oracle: Oracle) -> Advice:
    """Return what would help `refusal`."""
    cause = refusal.explained.verdict.cause or Cause.CHAIN_INVALID
    if cause in {Cause.SELF_SIGNED_UNTRUSTED, Cause.ISSUER_UNTRUSTED, Cause.ISSUER_UNKNOWN, Cause.CHAIN_INVALID}:
        conflict = conflict_of(refusal, known, oracle)
        if conflict is not None:
            return _whole(Advice(Cause.COMMON_NAME_CONFLICT, *way_out(conflict, refusal)), refusal)
    return _whole(_BY_CAUSE[cause](refusal), refusal)


def on_the_cause(refusal: Refusal) -> tuple[str, tuple[str, ...]]:
    """Return what is said of the cause by itself, and the ways out: for a verdict without a plan around it."""
    advice = _BY_CAUSE[refusal.explained.verdict.cause or Cause.CHAIN_INVALID](refusal)
    return advice.text, advice.options


def on_the_name(refusal: Refusal) -> tuple[str, tuple[str, ...]]:
    """Return what is said of a name that does not match, and the ways out."""
    advice = _name_mismatch(refusal)
    return advice.text, advice.options


def _self_signed(refusal: Refusal) -> Advice:
    leaf = refusal.presented[0]
    return Advice(
        Cause.SELF_SIGNED_UNTRUSTED,
        f"It presents the self-signed certificate {name_of(leaf)}, which this plan does not trust.",
        (
            f"Allow trusting a server's own certificate (it lasts until {day_of_end(leaf)}).",
            f"Have the certificate of {refusal.endpoint.address} signed by a CA that the peers trust.",
        ),
    )


def _issuer_untrusted(refusal: Refusal) -> Advice:
    root = refusal.explained.chain[-1] if refusal.explained.chain else refusal.presented[-1]
    return Advice(
        Cause.ISSUER_UNTRUSTED,
        f"Its root {name_of(root)} was presented and is not trusted; trusting it would break an endpoint that verifies today.",
        (f"Have the certificate of {refusal.endpoint.address} signed by another CA that the peers trust.",),
    )


def _issuer_unknown(refusal: Refusal) -> Advice:
    chain = refusal.explained.chain or refusal.presented
    missing = chain[-1].issuer or "with an empty name"
    return Advice(
        Cause.ISSUER_UNKNOWN,
        f"The CA certificate {missing!r}, which issued {name_of(chain[-1])}, was neither presented nor found.",
        (
            f"Give that CA certificate with --ca (ask the owner of {refusal.endpoint.address} for it) and plan again.",
            f"Upload the whole chain on {refusal.endpoint.address}, so that it is presented.",
        ),
    )


def _shadowed(refusal: Refusal) -> Advice:
    stale = refusal.explained.shadowing
    name = names_of(stale)
    return Advice(
        Cause.SHADOWED,
        f"{name} in the trusted CA list {_wins(stale)} out helps.",
        (
            "Plan again with --allow-removal.",
            f"Delete it by hand on every peer that holds it ({TRUSTED_LIST_PAGE}) and plan again.",
        ),
    )


def _wins(stale: Chain) -> str:
    verb, it = ("wins", "it") if len(stale) == 1 else ("win", "them")
    return f"{verb} over the good certificate; only taking {it}"


def _name_mismatch(refusal: Refusal) -> Advice:
    address, leaf = refusal.endpoint.address, refusal.presented[0]
    usable = [name for name in matching_addresses(leaf) if "*" not in name]
    found = ", ".join(matching_addresses(leaf)) or "no name at all"
    options = (
        [f"Set System > Server on Unified CM to {' or '.join(usable)}, then refresh the discovered servers."] if usable else []
    )
    if _is_ip(address):
        text = (
            f"Clients use the IP address {address}; the certificate is for {found}. The traffic server compares an IP address as text "
            "and never looks at IP SANs."
        )
        options.append(
            "Use the node's FQDN in System > Server instead of its IP address; an IP SAN does not help (upstream code)."
        )
    else:
        text = f"Clients use {address}; the certificate is for {found}."
        wanted = ", ".join([*matching_addresses(leaf), address])
        options.append(f"Reissue the certificate; put these into its CSR as SAN dNSNames: {wanted}.")
    return Advice(Cause.NAME_MISMATCH, text, tuple(options))


def _expired(refusal: Refusal) -> Advice:
    late = _at_fault(refusal)
    return Advice(
        Cause.EXPIRED,
        f"{name_of(late)} expired on {day_of_end(late)}.",
        (_renew(refusal, late),),
    )


def _not_yet_valid(refusal: Refusal) -> Advice:
    early = _at_fault(refusal)
    begins = early.not_before.date().isoformat() if early.not_before else "an unreadable date"
    return Advice(
        Cause.NOT_YET_VALID,
        f"{name_of(early)} is valid from {begins} on.",
        ("Check the clock of the peer and of the node (NTP).", _renew(refusal, early)),
    )


def _chain_invalid(refusal: Refusal) -> Advice:
    verdict = refusal.explained.verdict
    fault = _at_fault(refusal)
    return Advice(
        Cause.CHAIN_INVALID,
        f"OpenSSL refuses {name_of(fault)}: {verdict.error} (error {verdict.code} at depth {verdict.depth}).",
        (_renew(refusal, fault),),
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
    Cause.ISSUER_UNKNOWN: _issuer_unknown,
    Cause.SHADOWED: _shadowed,
    Cause.NAME_MISMATCH: _name_mismatch,
    Cause.EXPIRED: _expired,
    Cause.NOT_YET_VALID: _not_yet_valid,
    Cause.CHAIN_INVALID: _chain_invalid,
    Cause.HANDSHAKE_FAILED: _handshake_failed,
    Cause.UNREACHABLE: _unreachable,
}


def _whole(advice: Advice, refusal: Refusal) -> Advice:
    """`advice` with what else would be refused, and with what it costs the people outside."""
    whole = _with_name(advice, refusal)
    endpoint = refusal.endpoint
    if whole.cause is Cause.UNREACHABLE:
        return whole  # from here; what a client outside would get is not known
    lost = _LOST.get((endpoint.product, endpoint.port), _LOST_AT_PRODUCT[endpoint.product])
    return replace(whole, text=f"{whole.text} Clients outside lose {lost}.")


def _with_name(advice: Advice, refusal: Refusal) -> Advice:
    """The traffic server looks at the name only after the chain; without this, the engineer would come back for a second window.

    Where trust could mend the chain, the name is what stands in the way, so it is the cause.
    """
    presented, address = refusal.presented, refusal.endpoint.address
    if advice.cause is Cause.NAME_MISMATCH or not presented or name_matches(presented[0], address):
        return advice
    name = _name_mismatch(refusal)
    if advice.cause in _MENDED_BY_TRUST:
        refused = f"{refusal.explained.verdict.error} at depth {refusal.explained.verdict.depth}"
        return replace(name, text=f"{name.text} So its chain, refused now ({refused}), is left as it is.")
    text = f"{advice.text} Its name would then be refused too: {name.text}"
    return Advice(advice.cause, text, (*advice.options, *name.options))


def _at_fault(refusal: Refusal) -> Certificate:
    chain, depth = refusal.explained.chain or refusal.presented, refusal.explained.verdict.depth or 0
    return chain[min(depth, len(chain) - 1)]


def _renew(refusal: Refusal, fault: Certificate) -> str:
    if fault == refusal.presented[0]:
        return f"Renew the certificate of {refusal.endpoint.address}."
    return f"Replace the CA certificate {name_of(fault)}, or have {refusal.endpoint.address} signed by another CA."


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
