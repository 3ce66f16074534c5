"""The status and the configuration of a peer over ``/getxml``, as the lines that its shell prints for the same. No I/O.

Public code for this family reads ``/Status/…`` over HTTPS in this form (decision 0033); Cisco's REST documents do not name it. What is
not in this form raises StatusNotUnderstood, so that it is *not observed*.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from xml.etree import ElementTree as ET

from remediate.connectors.expressway.status_text import StatusNotUnderstood
from remediate.model.text import mask_and_escape

_MAX_DEPTH = 8
_NUMBER = "item"
_LISTS = frozenset({"peer", "ethernet"})
"""The elements whose number is a word of their path; any other has a number too, which a shell does not print."""


def getxml_path(kind: str, words: str) -> str:
    """Return the path of one element of ``xStatus`` or ``xConfiguration`` (`kind`)."""
    return f"/getxml?location=/{kind.removeprefix('x')}/{words.replace(' ', '/')}"


def status_lines(page: str, element: str) -> list[str]:
    """Return the lines that a shell prints for `element` of ``xStatus``.

    Raises:
        StatusNotUnderstood: It is no status, or has nothing of that name: an empty list counts only where it is there and empty.
    """
    blocks = _find_all(page, "Status", {element.casefold(), f"{element}s".casefold()})
    return [line for block in blocks for line in _iterate_block(block)]


def configuration_lines(page: str, words: str) -> list[str]:
    """Return the lines that a shell prints for these words of ``xConfiguration``. Raises StatusNotUnderstood."""
    first = words.partition(" ")[0]
    leaves = [leaf for block in _find_all(page, "Configuration", {first.casefold()}) for leaf in _iterate_leaves(block, ())]
    return [f'*c xConfiguration {path}: "{value}"' for path, value in leaves]


def _find_all(page: str, kind: str, names: Container[str]) -> list[ET.Element]:
    """Return the elements of these names (in lower case) in a document of this kind; there is at least one."""
    if "<!DOCTYPE" in page.upper() or "<!ENTITY" in page.upper():
        raise StatusNotUnderstood(f"its {kind.lower()} has a document type")
    try:
        root = ET.fromstring(page.encode())  # noqa: S314 - document types are refused, and size is limited by the session
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise StatusNotUnderstood(f"its {kind.lower()} over REST is not XML") from error
    blocks = [child for child in root if _local(child).casefold() in names]
    if _local(root) != kind or not blocks:
        raise StatusNotUnderstood(f"its {kind.lower()} over REST does not contain the requested data")
    return blocks


def _iterate_leaves(element: ET.Element, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if len(path) > _MAX_DEPTH:
        raise StatusNotUnderstood("its configuration over REST is nested too deeply")
    name = _name(element) if _local(element).casefold() in _LISTS else _local(element)
    if len(element) == 0:
        yield " ".join((*path, name)), " ".join((element.text or "").split())
    for child in element:
        yield from _iterate_leaves(child, (*path, name))


def _iterate_block(block: ET.Element) -> Iterator[str]:
    if len(block) == 0:
        if (block.text or "").strip():
            raise StatusNotUnderstood(f"its `{_local(block)}` over REST is a value")
        yield f"*s {_local(block)}: /"
    else:
        yield f"*s {_name(block)}:"
        yield from _iterate_members(block, 1)
    yield "*s/end"


def _iterate_members(group: ET.Element, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise StatusNotUnderstood("its status over REST is nested too deeply")
    for member in group:
        indent = "  " * depth
        text = " ".join((member.text or "").split())
        if len(member):
            yield f"{indent}{_name(member)}:"
            yield from _iterate_members(member, depth + 1)
        elif text or _NUMBER not in member.attrib:
            yield f'{indent}{_local(member)}: "{text}"'
        else:
            yield f"{indent}{_name(member)}: /"


def _name(element: ET.Element) -> str:
    """Return the name with its number, as a shell prints the members of a list."""
    number = element.get(_NUMBER, "")
    return f"{_local(element)} {number}" if number.isdecimal() else _local(element)


def _local(element: ET.Element) -> str:
    return mask_and_escape(element.tag.rpartition("}")[2], 80)
