"""Checks of `remediate doctor` of the client's way through each peer: one sign-in over each, within the budget of all runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.cli.check_result import CheckResult
from remediate.model.access import peers_sharing_way
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.exit_codes import ExitCode
from remediate.model.expressway import PROTECTION_EXEMPTIONS_PAGE
from remediate.model.text import join_words

if TYPE_CHECKING:
    from remediate.connectors.expressway.mra_request import MraClient
    from remediate.model.access import ClusterAccess, MraAccess
    from remediate.model.identity import Address
    from remediate.model.limits import Limits

_EXEMPT = (
    f"Exempt this machine's address on the Expressway-E and on every Expressway-C ({PROTECTION_EXEMPTIONS_PAGE}): a ban "
    "after refused requests would affect everyone behind that address."
)
_FIXES = {
    AnswerKind.NO_LOGIN: (
        "Correct the account in `mra.credentials`: a Unified CM end user who may use Mobile and Remote Access. An "
        "Expressway-C that could not reach Unified CM when it started may also refuse every sign-in."
    ),
    AnswerKind.FORBIDDEN: "Correct `mra.domain`: it must be a domain that the Expressway-C serves for Unified CM registrations.",
    AnswerKind.RATE_LIMITED: "Wait five minutes, and use the account for no other client.",
}
_ADD_WAY = "Add `mra` to each peer of the inventory, with an account that may use Mobile and Remote Access."
_CHECK_THE_WAY = "Check that the Expressway-E is up, that its tunnel to this peer is up, and that `mra.url` is correct."


def check_clients(cluster: ClusterAccess, limits: Limits, state_dir: Path) -> Iterator[CheckResult]:
    """Sign in over the way through each peer of the inventory, and yield what came of it. No endpoint is asked for."""
    from remediate.connectors.expressway.mra_request import open_client

    with open_client(state_dir) as client:
        for peer in cluster.peers:
            yield _check_way(peer.address, peer.mra, peers_sharing_way(cluster, peer.address), client, limits)
    if any(peer.mra for peer in cluster.peers):
        yield CheckResult("clients", "not known whether automated protection exempts this machine", next_step=_EXEMPT)


def _check_way(
    peer: Address, mra: MraAccess | None, shared_with: tuple[Address, ...], client: MraClient, limits: Limits
) -> CheckResult:
    subject = f"client through {peer}"
    if mra is None:
        text = "an apply cannot test whether new trust is in effect: the inventory has no `mra` for this peer"
        return CheckResult(subject, text, next_step=_ADD_WAY, peer=peer)
    answer = client.sign_in(mra, limits)
    text = _describe(answer, mra)
    if shared_with:
        text += (
            f"; {mra.url} leads through {join_words(shared_with, 3)} too, so an answer does not show which peer was used: "
            "only the start of each peer and its own log do"
        )
    return CheckResult(subject, text, _code(answer), _next_step(answer, mra))


def _describe(answer: ClientAnswer, mra: MraAccess) -> str:
    if answer.kind is not AnswerKind.REACHED:
        result = "not asked" if answer.kind is AnswerKind.NOT_ASKED else "no session"
        return f"{result} over {mra.url}: {answer.detail}"
    account = mra.login.username if mra.login else ""
    return f"{account} signed in over {mra.url}, so an apply can test whether new trust is in effect"


def _code(answer: ClientAnswer) -> ExitCode:
    if answer.kind in {AnswerKind.REACHED, AnswerKind.NOT_ASKED}:
        return ExitCode.DONE
    return ExitCode.ERROR if answer.kind in {AnswerKind.NO_LOGIN, AnswerKind.FORBIDDEN} else ExitCode.INCOMPLETE


def _next_step(answer: ClientAnswer, mra: MraAccess) -> str:
    if answer.kind is AnswerKind.REACHED:
        return ""
    if answer.kind is AnswerKind.NOT_ASKED:
        return (
            "Add `credentials` and `domain` to `mra` in the inventory."
            if mra.login is None or mra.domain is None
            else "Try again later."
        )
    return _FIXES.get(answer.kind, _CHECK_THE_WAY)
