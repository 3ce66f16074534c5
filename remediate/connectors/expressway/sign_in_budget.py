"""The sign-ins of clients, counted over all runs and processes that share a state directory.

An Expressway limits how often one account signs in, and its automated protection bans the address that a wrong sign-in comes from,
which may be the address of a whole office. So each sign-in is counted before it is sent, and one that is refused closes the account
for a while.

The file has one line for each event: the SHA-256 of what it counts for, and the second. A file that cannot be read as such counts
as a budget that was just spent, and is written anew: the count is right again once the window has passed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from remediate.machine.files import refuse_special
from remediate.machine.private_files import make_private_folder
from remediate.machine.system import BINARY, CLOSE_ON_EXEC, NO_FOLLOW, NO_WAIT, effective_user_id, lock_at_once
from remediate.model.canonical import rfc3339
from remediate.model.limits import Limits

FILE_NAME = "sign-ins"
_MAX_BYTES = 1024 * 1024
_ANYTHING = "*"
_HASH_CHARACTERS = 64
_BETWEEN_TRIES_S = 0.01


@dataclass(frozen=True, slots=True)
class _Event:
    """A sign-in of an account over a way, or a refusal of an account, by its hash."""

    key: str
    second: int


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Why a sign-in must not be sent.

    Attributes:
        again_in_s: In how many seconds the budget has room again; None: it is not spent, another reason keeps the sign-in back.
    """

    reason: str
    again_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class SignInBudget:
    """The budget of sign-ins that is counted in one state directory.

    Attributes:
        now: The clock, in seconds since 1970.
    """

    state_dir: Path
    now: Callable[[], float] = time.time

    @property
    def path(self) -> Path:
        """The file that the sign-ins are counted in."""
        return self.state_dir / FILE_NAME

    def spend(self, username: str, place: str, limits: Limits) -> NoRoom | None:
        """Count one sign-in of an account over a way (``host:port``), and return why it must not be sent; None: it may.

        It is counted before it is sent, so that no crash and no other process leads to one too many.
        """
        key, account = _hash("way", username, place), _hash_account(username)
        try:
            with self._open(limits) as events:
                if any(event.key in {account, _ANYTHING} for event in events):
                    return NoRoom(f"a sign-in as {username} was refused in the last {limits.sign_in_window_s:.0f} s")
                seconds = sorted(event.second for event in events if event.key == key)
                if len(seconds) >= limits.max_sign_ins:
                    return self._describe_spent(username, seconds[-limits.max_sign_ins], limits)
                events.append(_Event(key, int(self.now())))
        except OSError as error:
            return NoRoom(f"sign-ins cannot be counted in {self.path} ({error.strerror or error})")
        return None

    def _describe_spent(self, username: str, oldest_second: int, limits: Limits) -> NoRoom:
        again_at = oldest_second + limits.sign_in_window_s
        when = rfc3339(datetime.fromtimestamp(again_at, UTC))
        return NoRoom(
            f"{username} signed in there {limits.max_sign_ins} times in the last {limits.sign_in_window_s:.0f} s, and more "
            f"sign-ins could get this address banned; the next one is possible on {when}",
            max(0.0, again_at - self.now()),
        )

    def close(self, username: str, limits: Limits) -> None:
        """Let an account sign in nowhere until the window has passed, because its sign-in was refused."""
        with suppress(OSError), self._open(limits) as events:
            events.append(_Event(_hash_account(username), int(self.now())))

    @contextmanager
    def _open(self, limits: Limits) -> Iterator[list[_Event]]:
        """Yield the events inside the window, locked; what the list holds afterwards is written."""
        make_private_folder(self.state_dir)
        flags = os.O_RDWR | os.O_CREAT | BINARY | CLOSE_ON_EXEC | NO_FOLLOW | NO_WAIT
        handle = os.open(self.path, flags, 0o600)
        try:
            _refuse_foreign(handle, self.path)
            _lock(handle, limits.connect_s)
            events = self._recent(_read(handle), limits.sign_in_window_s)
            yield events
            _write(handle, events)
        finally:
            os.close(handle)

    def _recent(self, content: bytes, window_s: float) -> list[_Event]:
        """Return the events inside the window. One in the future, by a clock that was set back, counts as one of now."""
        now = int(self.now())
        try:
            events = [_parse(line, now) for line in content.decode("ascii").splitlines()]
        except ValueError:
            return [_Event(_ANYTHING, now)]
        return [event for event in events if now - event.second < window_s]


def _hash_account(username: str) -> str:
    return _hash("account", username)


def _hash(*parts: str) -> str:
    text = "\n".join(("remediate", *parts)).casefold()
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _refuse_foreign(handle: int, path: Path) -> None:
    """Raise OSError unless the file is a regular one of this user; make it private where it is not."""
    status = os.fstat(handle)
    refuse_special(status.st_mode, path)
    if effective_user_id() not in {None, status.st_uid}:
        raise PermissionError(None, "it belongs to another user")
    if stat.S_IMODE(status.st_mode) != 0o600 and hasattr(os, "fchmod"):
        os.fchmod(handle, 0o600)


def _lock(handle: int, patience_s: float) -> None:
    """Lock the file; other processes hold it for a moment only, and are waited for that long."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return lock_at_once(handle)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(_BETWEEN_TRIES_S)


def _read(handle: int) -> bytes:
    content = bytearray()
    while part := os.read(handle, _MAX_BYTES):
        content += part
        if len(content) > _MAX_BYTES:
            # More than this program ever wrote: what is there is not parsed.
            return b"?"
    return bytes(content)


def _parse(line: str, now: int) -> _Event:
    """Return one event. Raises ValueError for any other line."""
    key, _, second = line.partition(" ")
    is_hash = len(key) == _HASH_CHARACTERS and all(character in "0123456789abcdef" for character in key)
    if not (is_hash or key == _ANYTHING) or not (second.isdecimal() and len(second) < 12):
        raise ValueError(line)
    return _Event(key, min(int(second), now))


def _write(handle: int, events: list[_Event]) -> None:
    """Write the events over the old ones, and cut what is left of those after that: at no moment are they fewer."""
    content = "".join(f"{event.key} {event.second}\n" for event in events).encode()
    os.lseek(handle, 0, os.SEEK_SET)
    if os.write(handle, content) < len(content):
        raise OSError(None, "the disk is full")
    os.truncate(handle, len(content))
    os.fsync(handle)
