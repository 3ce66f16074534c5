"""Where passwords come from. Each source says where (`describe`), never what, and is asked at most once a run."""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from remediate.inventory.document import Item
from remediate.machine.files import open_regular_file
from remediate.model.errors import InventoryError
from remediate.model.secret import Secret, SecretSource

COMMAND_TIMEOUT_S = 30.0
MAX_SECRET_BYTES = 64 * 1024
SOURCES = ("env", "file", "command", "keyring", "prompt")

# Clusters run in threads; two questions on one terminal at a time would mix.
_terminal = threading.Lock()


@dataclass(frozen=True, slots=True)
class EnvironmentSource:
    """``{env: NAME}``."""

    variable: str

    def describe(self) -> str:
        return f"environment variable {self.variable}"

    def read(self) -> Secret:
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
        return f"file {self.path}"

    def read(self) -> Secret:
        try:
            with open_regular_file(self.path) as file:
                # Asked of the open file, so that it cannot be swapped in between.
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read(MAX_SECRET_BYTES + 1)
        except OSError as error:
            raise InventoryError(f"The password file {self.path} cannot be read: {error.strerror}.") from error
        if mode & 0o077:
            raise InventoryError(
                f"The password file {self.path} may be read by others than its owner (mode {mode:04o}).",
                next_step=f"Run `chmod 600 {self.path}`, and consider the password known to those who could read it.",
            )
        return _secret_from(content, f"The password file {self.path}")


@dataclass(frozen=True, slots=True)
class CommandSource:
    """``{command: [PROGRAM, ARGUMENT, …]}``: what it prints, without one newline at its end. No shell is involved."""

    command: tuple[str, ...]

    def describe(self) -> str:
        return f"command {self.command[0]}"

    def read(self) -> Secret:
        name = f"The password command {self.command[0]}"
        try:
            done = subprocess.run(
                self.command, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False
            )
        except OSError as error:
            raise InventoryError(f"{name} cannot be run: {error.strerror}.") from error
        except ValueError:
            # `from None`: the exception may carry an argument.
            raise InventoryError(f"{name} cannot be run: an argument holds a character that no argument can have.") from None
        except subprocess.TimeoutExpired:
            # `from None`: the exception carries what was printed so far.
            raise InventoryError(f"{name} gave no answer within {COMMAND_TIMEOUT_S:.0f} seconds.") from None
        if done.returncode != 0:
            raise InventoryError(
                f"{name} ended with status {done.returncode}; what it printed is not shown, it may be secret.",
                next_step="Run the command by hand to see what it says.",
            )
        return _secret_from(done.stdout, name)


@dataclass(frozen=True, slots=True)
class KeyringSource:
    """``{keyring: SERVICE}``: the entry of this service and username in the system's keyring."""

    service: str
    username: str

    def describe(self) -> str:
        return f"keyring service {self.service}, user {self.username}"

    def read(self) -> Secret:
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
        return "a question on the terminal"

    def read(self) -> Secret:
        if not self.allowed or sys.stdin is None or not sys.stdin.isatty():
            raise InventoryError(
                f"The {self.question} would be asked for, and there is no terminal to ask on.",
                next_step="Run it on a terminal without --no-input, or use env, file, command or keyring in the inventory.",
            )
        with _terminal:
            value = getpass.getpass(f"{self.question[0].upper()}{self.question[1:]}: ", stream=sys.stderr)
        if not value:
            raise InventoryError(f"The {self.question} was left empty.")
        return Secret(value)


@dataclass(slots=True)
class Once:
    """A source that is asked once, however many threads want to know."""

    source: SecretSource
    _secret: Secret | None = field(default=None, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def asks_a_person(self) -> bool:
        """Whether reading it puts a question on the terminal."""
        return isinstance(self.source, PromptSource)

    def describe(self) -> str:
        return self.source.describe()

    def read(self) -> Secret:
        with self._lock:
            if self._secret is None:
                self._secret = self.source.read()
            return self._secret


def password_source(item: Item, username: str, *, cluster: str, allow_prompt: bool) -> Once:
    """Return the source that `item` describes. Raises InventoryError; a password in clear is refused and never shown."""
    return Once(_source(item, username, cluster=cluster, allow_prompt=allow_prompt))


def _source(item: Item, username: str, *, cluster: str, allow_prompt: bool) -> SecretSource:
    if not item.is_mapping:
        raise item.error(
            f"`{item.name}` must say where the password comes from and never hold it: write `{item.name}: {{env: NAME}}`, "
            "or {file: PATH}, {command: [PROGRAM, …]}, {keyring: SERVICE} or {prompt: true}."
        )
    keys = item.mapping(optional=SOURCES, secret=True)
    if len(keys) != 1:
        raise item.error(f"`{item.name}` must have exactly one of {', '.join(SOURCES)}, and has {len(keys)}.")
    [(kind, value)] = keys.items()
    match kind:
        case "env":
            return EnvironmentSource(value.text())
        case "file":
            return FileSource(value.path())
        case "command":
            return CommandSource(tuple(part.text() for part in value.sequence()))
        case "keyring":
            return KeyringSource(value.text(), username)
        case _:
            return _prompt(value, f"password of {username} for {cluster}", allowed=allow_prompt)


def _prompt(value: Item, question: str, *, allowed: bool) -> PromptSource:
    if not value.boolean():
        raise value.error("`prompt` can only be true; for no question, use another source.")
    return PromptSource(question, allowed)


def _secret_from(content: bytes, name: str) -> Secret:
    if len(content) > MAX_SECRET_BYTES:
        raise InventoryError(f"{name} gave more than {MAX_SECRET_BYTES} bytes, which is no password.")
    try:
        value = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # `from None`: the exception carries the bytes.
        raise InventoryError(f"{name} gave something that is not UTF-8 text.") from None
    if not value:
        raise InventoryError(f"{name} gave nothing.")
    return Secret(value)
