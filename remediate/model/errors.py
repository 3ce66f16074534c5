"""The errors: everything that can go wrong, each with its exit code and its next step.

RemediateError (1)
├── UsageError (64)            a command line that cannot be meant
├── InventoryError (1)         an inventory, a secret or a file that cannot be used as it is
├── FormatError (1)            a snapshot, plan or certificate that is not in its format
│   └── CertificateError
│       └── NoCertificate      a file that is something else, and nothing secret
├── AccessError (1)            a peer or node that we must not talk to: login refused, pin or host key wrong
│   ├── LoginRefused
│   └── PinMismatch
├── ObservationError (4)       a peer or node that could not be observed: unreachable, refused, timed out, gibberish
├── NotOffered (1)             this peer or node does not offer the operation
├── WriteForbidden (70)        a reading path tried to write: our bug, stopped before it left
├── WriteRefused (1)           a write that the peer refused
├── OutcomeUnknown (8)         a write whose answer was lost: read back before concluding anything
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
    default_next_step: ClassVar[str] = "Nothing was changed. Fix the problem above and run the command again."

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        # Here, since an error's text goes everywhere: to a terminal, into events, the journal, snapshots and plans.
        super().__init__(mask(message))
        self.next_step = mask(next_step or self.default_next_step)


class UsageError(RemediateError):
    """A command line that cannot be meant."""

    exit_code = ExitCode.USAGE
    default_next_step = "See the command's --help."


class InventoryError(RemediateError):
    """An inventory, a secret or a file of the operator that cannot be used as it is."""

    default_next_step = "Correct the inventory file and run the command again; `remediate doctor` checks it."


class FormatError(RemediateError):
    """A snapshot, plan or certificate that is not in its format."""

    default_next_step = "Make the file again with `remediate collect` or `remediate plan`; do not edit it by hand."


class CertificateError(FormatError):
    """A certificate, or a file of certificates, that cannot be read."""

    default_next_step = "Give certificates as PEM, one or more CERTIFICATE blocks and nothing secret."


class NoCertificate(CertificateError):
    """A file that holds no certificate, and nothing secret."""

    default_next_step = "Export the certificate again, as PEM or DER."


class AccessError(RemediateError):
    """A peer or node that must not be talked to any further."""

    default_next_step = "Check the address and the pin in the inventory; `remediate doctor` shows what each peer presents."


class LoginRefused(AccessError):
    """A login that was refused; it is never repeated."""

    default_next_step = (
        "Correct the username, or where its password comes from, in the inventory. No other peer was tried, "
        "so that automated protection does not lock the account out."
    )


class PinMismatch(AccessError):
    """A certificate or host key that is not the one in the inventory."""

    default_next_step = (
        "If it was really re-keyed, verify the new fingerprint out of band and put it in the inventory; "
        "otherwise the connection may be intercepted."
    )


class ObservationError(RemediateError):
    """A read that gave no answer that can be believed. May be repeated, within the limits."""

    exit_code = ExitCode.INCOMPLETE
    default_next_step = "Check that it is up and reachable from here, then run the command again."


class NotOffered(RemediateError):
    """An operation that this version of the peer or node does not offer."""

    default_next_step = "This version does not offer the operation; follow the manual step that the plan names."


class WriteForbidden(RemediateError):
    """A write on a path that only reads, stopped before it was sent: a bug of ours."""

    exit_code = ExitCode.BUG
    default_next_step = "This is a bug in remediate: a reading command tried to write and was blocked. Please report it."


class WriteRefused(RemediateError):
    """A write that the peer refused."""

    default_next_step = "Fix what the answer reports and run `remediate apply` again: it continues where it stopped."


class OutcomeUnknown(RemediateError):
    """A write whose answer was lost: read back before anything is concluded."""

    exit_code = ExitCode.PERSON_NEEDED
    default_next_step = "Run `remediate apply` again: it reads the peer first and repeats nothing that was done."


class StalePlan(RemediateError):
    """A plan whose cluster changed since it was made."""

    exit_code = ExitCode.STALE
    default_next_step = "The cluster was changed after the plan was made: run `remediate plan` again and review it."


class IncompletePlan(RemediateError):
    """A plan that was made without having observed everything."""

    exit_code = ExitCode.INCOMPLETE
    default_next_step = "Make the missing peer or endpoint reachable and plan again, or pass --allow-incomplete."


class LockHeld(RemediateError):
    """A cluster or peer on which another run is under way."""

    exit_code = ExitCode.LOCKED
    default_next_step = "Wait for the other run to end; `remediate runs` shows it."


class Declined(RemediateError):
    """A plan that was not approved or not confirmed."""

    exit_code = ExitCode.DECLINED
    default_next_step = "Nothing was changed. Verify the fingerprints out of band, then pass --approve sha256:HEX."


class Interrupted(RemediateError):
    """A run that a signal ended."""

    exit_code = ExitCode.INTERRUPTED
    default_next_step = "The journal has what was done: `remediate runs show last`."
