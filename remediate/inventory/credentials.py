"""Sources of passwords. Each describes where the password comes from, never the password, and is read at most once a run."""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from remediate.inventory.shape import PasswordShape
from remediate.machine.files import open_regular_file
from remediate.model.errors import InventoryError
from remediate.model.secret import Secret, SecretSource

MAX_SECRET_BYTES = 64 * 1024

# Clusters run in threads; two prompts on one terminal at the same time would mix.
_terminal = threading.Lock()


@dataclass(frozen=True, slots=True)
class EnvironmentSource:
    """``{env: NAME}``."""

    variable: str

    def describe(self) -> str:
        """Describe the source."""
        return f"environment variable {self.variable}"

    def read(self) -> Secret:
        """Read the password. Raises InventoryError."""
        value = os.environ.get(self.variable, "")
        if not value:
            raise InventoryError(
                f"The environment variable {self.variable}, which should hold a password, is not set.",
                next_step=f"Set {self.variable} in the environment of remediate, without writing it on a command line.",
            )
        return Secret(value)


@dataclass(frozen=True, slots=True)
class FileSource:
    """``{file: PATH}``: the whole file without one newline at its end; only its owner may read it."""

    path: Path

    def describe(self) -> str:
        """Describe the source."""
        return f"file {self.path}"

    def read(self) -> Secret:
        """Read the password. Raises InventoryError."""
        try:
            with open_regular_file(self.path) as file:
                # Read from the open file, so that the path cannot be replaced in between.
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read(MAX_SECRET_BYTES + 1)
        except OSError as error:
            raise InventoryError(f"The password file {self.path} cannot be read: {error.strerror}.") from error
        if mode & 0o077:
            raise InventoryError(
                f"The password file {self.path} can be read by other users (mode {mode:04o}).",
                next_step=f"Run `chmod 600 {self.path}`, and treat the password as known to those who could read it.",
            )
        return _decode_secret(content, f"The password file {self.path}")


@dataclass(frozen=True, slots=True)
class CommandSource:
    """``{command: [PROGRAM, ARGUMENT, …]}``: what it prints, without one newline at its end. No shell is involved.

    Attributes:
        timeout_s: How long it may take.
    """

    command: tuple[str, ...]
    timeout_s: float = 30.0

    def describe(self) -> str:
        """Describe the source."""
        return f"command {self.command[0]}"

    def read(self) -> Secret:
        """Read the password. Raises InventoryError."""
        name = f"The password command {self.command[0]}"
        try:
            completed = subprocess.run(
                self.command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.timeout_s, check=False
            )
        except OSError as error:
            raise InventoryError(f"{name} cannot be run: {error.strerror}.") from error
        except ValueError:
            # `from None`: the exception may carry an argument.
            raise InventoryError(f"{name} cannot be run: an argument holds a character that no argument can have.") from None
        except subprocess.TimeoutExpired:
            # `from None`: the exception carries what was printed so far.
            raise InventoryError(f"{name} did not answer within {self.timeout_s:.0f} seconds.") from None
        if completed.returncode != 0:
            raise InventoryError(
                f"{name} ended with status {completed.returncode}; what it printed is not shown, it may be secret.",
                next_step="Run the command by hand to see what it says.",
            )
        return _decode_secret(completed.stdout, name)


@dataclass(frozen=True, slots=True)
class KeyringSource:
    """``{keyring: SERVICE}``: the entry of this service and username in the system's keyring."""

    service: str
    username: str

    def describe(self) -> str:
        """Describe the source."""
        return f"keyring service {self.service}, user {self.username}"

    def read(self) -> Secret:
        """Read the password. Raises InventoryError."""
        import keyring
        from keyring.errors import KeyringError

        try:
            value = keyring.get_password(self.service, self.username)
        except KeyringError as error:
            raise InventoryError(f"The keyring cannot be read for {self.describe()}: {type(error).__name__}.") from error
        if not value:
            raise InventoryError(
                f"The keyring has no password for {self.describe()}.",
                next_step=f"Run `keyring set {self.service} {self.username}` on this machine.",
            )
        return Secret(value)


@dataclass(frozen=True, slots=True)
class PromptSource:
    """``{prompt: true}``: asked on the terminal, without echo."""

    question: str
    allowed: bool

    def describe(self) -> str:
        """Describe the source."""
        return "a prompt on the terminal"

    def read(self) -> Secret:
        """Read the password. Raises InventoryError."""
        if not self.allowed or sys.stdin is None or not sys.stdin.isatty():
            raise InventoryError(
                f"You would be asked for the {self.question}, but there is no terminal to ask on.",
                next_step="Run it on a terminal without --no-input, or use env, file, command or keyring in the inventory.",
            )
        with _terminal:
            value = getpass.getpass(f"{self.question[0].upper()}{self.question[1:]}: ", stream=sys.stderr)
        if not value:
            raise InventoryError(f"The {self.question} was left empty.")
        return Secret(value)


@dataclass(slots=True)
class CachedSource:
    """Source that is read once, whichever threads read it."""

    source: SecretSource
    _secret: Secret | None = field(default=None, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def is_interactive(self) -> bool:
        """Whether reading it prompts on the terminal."""
        return isinstance(self.source, PromptSource)

    @property
    def is_of_this_process(self) -> bool:
        """Whether another process would read something else there: ``/dev/fd/9``, ``/proc/self/fd/9``, ``/dev/stdin``."""
        return isinstance(self.source, FileSource) and self.source.path.parts[1:2] in {("dev",), ("proc",)}

    def describe(self) -> str:
        """Describe the source."""
        return self.source.describe()

    def read(self) -> Secret:
        """Read the password. Raises InventoryError."""
        with self._lock:
            if self._secret is None:
                self._secret = self.source.read()
            return self._secret

    def fill(self, secret: Secret) -> None:
        """Keep a password that was read in another process, so that it is not asked for again."""
        with self._lock:
            self._secret = secret

    def __reduce__(self) -> tuple[type[CachedSource], tuple[SecretSource]]:
        """Go to another process without what was read."""
        return CachedSource, (self.source,)


def password_source(shape: PasswordShape, username: str, *, cluster: str, allow_prompt: bool) -> CachedSource:
    """Return the source that `shape` describes."""
    return CachedSource(_source_of(shape, username, cluster=cluster, allow_prompt=allow_prompt))


def _source_of(shape: PasswordShape, username: str, *, cluster: str, allow_prompt: bool) -> SecretSource:
    if shape.env is not None:
        return EnvironmentSource(shape.env)
    if shape.file is not None:
        return FileSource(shape.file)
    if shape.command is not None:
        return CommandSource(tuple(shape.command))
    if shape.keyring is not None:
        return KeyringSource(shape.keyring, username)
    return PromptSource(f"password of {username} for {cluster}", allow_prompt)


def _decode_secret(content: bytes, name: str) -> Secret:
    if len(content) > MAX_SECRET_BYTES:
        raise InventoryError(f"{name} returned more than {MAX_SECRET_BYTES} bytes, too long for a password.")
    try:
        value = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # `from None`: the exception carries the bytes.
        raise InventoryError(f"{name} returned something that is not UTF-8 text.") from None
    if not value:
        raise InventoryError(f"{name} returned nothing.")
    return Secret(value)
