"""Status of a simulated peer as XML: what the shell prints, with the words of a path nested and the items of a list numbered."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

NAMESPACE = "http://www.tandberg.no/XML/CUIL/1.0"
_LINE = re.compile(r'(?P<indent> *)(?:\*s )?(?P<tag>\w+)(?: (?P<number>\d+))?:(?: (?:/|"(?P<value>[^"]*)"))?')


def format_status(version: str, blocks: Iterable[Sequence[str]]) -> str:
    """Return the document with these blocks, as ``/getxml?location=/Status/…`` and ``xstat_dump_….xml`` have them."""
    root = ET.Element("Status", {"xmlns": NAMESPACE, "product": "TANDBERG VCS", "version": version})
    for lines in blocks:
        open_elements: list[tuple[int, ET.Element]] = [(-1, root)]
        for match in filter(None, map(_LINE.fullmatch, lines)):
            indent = 0 if match[0].startswith("*s ") else len(match["indent"])
            if indent == 0:
                open_elements = [(-1, root)]
            while open_elements[-1][0] >= indent:
                open_elements.pop()
            element = ET.SubElement(open_elements[-1][1], match["tag"], {"item": match["number"] or "1"})
            element.text = match["value"]
            open_elements.append((indent, element))
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
