"""A password that cannot be printed by mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, Protocol

from remediate.model.masking import remember


class Secret:
    """Holds a secret; every way to turn it into text but `reveal()` gives ``***``. It refuses pickle and copy into JSON.

    From its making on, whatever a system repeats of it is masked too (`masking`).
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        remember(value)

    def reveal(self) -> str:
        """Return the secret itself: only at the line that hands it to the protocol."""
        remember(self._value)
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")


class SecretSource(Protocol):
    """Where a secret comes from. Asked as late as possible, and at most once a run."""

    def describe(self) -> str:
        """Return where it comes from, never what it is: ``environment variable EXPC_PASSWORD``."""

    def read(self) -> Secret:
        """Return the secret. Raises InventoryError when it is not there."""


@dataclass(frozen=True, slots=True)
class Login:
    """An account on a peer or node."""

    username: str
    password: SecretSource
