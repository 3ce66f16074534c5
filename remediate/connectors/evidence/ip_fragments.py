"""The reassembly of IP fragments, within limits (RFC 791, RFC 8200 4.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from remediate.connectors.evidence.headers import Fragment

_MAX_DATAGRAMS: Final = 256
"""Datagrams that are reassembled at a time; a further one replaces the oldest."""
_MAX_FRAGMENTS: Final = 128
_MAX_LENGTH: Final = 65_535
_UDP: Final = 17

Key = tuple[bytes, bytes, int, int]


@dataclass(slots=True)
class _Datagram:
    """The fragments so far, by offset; `length` is known once the last fragment is there."""

    fragments: dict[int, bytes] = field(default_factory=dict)
    length: int | None = None
    octets: int = 0

    def assemble(self) -> bytes | None:
        """Return the whole datagram; None while fragments are missing."""
        if self.length is None or self.octets < self.length:
            return None
        data = bytearray()
        for offset in sorted(self.fragments):
            if offset > len(data):
                return None
            data += self.fragments[offset][len(data) - offset :]
        return bytes(data[: self.length]) if len(data) >= self.length else None


class FragmentAssembler:
    """Reassembles datagrams from fragments in any order.

    Attributes:
        dropped: The number of fragments of datagrams that were dropped for others.
    """

    def __init__(self) -> None:
        self._datagrams: dict[Key, _Datagram] = {}
        self.dropped = 0

    def add(self, key: Key, fragment: Fragment, data: bytes, missing: int) -> bytes | None:
        """Add a fragment. Return the datagram that it completes; None while fragments are missing.

        Args:
            key: Source, destination, protocol and identification.
            fragment: The place of the fragment in its datagram.
            data: The content of the fragment.
            missing: The number of octets at the end of `data` that the capture does not hold.
        """
        datagram = self._datagrams.get(key)
        if datagram is None:
            datagram = self._begin(key)
        if fragment.offset + len(data) > _MAX_LENGTH or len(datagram.fragments) >= _MAX_FRAGMENTS:
            self._drop(key)
            return None
        if len(data) > len(datagram.fragments.get(fragment.offset, b"")):
            datagram.octets += len(data) - len(datagram.fragments.get(fragment.offset, b""))
            datagram.fragments[fragment.offset] = data
        if not fragment.more_follow:
            datagram.length = fragment.offset + len(data) + missing
        assembled = datagram.assemble()
        if assembled is not None:
            del self._datagrams[key]
        return assembled

    @property
    def incomplete(self) -> int:
        """The number of fragments that were not reassembled, up to now."""
        return self.dropped + sum(_count_relevant(key, datagram) for key, datagram in self._datagrams.items())

    def _begin(self, key: Key) -> _Datagram:
        if len(self._datagrams) >= _MAX_DATAGRAMS:
            self._drop(next(iter(self._datagrams)))
        self._datagrams[key] = _Datagram()
        return self._datagrams[key]

    def _drop(self, key: Key) -> None:
        self.dropped += _count_relevant(key, self._datagrams.pop(key))


def _count_relevant(key: Key, datagram: _Datagram) -> int:
    """Return the number of fragments if the datagram may carry TCP; of UDP, only the first one shows a tunnel."""
    return 0 if key[2] == _UDP and 0 not in datagram.fragments else len(datagram.fragments)
