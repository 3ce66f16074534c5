"""What every endpoint presents: to RSA only, to ECDSA only, and to the cipher lists that the peers use or could use.

TLS 1.2 decides here: under TLS 1.3 a cipher list has no say in which certificate is shown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeGuard

from OpenSSL import SSL

from remediate.connectors.tls.handshake import NO_CONNECTION, NotSeen, Offer, Seen, Why, handshake
from remediate.connectors.tls.target import Observation, Target
from remediate.model.certificate import Certificate
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import FAMILIES, CipherList, KeyFamily
from remediate.model.limits import Limits
from remediate.model.snapshot import Preference

"""In front of a list it makes RSA preferred; an upgrade from X14.0 or later leaves it there (Cisco, MRA troubleshooting)."""

_FAMILY_OFFERS: Mapping[KeyFamily, Offer] = {"rsa": Offer("aRSA:!eNULL"), "ecdsa": Offer("aECDSA:!eNULL")}
_BOTH_OFFERS: Mapping[KeyFamily, Offer] = {"rsa": Offer("ECDHE+aRSA:ECDHE+aECDSA"), "ecdsa": Offer("ECDHE+aECDSA:ECDHE+aRSA")}
"""Both families, this one first."""
_RSA_OR_1_3 = Offer("aRSA:!eNULL", SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
_ANY_OR_1_3 = Offer("ALL", SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)
_LEGACY = Offer("ALL", SSL.TLS1_VERSION, SSL.TLS1_1_VERSION)

_CHANCE = frozenset({Why.NO_NAME, Why.UNREACHABLE, Why.TIMED_OUT, Why.RESET})
"""What may go better the second time. A refusal, an alert, something else than TLS will not."""
_NO_COMMON_GROUND = frozenset({Why.NO_SHARED_CIPHER, Why.OTHER_VERSION})


def probe(
    targets: Sequence[Target],
    cipher_lists: Iterable[CipherList],
    limits: Limits,
    seen: Callable[[Target, Observation], None] = lambda _target, _observation: None,
) -> tuple[Observation, ...]:
    """Return one observation a target, in order. `seen` is called as each is done, one at a time.

    At most `parallel_endpoints` handshakes at once, and at most `parallel_per_node` with one node.
    """
    lists = tuple(dict.fromkeys(variant for given in cipher_lists for variant in variants(given)))
    found: dict[int, Observation] = {}
    one_at_a_time = threading.Lock()

    def run(lane: Sequence[int]) -> None:
        absent: Observation | None = None
        for number in lane:
            observation = absent or probe_one(targets[number], lists, limits)
            if observation.host_absent and targets[number].named_without_login:
                absent = observation
            with one_at_a_time:
                found[number] = observation
                seen(targets[number], observation)

    lanes = _lanes(targets, limits)
    pool = ThreadPoolExecutor(max(1, min(limits.parallel_endpoints, len(lanes))), thread_name_prefix="probe")
    try:
        list(pool.map(run, lanes))
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(found[number] for number in range(len(targets)))


def variants(ciphers: CipherList) -> tuple[CipherList, CipherList]:
    """Return a list, and the same with the RSA prefix taken away or put in front."""
    other = ciphers.removeprefix(RSA_PREFIX) if ciphers.startswith(RSA_PREFIX) else RSA_PREFIX + ciphers
    return ciphers, CipherList(other)


def _lanes(targets: Sequence[Target], limits: Limits) -> list[list[int]]:
    """Targets, by number, split so that each lane can run by itself: no node is in more lanes than it may have connections.

    A node that only a source without a login names has one lane: where it is not there, its other ports are not tried.
    """
    by_node: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        by_node.setdefault(target.host.casefold(), []).append(number)
    lanes: list[list[int]] = []
    for numbers in by_node.values():
        hearsay = all(targets[number].named_without_login for number in numbers)
        width = 1 if hearsay else limits.parallel_per_node
        lanes += [numbers[start::width] for start in range(min(width, len(numbers)))]
    return lanes


def probe_one(target: Target, lists: Sequence[CipherList], limits: Limits) -> Observation:
    """Return what one target presents. Never raises for what a server does."""
    rsa, tls13 = _first_look(target, limits)
    if _hopeless(rsa):
        absent = rsa.why in NO_CONNECTION - {Why.REFUSED}
        return Observation(error=_error(rsa), refused=rsa.why is Why.REFUSED, host_absent=absent)
    answers: dict[KeyFamily, Seen | NotSeen] = {"rsa": rsa, "ecdsa": _look(target, _FAMILY_OFFERS["ecdsa"], limits)}
    for family in [one for one in FAMILIES if _why(answers[one]) is Why.SILENT]:
        answers[family] = _after_silence(target, family, answers, limits)
    failed = next(
        (answer for answer in answers.values() if isinstance(answer, NotSeen) and answer.why not in _NO_COMMON_GROUND), None
    )
    if failed:
        return Observation(tls13=tls13, error=_error(failed))
    presented = {family: answer.chain for family, answer in answers.items() if isinstance(answer, Seen)}
    if tls13 is None:
        tls13 = _speaks_1_3(_look(target, _ANY_OR_1_3, limits))
    if not presented:
        return Observation(tls13=tls13, error=_nothing_shared(target, limits, tls13=tls13))
    return Observation(presented, _preference(target, presented, lists, limits), tls13)


def _first_look(target: Target, limits: Limits) -> tuple[Seen | NotSeen, bool | None]:
    """RSA under TLS 1.2, and whether it speaks 1.3: one handshake with a node that does not, which most do not."""
    modern = _ask(target, _RSA_OR_1_3, limits)
    tls13 = _speaks_1_3(modern)
    if (isinstance(modern, Seen) and not tls13) or _why(modern) in _never_again(target):
        return modern, tls13
    if _why(modern) in _CHANCE:
        time.sleep(limits.read_pause_s)
    return _ask(target, _FAMILY_OFFERS["rsa"], limits), tls13


def _never_again(target: Target) -> frozenset[Why]:
    """Which failures are final. Of a name that anybody may have written, all: hundreds of them must not cost minutes."""
    return NO_CONNECTION if target.named_without_login else frozenset({Why.REFUSED, Why.SPECIAL_ADDRESS})


def _speaks_1_3(answer: Seen | NotSeen) -> bool | None:
    """From an offer of both versions: a server takes the highest that both sides know (RFC 8446, 4.2.1)."""
    if isinstance(answer, Seen):
        return answer.version == "TLSv1.3"
    return False if answer.why in _NO_COMMON_GROUND else None


def _hopeless(answer: Seen | NotSeen) -> TypeGuard[NotSeen]:
    return isinstance(answer, NotSeen) and answer.why not in (*_NO_COMMON_GROUND, Why.SILENT)


def _ask(target: Target, offer: Offer, limits: Limits) -> Seen | NotSeen:
    return handshake(target.host, target.port, target.address, offer, limits, guarded=target.guarded)


def _look(target: Target, offer: Offer, limits: Limits) -> Seen | NotSeen:
    answer = _ask(target, offer, limits)
    if isinstance(answer, NotSeen) and answer.why in _CHANCE:
        time.sleep(limits.read_pause_s)
        return _ask(target, offer, limits)
    return answer


def _after_silence(
    target: Target, family: KeyFamily, answers: Mapping[KeyFamily, Seen | NotSeen], limits: Limits
) -> Seen | NotSeen:
    """What to make of a node that closes the connection instead of sending an alert, as some TLS stacks do.

    Offered both families, the silent one first, it shows its other certificate: then it has none of this family. Otherwise it
    may have been an accident, so it is asked once more.
    """
    other = next((answer for answer in answers.values() if isinstance(answer, Seen)), None)
    if other:
        both = _look(target, _BOTH_OFFERS[family], limits)
        if isinstance(both, Seen) and both.chain[0] == other.chain[0]:
            return NotSeen(Why.NO_SHARED_CIPHER, "it has no cipher in common with us")
    time.sleep(limits.read_pause_s)
    return _look(target, _FAMILY_OFFERS[family], limits)


def _why(answer: Seen | NotSeen) -> Why | None:
    return answer.why if isinstance(answer, NotSeen) else None


def _error(answer: NotSeen) -> str:
    return f"{'unreachable' if answer.why in NO_CONNECTION else 'handshake-failed'}: {answer.detail}"


def _nothing_shared(target: Target, limits: Limits, *, tls13: bool | None) -> str:
    if tls13:
        return "handshake-failed: it speaks TLS 1.3 only, where no cipher list chooses between its certificates"
    legacy = _look(target, _LEGACY, limits)
    if isinstance(legacy, Seen):
        return f"handshake-failed: it speaks {legacy.version} at most, and the peers ask for TLS 1.2"
    return "handshake-failed: no shared cipher, neither with RSA nor with ECDSA"


def _preference(
    target: Target, presented: Mapping[KeyFamily, tuple[Certificate, ...]], lists: Sequence[CipherList], limits: Limits
) -> Preference:
    """How a node with both certificates chooses; nothing to ask where there is one."""
    if len(presented) < len(FAMILIES):
        return Preference()

    def shown(offer: Offer) -> KeyFamily | None:
        answer = _look(target, offer, limits)
        leaf = answer.chain[0] if isinstance(answer, Seen) else None
        return next((family for family, chain in presented.items() if chain[0] == leaf), None)

    measured = {one: family for one in lists if (family := shown(Offer(one)))}
    if len(set(measured.values())) > 1:
        return Preference(client_order=True, measured=measured)
    rsa_first, ecdsa_first = shown(_BOTH_OFFERS["rsa"]), shown(_BOTH_OFFERS["ecdsa"])
    if rsa_first is None or ecdsa_first is None:
        return Preference(measured=measured)
    own_order = rsa_first == ecdsa_first
    return Preference(client_order=not own_order, family=rsa_first if own_order else None, measured=measured)
