"""Damage to certificates and to files with certificates: of bytes, of lengths, of DER's structure, of text."""

from __future__ import annotations

import base64
import random
import textwrap
from dataclasses import dataclass, field

from tests.der import signed_data, tlv

_TAGS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1C, 0x1E, 0x30, 0x31, 0x80, 0x82, 0xA0, 0xA3)
_ODD_CONTENT = (b"", b"\0", b"\xff", b"\x80", b"\x30\x80", b"\0" * 40, b"\xff" * 300, b"\x30\x03\x02\x01\x01", b"\x2a\x86\x48")
_ODD_TEXT = ("\0", "\ufeff", "é", "-----", "-----BEGIN ", "-----END CERTIFICATE-----", "=", "\r", "\n\n", " ", "\u200b", "\xa0")
_LABELS = ("CERTIFICATE", "PKCS7", "X509 CERTIFICATE", "PRIVATE KEY", "X509 CRL", "TRUSTED CERTIFICATE", "", "lower case")
_STEPS = (1, 1, 1, 2, 4)
"""How many changes at once: mostly one, so that what is damaged is read at all and comes to the deeper calls."""


@dataclass
class Node:
    """One element of a DER tree: its content, or its children where it has some.

    Attributes:
        prefix: what stands before the children: the number of unused bits in a BIT STRING.
    """

    tag: int
    content: bytes = b""
    children: list[Node] = field(default_factory=list)
    prefix: bytes = b""

    def encoded(self) -> bytes:
        """The element and all below it, every length right."""
        if self.children:
            return tlv(self.tag, self.prefix, *(child.encoded() for child in self.children))
        return tlv(self.tag, self.content)

    def below(self) -> list[Node]:
        """This node and all below it."""
        return [self, *(node for child in self.children for node in child.below())]


def parse(der: bytes) -> list[Node] | None:
    """The elements of `der`; None where it is no DER. Strings that hold DER are followed too."""
    nodes, at = [], 0
    while at < len(der):
        if len(der) - at < 2 or der[at] & 0x1F == 0x1F:
            return None
        size, head = der[at + 1], 2
        if size >= 0x80:
            octets = size & 0x7F
            size, head = int.from_bytes(der[at + 2 : at + 2 + octets], "big"), 2 + octets
            if not 1 <= octets <= 4:
                return None
        content = der[at + head : at + head + size]
        if len(content) != size:
            return None
        nodes.append(_node(der[at], content))
        at += head + size
    return nodes


def _node(tag: int, content: bytes) -> Node:
    skipped = 1 if tag == 0x03 else 0
    may_hold_der = tag & 0x20 or (tag in {0x03, 0x04} and content[skipped : skipped + 1] == b"\x30")
    children = parse(content[skipped:]) if may_hold_der and content[skipped:] else None
    return Node(tag, content, children or [], content[:skipped])


def mutate_certificate(der: bytes, donor: bytes, draw: random.Random) -> bytes:
    """`der` with some damage; a part of `donor` may stand in it. Its frame stays whole."""
    if draw.random() < 0.4:
        return _with_changed_bytes(der, draw)
    roots, donors = parse(der), parse(donor)
    if not roots or not donors:
        return _with_changed_bytes(der, draw)
    for _ in range(draw.choice(_STEPS)):
        _change(draw.choice(roots[0].below()), donors[0].below(), draw)
    encoding = roots[0].encoded()
    return _with_changed_bytes(encoding, draw) if draw.random() < 0.1 else encoding


def _with_changed_bytes(der: bytes, draw: random.Random) -> bytes:
    data = bytearray(der)
    for _ in range(draw.choice(_STEPS)):
        place = draw.randrange(min(4, len(data) - 1), len(data))
        data[place] = draw.choice((data[place] ^ (1 << draw.randrange(8)), draw.randrange(256), 0, 0xFF, 0x80))
    return bytes(data)


def _change(node: Node, donors: list[Node], draw: random.Random) -> None:
    match draw.randrange(7):
        case 0:
            node.tag = draw.choice(_TAGS)
        case 1:
            node.content, node.children = draw.choice(_ODD_CONTENT), []
        case 2 if node.children:
            del node.children[draw.randrange(len(node.children))]
        case 3 if node.children:
            node.children.insert(draw.randrange(len(node.children)), draw.choice(node.children))
        case 4 if node.children:
            draw.shuffle(node.children)
        case 5:
            donor = draw.choice(donors)
            node.tag, node.content, node.children, node.prefix = donor.tag, donor.content, [], donor.prefix
        case _:
            node.content = node.content * draw.choice((0, 2, 10)) + draw.randbytes(draw.randrange(4))


def mutate_file(ders: list[bytes], draw: random.Random) -> bytes:
    """A file with some of `ders`: PKCS#7 or PEM, then damaged."""
    if draw.random() < 0.5:
        message = signed_data(*ders)
        content = mutate_certificate(message, draw.choice(ders), draw) if draw.random() < 0.9 else message
        if draw.random() < 0.5:
            return content
        ders = [content]
    text = "".join(armoured(der, draw.choice(_LABELS) if draw.random() < 0.3 else "CERTIFICATE") for der in ders)
    for _ in range(draw.choice((0, *_STEPS))):
        place = draw.randrange(len(text) + 1)
        text = text[:place] + draw.choice(_ODD_TEXT) + text[place + draw.choice((0, 1, 60)) :]
    return text.encode(draw.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le")), errors="replace")


def armoured(der: bytes, label: str = "CERTIFICATE") -> str:
    """`der` as PEM under `label`."""
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
