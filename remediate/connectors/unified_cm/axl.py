"""The AXL request ``listProcessNode``, which only reads, and the versions and faults in answers to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from remediate.connectors.http import Answer
from remediate.connectors.unified_cm.xml_document import NO_WORDS, collapse_whitespace, quote_text, read_records, strip_markup
from remediate.model.errors import ObservationError
from remediate.model.identity import Product
from remediate.model.text import quote

MAX_FAULT_CHARACTERS = 1_000
"""Longer than any fault that Unified CM is known to give."""

FIRST_VERSION = (12, 5)
"""A schema that Unified CM 12.5, 14 and 15 all answer to; newer versions keep older schemas."""
_OLDEST_SUPPORTED, _NEWEST_SUPPORTED = (8, 0), (15, 99)
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
        count: Number of entries, those over the limit included.
        remark: One sentence on how the answer was obtained, where that matters.
    """

    names: tuple[tuple[str, Product], ...]
    count: int
    remark: str | None = None


def build_request(version: Version) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers that request *System > Server* in one version of the schema."""
    schema = f"{version[0]}.{version[1]}"
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:ns="http://www.cisco.com/AXL/API/{schema}"><soapenv:Body><ns:listProcessNode>'
        "<searchCriteria><name>%</name></searchCriteria>"
        "<returnedTags><name/><processNodeRole/></returnedTags></ns:listProcessNode></soapenv:Body></soapenv:Envelope>"
    )
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f"CUCM:DB ver={schema} listProcessNode"}
    return body.encode(), headers


def find_offered_version(answer: Answer, refused: Version) -> Version | None:
    """Return the newest supported version that a refusal of `refused` names; None where it names none."""
    words = read_fault(answer) or ""
    # Only the fault's text has the versions: neither its code nor another element does.
    if answer.status != _UNSUPPORTED_VERSION and "version" not in words.casefold():
        return None
    versions = {(int(match[1]), int(match[2] or 0)) for match in _VERSION.finditer(words)}
    supported = [version for version in versions if _OLDEST_SUPPORTED <= version <= _NEWEST_SUPPORTED and version != refused]
    return max(supported, default=None)


def quote_fault(answer: Answer) -> str:
    """Return the text of a fault in quotation marks, or that it has none."""
    words = read_fault(answer)
    return quote(words, MAX_FAULT_CHARACTERS) if words else "it gives no reason"


def read_fault(answer: Answer) -> str | None:
    """Return the whole text of a fault, without its markup; None where there is no fault.

    Of an answer with an HTTP error that is no SOAP fault, this is its whole text.
    """
    try:
        faults = read_records(answer.body, "AXL", "faultstring", also=("Fault",), limit=1)
    except ObservationError:
        return None if answer.ok else strip_markup(answer.text, MAX_FAULT_CHARACTERS)
    if answer.ok and "Fault" not in faults.present:
        return None
    if not faults.records:
        return strip_markup(answer.text, MAX_FAULT_CHARACTERS)
    return collapse_whitespace(faults.records[0].get("", ""), MAX_FAULT_CHARACTERS)


def parse_nodes(answer: Answer, source: str, limit: int) -> NamedNodes:
    """Return the entries of *System > Server*, without the entry of the whole enterprise.

    Raises:
        ObservationError: It is another answer. Every Unified CM lists at least itself.
    """
    nodes = read_records(answer.body, source, "processNode", also=("Fault", "listProcessNodeResponse"), limit=limit)
    if "Fault" in nodes.present:
        raise ObservationError(f"{source} answers with a fault: {quote_fault(answer)}")
    if "listProcessNodeResponse" not in nodes.present or not nodes.records:
        raise ObservationError(
            f"{source} answers with something that is not a list of servers: {quote_text(answer.text, 200) or NO_WORDS}"
        )
    rows = [row for row in nodes.records if row.get("name") != _ENTERPRISE]
    return NamedNodes(
        tuple((row.get("name", ""), _product_of_role(row.get("processNodeRole", ""))) for row in rows), nodes.count
    )


def _product_of_role(role: str) -> Product:
    return "imp" if "presence" in role.casefold() else "cucm"
