"""JSON documents: values that are written to a file, and read from one.

How each of them looks as JSON is known to the room `formats`, which is above this one and registers itself here when it is loaded: the
values stay free of pydantic, and no import runs in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self

_FORMATS = "remediate.formats"


@dataclass(frozen=True, slots=True)
class Codec:
    """How one kind of document is read and written.

    Attributes:
        read_own: Reads what `write` wrote, and takes its id as it is; None: as `read`.
    """

    read: Callable[[str | bytes], Any]
    write: Callable[[Any], str]
    read_own: Callable[[str | bytes], Any] | None = None


_CODECS: dict[type, Codec] = {}


def register_codec(kind: type, codec: Codec) -> None:
    """Have `kind` read and written by `codec`."""
    _CODECS[kind] = codec


def _codec_of(kind: type) -> Codec:
    if kind not in _CODECS:
        import_module(_FORMATS)
    return _CODECS[kind]


class JsonDocument:
    """A value with a JSON form of its own, named by its ``format``."""

    __slots__ = ()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read the document.

        Raises:
            FormatError: It is not in its format. The message has the place and the remedy.
        """
        document: Self = _codec_of(cls).read(text)
        return document

    @classmethod
    def from_own_json(cls, text: str | bytes) -> Self:
        """Read a document that `to_json` wrote and that nobody else could change, such as the plan of a run.

        A document with keys of a later version is written without them, and keeps the id that it has with them.

        Raises:
            FormatError: It is not in its format.
        """
        codec = _codec_of(cls)
        document: Self = (codec.read_own or codec.read)(text)
        return document

    def to_json(self) -> str:
        """Return the document as canonical JSON."""
        return _codec_of(type(self)).write(self)
