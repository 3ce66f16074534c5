"""The one AXL question that is asked, ``listProcessNode``, which reads; and what an answer that is none says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from remediate.connectors.http import Answer
from remediate.connectors.unified_cm.xml_document import on_one_line, plain_text, read_records
from remediate.model.errors import ObservationError
from remediate.model.identity import Product

MAX_FAULT_CHARACTERS = 1_000
"""What is shown of a fault: all of any that Unified CM is known to give."""

FIRST_VERSION = (12, 5)
"""A schema that Unified CM 12.5, 14 and 15 all answer to; newer boxes keep older schemas."""
_OLDEST_SPOKEN, _NEWEST_SPOKEN = (8, 0), (15, 99)
"""``listProcessNode`` with search criteria and returned tags has been the same since AXL 8.0."""

_UNSUPPORTED_VERSION = 599
"""The HTTP status of Unified CM for a schema that it does not have (Cisco, AXL developer guide)."""
_VERSION = re.compile(r"(?<![\w.])([0-9]{1,2})(?:\.([0-9]{1,2}))?(?![\w.]*[0-9])")
_ENTERPRISE = "EnterpriseWideData"

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class NamedNodes:
    """Names as a node gave them, unchecked, each once and in order.

    Attributes:
        count: how many entries there were, those over the limit included.
        remark: one sentence on how the answer was got, where that is worth knowing.
    """

    names: tuple[tuple[str, Product], ...]
    count: int
    remark: str | None = None


def request(version: Version) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers that ask for *System > Server* in one version of the schema."""
    schema = f"{version[0]}.{version[1]}"
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:ns="http://www.cisco.com/AXL/API/{schema}"><soapenv:Body><ns:listProcessNode>'
        "<searchCriteria><name>%</name></searchCriteria>"
        "<returnedTags><name/><processNodeRole/></returnedTags></ns:listProcessNode></soapenv:Body></soapenv:Envelope>"
    )
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f"CUCM:DB ver={schema} listProcessNode"}
    return body.encode(), headers


def other_version(answer: Answer, asked: Version) -> Version | None:
    """Return the newest version that a refusal of `asked` names and that can be spoken here; None where it names none."""
    words = fault_text(answer) or ""
    # The versions stand in the fault's text alone: neither its code nor another element has them.
    if answer.status != _UNSUPPORTED_VERSION and "version" not in words.casefold():
        return None
    named = {(int(found[1]), int(found[2] or 0)) for found in _VERSION.finditer(words)}
    spoken = [version for version in named if _OLDEST_SPOKEN <= version <= _NEWEST_SPOKEN and version != asked]
    return max(spoken, default=None)


def fault_text(answer: Answer) -> str | None:
    """Return what a fault says, whole, without its markup; None where there is no fault.

    Of an answer with an HTTP error that is no SOAP fault, this is all of its words.
    """
    try:
        faults = read_records(answer.body, "AXL", "faultstring", also=("Fault",), limit=1)
    except ObservationError:
        return None if answer.ok else plain_text(answer.text, MAX_FAULT_CHARACTERS)
    if answer.ok and "Fault" not in faults.present:
        return None
    if not faults.records:
        return plain_text(answer.text, MAX_FAULT_CHARACTERS)
    return on_one_line(faults.records[0].get("", ""), MAX_FAULT_CHARACTERS)


def nodes_in(answer: Answer, what: str, limit: int) -> NamedNodes:
    """Return the entries of *System > Server*, without the one that stands for the whole enterprise.

    Raises:
        ObservationError: this is no answer to the question. Every Unified CM lists at least itself.
    """
    listed = read_records(answer.body, what, "processNode", also=("Fault", "listProcessNodeResponse"), limit=limit)
    if "Fault" in listed.present:
        raise ObservationError(f"{what} answers with a fault: {fault_text(answer)}")
    if "listProcessNodeResponse" not in listed.present or not listed.records:
        raise ObservationError(f"{what} answers with something that is no list of servers: {plain_text(answer.text, 200)}")
    rows = [row for row in listed.records if row.get("name") != _ENTERPRISE]
    return NamedNodes(tuple((row.get("name", ""), _product(row.get("processNodeRole", ""))) for row in rows), listed.count)


def _product(role: str) -> Product:
    return "imp" if "presence" in role.casefold() else "cucm"
