"""The store of approvals on this machine: one small file a plan in the state directory, named by the plan's id.

What vouches for a certificate must be this user's own word, so the directory and the file are believed only where no other user
could have written them, and no symbolic link is followed.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from remediate.machine.system import CLOSE_ON_EXEC, DIRECTORY, HAS_FILE_LOCKS, NO_FOLLOW, NO_WAIT, effective_user_id, lock
from remediate.model.approvals import BY_CA, Approvals, ApprovedCertificate
from remediate.model.errors import FormatError, RemediateError
from remediate.model.identity import Fingerprint, PlanId

_FOLDER = "approvals"
_MAX_BYTES = 4 * 1024 * 1024
_DIRECTORY = os.O_RDONLY | DIRECTORY | NO_FOLLOW | CLOSE_ON_EXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class ApprovalsUnusable(RemediateError):
    """The state directory cannot keep approvals, or what it keeps may be of another user."""

    default_next_step = "Make it a directory of this user alone (mode 0700), or name another one with --state-dir."


def load_approvals(state_dir: Path, plan: PlanId) -> tuple[ApprovedCertificate, ...]:
    """Return what was approved on this machine for the plan with the id `plan`; creates nothing.

    Raises:
        ApprovalsUnusable: Others may have written the record, or it cannot be read.
    """
    if not os.path.lexists(state_dir / _FOLDER):
        return ()
    _refuse_without_locks()
    with _convert_errors(state_dir), _open_folder(state_dir / _FOLDER) as folder:
        return _read(folder, plan)


def record_approvals(state_dir: Path, approvals: Approvals) -> None:
    """Add `approvals` to what is recorded for their plan. On disk when it returns; an earlier approval of a certificate stays.

    Raises:
        ApprovalsUnusable: Others may write there, or it cannot be written.
    """
    _refuse_without_locks()
    with _convert_errors(state_dir):
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            (state_dir / _FOLDER).mkdir(mode=0o700)
        with _open_folder(state_dir / _FOLDER) as folder:
            # Two commands at once must not lose each other's approvals between reading and replacing.
            lock(folder)
            recorded = _read(folder, approvals.plan)
            _replace(folder, Approvals(approvals.plan, merge_approvals(recorded, approvals.approved)))


def merge_approvals(*lists: Iterable[ApprovedCertificate]) -> tuple[ApprovedCertificate, ...]:
    """Return one approval for each certificate: the first one, but a person's own look before a ``--ca``."""
    merged: dict[Fingerprint, ApprovedCertificate] = {}
    for approvals in lists:
        for approval in approvals:
            earlier = merged.get(approval.certificate)
            if earlier is None or (earlier.how == BY_CA and approval.how != BY_CA):
                merged[approval.certificate] = approval
    return tuple(merged.values())


def _refuse_without_locks() -> None:
    """Raise ApprovalsUnusable where the system cannot prove whose a file is."""
    if not HAS_FILE_LOCKS:
        raise ApprovalsUnusable(
            "This system cannot protect approvals from other users.", next_step="Approve and apply on Linux, macOS or WSL."
        )


@contextmanager
def _convert_errors(state_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApprovalsUnusable(
            f"The approvals in {state_dir / _FOLDER} cannot be used: {error.strerror or type(error).__name__}."
        ) from error
    except FormatError as error:
        raise ApprovalsUnusable(f"The approvals in {state_dir / _FOLDER} cannot be read: {error}") from error


@contextmanager
def _open_folder(folder: Path) -> Iterator[int]:
    handle = os.open(folder, _DIRECTORY)
    try:
        _refuse_if_others_write(handle, folder)
        yield handle
    finally:
        os.close(handle)


def _refuse_if_others_write(handle: int, path: Path) -> None:
    facts = os.fstat(handle)
    if facts.st_uid != effective_user_id() or facts.st_mode & _OTHERS_WRITE:
        raise ApprovalsUnusable(f"{path} is not private to this user, so its approvals are ignored.")


def _name(plan: PlanId) -> str:
    # The id of a plan that a program made may be any text, and no name may lead out of the folder.
    return f"{plan.removeprefix('sha256:').replace('/', '_')}.json"


def _read(folder: int, plan: PlanId) -> tuple[ApprovedCertificate, ...]:
    try:
        # NO_WAIT: a FIFO in the place of the file must not hold up the run.
        handle = os.open(_name(plan), os.O_RDONLY | NO_FOLLOW | NO_WAIT | CLOSE_ON_EXEC, dir_fd=folder)
    except FileNotFoundError:
        return ()
    with os.fdopen(handle, "rb") as file:
        _refuse_if_others_write(handle, Path(_FOLDER, _name(plan)))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ApprovalsUnusable(f"{Path(_FOLDER, _name(plan))} is not a regular file, so no approvals are read from it.")
        approvals = Approvals.from_json(file.read(_MAX_BYTES))
    if approvals.plan != plan:
        raise ApprovalsUnusable(f"{Path(_FOLDER, _name(plan))} has the approvals of another plan, {approvals.plan}.")
    return approvals.approved


def _replace(folder: int, approvals: Approvals) -> None:
    draft = f".{secrets.token_hex(8)}.draft"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW | CLOSE_ON_EXEC, 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(approvals.to_json())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, _name(approvals.plan), src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)
        raise
