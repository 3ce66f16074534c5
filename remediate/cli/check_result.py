"""Result of one check of `remediate doctor`."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    subject: str
    text: str
    code: ExitCode = ExitCode.DONE
    next_step: str = ""


def check_result_json(result: CheckResult) -> dict[str, Any]:
    """Return a result as ``--json`` prints it."""
    return {"subject": result.subject, "said": result.text, "code": result.code, "next_step": result.next_step}
