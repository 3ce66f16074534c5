"""Everything that can go wrong, each with its exit code and its next step.

RemediateError (1)
├── UsageError (64)            a command line that cannot be meant
├── InventoryError (1)         an inventory, a secret or a file that cannot be read as it stands
├── FormatError (1)            a snapshot, plan or certificate that is not what its format says
│   └── CertificateError
│       └── NoCertificate      a file that is something else, and nothing secret
├── AccessError (1)            a box that we must not go on with: login refused, pin or host key wrong
│   ├── LoginRefused
│   └── PinMismatch
├── ObservationError (4)       a box that could not be looked at: unreachable, refused, timed out, gibberish
├── NotOffered (1)             this box does not offer the operation
├── WriteForbidden (70)        a reading path tried to write: our bug, stopped before it left
├── WriteRefused (1)           the box said no to a write
├── OutcomeUnknown (8)         a write whose answer was lost: read back before saying anything
├── StalePlan (6), IncompletePlan (4), LockHeld (5), Declined (7)
└── Interrupted (130)

May I retry? A read: `ObservationError` only, within the limits. A login or a write: never.
"""

from __future__ import annotations

from typing import ClassVar

from remediate.model.exit_codes import ExitCode
from remediate.model.masking import mask


class RemediateError(Exception):
    """What happened and where (`str(error)`, one sentence), and what to do next (`next_step`)."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR
    default_next_step: ClassVar[str] = "Nothing was changed. Mend what the message names and run the command again."

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        # Here, since an error's text goes everywhere: to a terminal, into events, the journal, snapshots and plans.
        super().__init__(mask(message))
        self.next_step = mask(next_step or self.default_next_step)


class UsageError(RemediateError):
    exit_code = ExitCode.USAGE
    default_next_step = "See the command's --help."


class InventoryError(RemediateError):
    default_next_step = "Correct the inventory file and run the command again; `remediate doctor` checks it."


class FormatError(RemediateError):
    default_next_step = "Make the file again with `remediate collect` or `remediate plan`; do not edit it by hand."


class CertificateError(FormatError):
    default_next_step = "Give certificates as PEM, one or more CERTIFICATE blocks and nothing secret."


class NoCertificate(CertificateError):
    default_next_step = "Export the certificate again, as PEM or DER."


class AccessError(RemediateError):
    default_next_step = "Check the address and the pin in the inventory; `remediate doctor` shows what each box presents."


class LoginRefused(AccessError):
    default_next_step = (
        "Correct the username or the secret's source in the inventory. No other peer was tried, "
        "so that automated protection does not lock the account out."
    )


class PinMismatch(AccessError):
    default_next_step = (
        "If the box was really re-keyed, verify the new fingerprint over another path and put it in the inventory; "
        "otherwise somebody may be in the middle."
    )


class ObservationError(RemediateError):
    exit_code = ExitCode.INCOMPLETE
    default_next_step = "Check that the box is up and reachable from here, then run the command again."


class NotOffered(RemediateError):
    default_next_step = "This version does not offer the operation; follow the manual step that the plan names."


class WriteForbidden(RemediateError):
    exit_code = ExitCode.BUG
    default_next_step = "This is a bug in remediate: a reading command tried to write and was stopped. Please report it."


class WriteRefused(RemediateError):
    default_next_step = "Read what the box answered, mend that, and run `remediate apply` again: it goes on where it stopped."


class OutcomeUnknown(RemediateError):
    exit_code = ExitCode.PERSON_NEEDED
    default_next_step = "Run `remediate apply` again: it reads the box first and repeats nothing that was done."


class StalePlan(RemediateError):
    exit_code = ExitCode.STALE
    default_next_step = "Somebody changed the cluster after the plan was made: run `remediate plan` again and review it."


class IncompletePlan(RemediateError):
    exit_code = ExitCode.INCOMPLETE
    default_next_step = "Make the missing peer or endpoint reachable and plan again, or pass --allow-incomplete."


class LockHeld(RemediateError):
    exit_code = ExitCode.LOCKED
    default_next_step = "Wait for the other run to end; `remediate runs` shows it."


class Declined(RemediateError):
    exit_code = ExitCode.DECLINED
    default_next_step = "Nothing was changed. Verify the fingerprints over another path, then pass --approve sha256:HEX."


class Interrupted(RemediateError):
    exit_code = ExitCode.INTERRUPTED
    default_next_step = "The journal says what was done: `remediate runs show last`."
