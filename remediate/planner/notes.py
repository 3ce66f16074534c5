"""The notes of a plan: what verdicts rest on, what expires soon and has a successor, what was not in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import MAX_TRUSTED_CA, REVERSE_PROXY_CIPHERS, RSA_PREFIX, TRUSTED_CA_PAGE
from remediate.model.health import UpgradeState
from remediate.model.identity import Address
from remediate.model.plan import Policy, Shortfall
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.model.text import count, first_few, group_ports, join_words
from remediate.planner.advice.phrases import describe_certificate
from remediate.planner.forecast import Forecaster
from remediate.planner.self_signed import list_self_signed_notes
from remediate.planner.solver.solver import Choice
from remediate.trust.library import describe_failed_self_test
from remediate.trust.openssl import name_hashes
from remediate.trust.openssl3 import openssl_3_refusal

_SOON = timedelta(days=60)
_EARLY = timedelta(days=365)
"""How long before its end a certificate is noted that has a successor: to replace it takes a change window."""
_REPLACEMENT = (
    "The list holds one certificate per common name, so replace the old one on every peer by hand before that day "
    f"({TRUSTED_CA_PAGE}); a plan removes nothing by default."
)


def list_notes(snapshot: Snapshot, policy: Policy, choice: Choice, forecaster: Forecaster) -> tuple[str, ...]:
    """Return the notes, one sentence each, in a fixed order: alarms first."""
    observed = [peer for peer in snapshot.peers if peer.error is None]
    in_use = _list_uses(observed, forecaster)
    endpoints = {certificate: [use.endpoint for use in uses] for certificate, uses in in_use.items()}
    warning = describe_failed_self_test()
    notes = [
        *([warning] if warning else []),
        *_list_choice_notes(policy, choice),
        *_list_peer_notes(observed),
        *_list_trusted_list_notes(observed, choice),
        *_list_upgrade_notes(observed),
        *_list_tls13_notes(snapshot),
        *_list_prefix_notes(snapshot),
        *_list_archive_notes(snapshot),
        *_list_renewal_notes(snapshot, in_use, forecaster),
        *list_self_signed_notes(endpoints, snapshot.taken_at),
        *_list_openssl_notes(observed),
        *_list_openssl_3_notes(snapshot, observed, forecaster),
    ]
    # Every view shows by itself, and first, which gaps make the plan incomplete.
    notes += [gap.message for gap in snapshot.undiscovered if not gap.incomplete]
    if snapshot.not_in_use:
        notes.append(f"Not in use, so not checked: {group_ports(snapshot.not_in_use)}.")
    return tuple(dict.fromkeys(notes))


def _list_choice_notes(policy: Policy, choice: Choice) -> Iterator[str]:
    if policy.ciphers not in {"auto", "keep", choice.policy}:
        yield (
            f"--ciphers {policy.ciphers} would break an endpoint that works today (or the list is unknown or rules it out), so it "
            "is not planned."
        )
    if choice.omits_removals:
        yield (
            "A list holds many outdated certificates with one common name. Only each alone and all together were tried, so a plan "
            "that removes fewer may exist."
        )
    if choice.shortfall:
        yield _describe_shortfall(choice.shortfall)


def _describe_shortfall(shortfall: Shortfall) -> str:
    reached, bound = shortfall.plan, shortfall.bound
    match shortfall.aspect:
        case "verified":
            return (
                f"The CAs are too closely connected to prove that this plan is the best. {reached} checks pass after it, which is "
                f"proven; no plan passes more than {bound}."
            )
        case "added":
            return (
                f"The CAs are too closely connected to prove that this plan is the smallest. It adds {reached} certificates over all "
                f"peers; no plan that passes as many checks adds fewer than {bound}."
            )
        case "removed" | "unvouched" | "ciphers":
            return (
                "The CAs are too closely connected to prove that this plan is the best. No plan passes more checks, but one that "
                f"removes fewer certificates or needs fewer approvals may exist ({reached} here, at least {bound} in any plan)."
            )
        case _:
            return (
                "The CAs are too closely connected to prove that this plan is the best. No plan passes more checks with fewer "
                f"certificates, but one that trusts fewer roots may exist ({reached} here, at least {bound} in any plan)."
            )


def _list_peer_notes(observed: list[Peer]) -> Iterator[str]:
    if not observed:
        yield "No peer could be checked, so nothing is planned."
    lists = {peer.ciphers.get(REVERSE_PROXY_CIPHERS) for peer in observed}
    if None in lists:
        yield f"{REVERSE_PROXY_CIPHERS} could not be read on every peer, so both certificates of a node must verify there."
    if len(lists - {None}) > 1:
        yield f"The peers differ in {REVERSE_PROXY_CIPHERS}: replication from the primary may be under way or broken."


def _list_trusted_list_notes(observed: list[Peer], choice: Choice) -> Iterator[str]:
    for peer in observed:
        removed, added = choice.removed.get(peer.address, ()), choice.added.get(peer.address, ())
        size = len(peer.trusted_ca) - len(removed) + len(added)
        if size > MAX_TRUSTED_CA:
            yield (
                f"The trusted CA list of {peer.address} would hold {size} certificates, and Expressway allows {MAX_TRUSTED_CA}: "
                f"`apply` refuses to add to it. Delete certificates that are no longer needed first ({TRUSTED_CA_PAGE})."
            )
    crls = [f"{peer.address} ({peer.crls})" for peer in observed if peer.crls]
    if crls:
        yield (
            f"There are CRLs in the trusted CA list of {', '.join(crls)}. Revocation may count too, and is not checked here. Keep the "
            "CRLs when you write a list back by hand: `remediate certificates --pem` saves them with it."
        )


def _list_upgrade_notes(observed: list[Peer]) -> Iterator[str]:
    staged = [peer.address for peer in observed if peer.health and peer.health.upgrade is UpgradeState.STAGED]
    if staged:
        yield (
            f"An upgrade is staged on {', '.join(staged)}: what is configured before its reboot is lost, so `apply` stops before its "
            "first write. Finish the upgrade first, then plan again."
        )


def _list_archive_notes(snapshot: Snapshot) -> Iterator[str]:
    if any(endpoint.seen_by == "archive" for endpoint in snapshot.endpoints):
        yield (
            "This plan rests on diagnostic archives, which show one certificate of each endpoint. The cipher lists are left alone: "
            "what the nodes present under another list was not observed."
        )
    if snapshot.is_survey:
        yield (
            "This plan rests on a survey: the cipher lists are left alone, and every certificate needs your approval. For a "
            "plan to apply, collect again without --survey."
        )


def _list_tls13_notes(snapshot: Snapshot) -> Iterator[str]:
    undecided = [endpoint for endpoint in snapshot.endpoints if len(endpoint.presented) > 1 and endpoint.tls13 is not False]
    accepting = [endpoint.name for endpoint in undecided if endpoint.tls13]
    unknown = [endpoint.name for endpoint in undecided if endpoint.tls13 is None]
    for names, statement in ((accepting, "endpoints accept TLS 1.3"), (unknown, "endpoints may accept TLS 1.3")):
        if names:
            yield (
                f"These {statement}, where the cipher list does not decide which certificate is presented: {', '.join(names)}. "
                "Every certificate that they may present must verify."
            )


def _list_openssl_notes(observed: list[Peer]) -> Iterator[str]:
    """Yield a note on the peers whose own log shows another OpenSSL than the one that gives the verdicts."""
    peers = [peer.address for peer in observed if peer.openssl == "3.x"]
    if peers:
        yield (
            f"By its own log, {join_words(peers)} {'runs' if len(peers) == 1 else 'run'} OpenSSL 3.x, which writes 'self-signed "
            "certificate' and error:0A000086. The verdicts here are those of 1.1.1; an endpoint that 3.x refuses is named below."
        )


def _list_openssl_3_notes(snapshot: Snapshot, observed: list[Peer], forecaster: Forecaster) -> Iterator[str]:
    """Yield a note on each chain that OpenSSL 1.1.1 accepts and 3.x refuses: an upgrade of the appliance would break it."""

    @cache
    def ask(presented: Chain, relevant: Chain) -> str | None:
        return openssl_3_refusal(presented, relevant, snapshot.taken_at)

    @cache
    def ask_at(peer: Address, presented: Chain) -> str | None:
        return ask(presented, forecaster.relevant(peer, presented))

    peers = forecaster.distinct_peers(peer.address for peer in observed)
    for endpoint in snapshot.endpoints:
        for peer in peers:
            verified = forecaster.verify(peer, endpoint).ok
            for presented in forecaster.chains(peer, endpoint) if verified else ():
                if error := ask_at(peer, presented):
                    yield f"{endpoint.name} passes on the appliance's OpenSSL 1.1.1 only; OpenSSL 3.x refuses it: {error}."


def _list_prefix_notes(snapshot: Snapshot) -> Iterator[str]:
    """Yield a note on the nodes that follow the peers' order, and present ECDSA under a list that begins with the RSA prefix."""
    lacking = [
        endpoint.name
        for endpoint in snapshot.endpoints
        if endpoint.preferred.client_order
        and any(family == "ecdsa" for ciphers, family in endpoint.preferred.measured.items() if ciphers.startswith(RSA_PREFIX))
    ]
    if lacking:
        yield (
            f"These endpoints present their ECDSA certificate even when {RSA_PREFIX.rstrip(':')} is listed first: they do "
            f"not offer that suite, so the prefix does not help there: {', '.join(lacking)}."
        )


# --- renewals ---------------------------------------------------------------------------------------------------------


def _list_renewal_notes(snapshot: Snapshot, in_use: Mapping[Certificate, list[_Use]], forecaster: Forecaster) -> Iterator[str]:
    """Yield a note on each certificate in use that expires soon, or within a year and has a successor, by fingerprint."""
    by_subject = _group_by_subject(snapshot)
    for certificate, uses in sorted(in_use.items(), key=lambda item: item[0].fingerprint):
        remaining = certificate.not_after - snapshot.taken_at if certificate.not_after else None
        if remaining is None or not timedelta(0) < remaining <= _EARLY:
            continue
        # Only a CA has a successor by its name: tomcat and CallManager of one node share a subject.
        namesakes = _list_later_namesakes(certificate, by_subject) if certificate.is_ca else []
        successor = next((namesake for namesake in namesakes if _can_replace(namesake, certificate, uses, forecaster)), None)
        if remaining <= _SOON or successor is not None:
            yield _describe_renewal(certificate, uses, remaining, successor, namesakes)


def _describe_renewal(
    certificate: Certificate,
    uses: list[_Use],
    remaining: timedelta,
    successor: Certificate | None,
    namesakes: list[Certificate],
) -> str:
    names = list(dict.fromkeys(use.endpoint.name for use in uses))
    expires = f"{describe_certificate(certificate)}, used by {first_few(names, 1)}, expires in {count(remaining.days, 'day')}"
    if successor:
        return f"{expires}; a successor is available ({successor.fingerprint[:19]}…). {_REPLACEMENT}"
    if namesakes and _find_uses_in_list(uses, certificate):
        return (
            f"{expires}. {describe_certificate(namesakes[0])} has the same name and another key: certificates that the old one "
            "signed must be reissued before the list can hold the new one instead."
        )
    return f"{expires}."


@dataclass(frozen=True, slots=True)
class _Use:
    """An endpoint whose chain at one peer holds a certificate; `trusted` is that peer's list after the plan."""

    peer: Address
    endpoint: Endpoint
    trusted: Chain


def _list_uses(observed: list[Peer], forecaster: Forecaster) -> dict[Certificate, list[_Use]]:
    """Return every certificate that is in some endpoint's chain, with its uses."""
    uses: dict[Certificate, list[_Use]] = {}
    for peer in forecaster.distinct_peers(peer.address for peer in observed):
        for endpoint in forecaster.endpoints.values():
            for certificate in forecaster.certificates_in_use(peer, endpoint):
                uses.setdefault(certificate, []).append(_Use(peer, endpoint, forecaster.after[peer]))
    return uses


def _group_by_subject(snapshot: Snapshot) -> dict[int, list[Certificate]]:
    """Return the certificates by their subject, without those that only the peers themselves present."""
    by_subject: dict[int, list[Certificate]] = {}
    for certificate in _list_considered(snapshot):
        by_subject.setdefault(name_hashes(certificate).subject, []).append(certificate)
    return by_subject


def _list_considered(snapshot: Snapshot) -> list[Certificate]:
    fingerprints = {*snapshot.available_ca, *snapshot.vouched_for}
    for peer in snapshot.peers:
        fingerprints.update(peer.trusted_ca)
    for endpoint in snapshot.endpoints:
        for chain in endpoint.presented.values():
            fingerprints.update(chain)
    own = {fingerprint for peer in snapshot.peers for fingerprint in peer.server_certificate or ()} - fingerprints
    return [certificate for fingerprint, certificate in snapshot.certificates.items() if fingerprint not in own]


def _list_later_namesakes(old: Certificate, by_subject: dict[int, list[Certificate]]) -> list[Certificate]:
    """Return the certificates with the subject of `old` that are valid for longer, by fingerprint."""
    namesakes = by_subject.get(name_hashes(old).subject, []) if old.subject else []
    later = [new for new in namesakes if new.not_after and old.not_after and new.not_after > old.not_after]
    return sorted(later, key=lambda namesake: namesake.fingerprint)


def _can_replace(new: Certificate, old: Certificate, uses: list[_Use], forecaster: Forecaster) -> bool:
    """Return whether everything that verifies with `old` in a peer's list verifies with `new` in its place.

    It does not where a CA was renewed with another key: the name is the same, and what the old key signed is refused.
    """
    verified = [use for use in _find_uses_in_list(uses, old) if forecaster.verify(use.peer, use.endpoint).ok]
    return bool(verified) and all(
        forecaster.verify_with(_replace(old, new, use.trusted), use.peer, use.endpoint).ok for use in verified
    )


def _find_uses_in_list(uses: list[_Use], certificate: Certificate) -> list[_Use]:
    return [use for use in uses if certificate in use.trusted]


def _replace(old: Certificate, new: Certificate, trusted: Chain) -> Chain:
    return tuple(new if certificate == old else certificate for certificate in trusted if certificate != new)
