"""IP datagrams that travelled in pieces, put together again within limits (RFC 791, RFC 8200 4.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.headers import Fragment

_MOST_DATAGRAMS: Final = 256
"""How many are put together at a time; the oldest gives way."""
_MOST_PIECES: Final = 128
_LARGEST: Final = 65_535
_UDP: Final = 17

Key = tuple[bytes, bytes, int, int]


@dataclass(slots=True)
class _Datagram:
    """The pieces so far by their offset, and the whole length once the last piece has told it."""

    pieces: dict[int, bytes] = field(default_factory=dict)
    length: int | None = None
    held: int = 0

    def whole(self) -> bytes | None:
        if self.length is None or self.held < self.length:
            return None
        data = bytearray()
        for offset in sorted(self.pieces):
            if offset > len(data):
                return None
            data += self.pieces[offset][len(data) - offset :]
        return bytes(data[: self.length]) if len(data) >= self.length else None


class Fragments:
    """The datagrams of which pieces were seen, and which are not whole.

    Attributes:
        given_up: pieces of datagrams that gave way to others.
    """

    def __init__(self) -> None:
        self._open: dict[Key, _Datagram] = {}
        self.given_up = 0

    def add(self, key: Key, fragment: Fragment, data: bytes, missing: int) -> bytes | None:
        """Take a piece. Return the datagram that it completes; None while pieces are missing.

        Args:
            key: source, destination, protocol and identification.
            missing: how many octets at the end of `data` the capture does not hold.
        """
        datagram = self._open.get(key)
        if datagram is None:
            datagram = self._begin(key)
        if fragment.offset + len(data) > _LARGEST or len(datagram.pieces) >= _MOST_PIECES:
            self._give_up(key)
            return None
        if len(data) > len(datagram.pieces.get(fragment.offset, b"")):
            datagram.held += len(data) - len(datagram.pieces.get(fragment.offset, b""))
            datagram.pieces[fragment.offset] = data
        if not fragment.more_follow:
            datagram.length = fragment.offset + len(data) + missing
        whole = datagram.whole()
        if whole is not None:
            del self._open[key]
        return whole

    @property
    def incomplete(self) -> int:
        """How many pieces were not put together, up to now."""
        return self.given_up + sum(_that_matter(key, datagram) for key, datagram in self._open.items())

    def _begin(self, key: Key) -> _Datagram:
        if len(self._open) >= _MOST_DATAGRAMS:
            self._give_up(next(iter(self._open)))
        self._open[key] = _Datagram()
        return self._open[key]

    def _give_up(self, key: Key) -> None:
        self.given_up += _that_matter(key, self._open.pop(key))


def _that_matter(key: Key, datagram: _Datagram) -> int:
    """How many pieces are of a datagram that may carry TCP; of UDP, the first alone tells whether it is a tunnel."""
    return 0 if key[2] == _UDP and 0 not in datagram.pieces else len(datagram.pieces)
