"""Result of one check of `remediate doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from remediate.model.exit_codes import ExitCode


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check.

    Attributes:
        subject: What was checked: ``password of admin``, a peer's address.
        text: What the check observed, one line.
        code: The exit code of this result; DONE if it does not prevent a plan or an apply.
        next_step: What to do; empty if all is well. With the code DONE, this is a warning.
        peer: The address of the peer that it is about; empty: of none.
    """

    subject: str
    text: str
    code: ExitCode = ExitCode.DONE
    next_step: str = ""
    peer: str = ""


def merge_alike(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Return `results` with those that say the same of every peer as one, after what the peers have of their own."""
    peers = {result.peer for result in results if result.peer}
    observed = {(result.peer, _content_of(result)) for result in results}
    shared = {
        _content_of(result): replace(result, subject=f"all {len(peers)} peers", peer="")
        for result in results
        if len(peers) > 1 and all((peer, _content_of(result)) in observed for peer in peers)
    }
    own = [result for result in results if not result.peer or _content_of(result) not in shared]
    before_peers = next((number for number, result in enumerate(results) if result.peer), 0)
    end = max((number for number, result in enumerate(own, start=1) if result.peer), default=before_peers)
    return (*own[:end], *shared.values(), *own[end:])


def _content_of(result: CheckResult) -> object:
    return result.text, result.code, result.next_step


def check_result_json(result: CheckResult) -> dict[str, Any]:
    """Return a result as ``--json`` prints it."""
    return {"subject": result.subject, "said": result.text, "code": result.code, "next_step": result.next_step}
