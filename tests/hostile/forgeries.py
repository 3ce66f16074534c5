"""Drawn certificates that no careful library would make: odd strings, empty names, impossible dates, broken extensions, damage."""

from __future__ import annotations

from hypothesis import strategies as st

from remediate import Certificate
from tests import der
from tests.pki import NOW, YEAR, key

ADDRESS = "cucm_pub.lab"

_EIGHT_BITS = (der.PRINTABLE, der.T61, der.IA5, der.VISIBLE, der.NUMERIC)
_TEXTS = st.sampled_from(
    [ADDRESS, "CUCM_PUB.LAB", "Corp_Root", "Corp  root", "", " ", "*.lab", "\x1b[2J\n", "a\0b", "<b>|`x`", "é"]
)
_WILD = st.text(max_size=8)


def _strings() -> st.SearchStrategy[tuple[int, bytes]]:
    """Tag and content: what the type allows, what it does not, and what is no text in it at all."""
    narrow = st.tuples(st.sampled_from(_EIGHT_BITS), _TEXTS.map(lambda text: text.encode("latin-1")))
    texts = st.one_of(_TEXTS, _WILD)
    utf8 = st.tuples(st.just(der.UTF8), texts.map(str.encode))
    wide = st.tuples(st.just(der.BMP), texts.map(lambda text: text.encode("utf-16-be")))
    wider = st.tuples(st.just(der.UNIVERSAL), texts.map(lambda text: text.encode("utf-32-be")))
    raw = st.tuples(
        st.sampled_from([*_EIGHT_BITS, der.UTF8, der.BMP, der.UNIVERSAL, der.BITS, der.OCTETS]), st.binary(max_size=8)
    )
    return st.one_of(narrow, utf8, wide, wider, raw)


def _names() -> st.SearchStrategy[bytes]:
    kinds = st.sampled_from([der.COMMON_NAME, der.COMMON_NAME, der.ORGANIZATION, der.COUNTRY, b"\x2a\x03\x04"])
    attributes = st.builds(lambda kind, string: (kind, *string), kinds, _strings())
    return st.lists(attributes, max_size=3).map(lambda attributes: der.name(*attributes))


def _times() -> st.SearchStrategy[bytes]:
    odd = [b"", b"not a time", b"000000000000Z", b"261301000000Z", b"260229000000Z", b"2601010000Z", b"260101000000+0100"]
    utc = st.sampled_from(odd).map(lambda text: der.tlv(der.UTC_TIME, text))
    far = [b"00000101000000Z", b"00010101000000Z", b"99991231235959Z", b"99991231235959-0100", b"20260101000000.5Z", b"2026Z"]
    generalized = st.sampled_from(far).map(lambda text: der.tlv(der.GENERALIZED_TIME, text))
    return st.one_of(st.sampled_from([der.time(NOW - YEAR), der.time(NOW + YEAR)]), utc, generalized)


def _extensions() -> st.SearchStrategy[tuple[bytes, ...]]:
    names = st.lists(st.one_of(st.just(ADDRESS.encode()), st.binary(max_size=12)), max_size=3)
    kinds = st.sampled_from([der.SAN, der.BASIC_CONSTRAINTS, der.SUBJECT_KEY_ID, der.AUTHORITY_KEY_ID, b"\x2a\x03\x04"])
    junk = st.tuples(kinds, st.binary(max_size=9), st.booleans())
    broken = junk.map(lambda values: der.extension(values[0], values[1], critical=values[2]))
    ips = st.binary(max_size=17).map(lambda packed: der.extension(der.SAN, der.tlv(der.SEQUENCE, der.tlv(0x87, packed))))
    extensions = st.one_of(st.just(der.authority()), names.map(lambda listed: der.alternative(*listed)), ips, broken)
    return st.lists(extensions, max_size=3).map(tuple)


def _damaged(certificate: Certificate, spots: list[tuple[int, int]]) -> Certificate:
    """`certificate` with some bytes changed behind its frame, so that it is still one whole SEQUENCE."""
    damaged = bytearray(certificate.der)
    for place, value in spots:
        damaged[4 + place % (len(damaged) - 4)] = value
    return Certificate.from_der(bytes(damaged))


@st.composite
def families(draw: st.DrawFn, size: int = 4) -> list[Certificate]:
    """Draw certificates over a few names and two keys, so that some of them issued others."""
    names = draw(st.lists(_names(), min_size=1, max_size=3))
    keys = st.sampled_from([key("by hand"), key("by another hand")])
    certificates = [
        der.certificate(
            draw(st.sampled_from(names)),
            draw(st.sampled_from(names)),
            own_key=draw(keys),
            signer=draw(keys),
            begins=draw(_times()),
            ends=draw(_times()),
            extensions=draw(_extensions()),
            serial=draw(st.sampled_from([b"\x07", b"\0", b"\xff", b"\x7f" * 30])),
        )
        for _ in range(draw(st.integers(1, size)))
    ]
    damage = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=2)
    return [
        _damaged(certificate, draw(damage)) if draw(st.integers(0, 3)) == 0 else certificate for certificate in certificates
    ]
