"""What a box offers over REST, as it says itself at ``/api/raml`` (RAML 0.8, the only complete reference since X8.11)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from remediate.model.identity import Product

_RESOURCE = re.compile(r"( *)(/[^\s:]*):\s*$")
_METHOD = re.compile(r"( *)(get|post|put|delete):\s*$", re.IGNORECASE)
_PREFIXES = re.compile(r"^(/api)?(/v1)?(/provisioning)?(?=/)")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The operations of one box that are not there on every version. Nothing is assumed: what is not shown is not offered.

    Attributes:
        described: ``/api/raml`` gave a description at all.
        remove_trusted_ca: a certificate can be taken out of the trusted CA list, by its fingerprint.
        refresh_products: products whose publisher can be added again, which makes the box discover its nodes anew.
        restart: the box can be restarted over REST; otherwise over its shell.
    """

    described: bool = False
    remove_trusted_ca: bool = False
    refresh_products: tuple[Product, ...] = ()
    restart: bool = False

    @property
    def refresh_discovery(self) -> bool:
        """Discovery can be refreshed for at least one product."""
        return bool(self.refresh_products)


def read_raml(page: str) -> Capabilities:
    """Return what a RAML page shows.

    It is read by its indentation alone: a page with includes, tabs in an example or a broken line somewhere is no reason to know
    nothing, which a strict YAML reader would conclude.
    """
    operations = _operations(page)
    products: tuple[Product, ...] = ("cucm", "imp")
    # What a DELETE of the trusted CA list wants is documented nowhere else, so only the form that we know is used.
    removal = operations.get(("delete", "/certs/root"), "")
    return Capabilities(
        described=bool(operations),
        remove_trusted_ca="fingerprint" in removal.casefold(),
        refresh_products=tuple(one for one in products if ("post", f"/controller/server/{one}") in operations),
        restart=("post", "/restart") in operations,
    )


def _operations(page: str) -> dict[tuple[str, str], str]:
    """(method, resource) to the text that stands below it."""
    found: dict[tuple[str, str], str] = {}
    resources: list[tuple[int, str]] = []
    current: tuple[int, tuple[str, str]] | None = None
    for line in page.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        if current and line.strip() and indent <= current[0]:
            current = None
        if current:
            found[current[1]] += line + "\n"
        elif match := _RESOURCE.match(line):
            resources = [*(one for one in resources if one[0] < indent), (indent, match[2])]
        elif match := _METHOD.match(line):
            path = "".join(part for level, part in resources if level < indent)
            current = (indent, (match[2].lower(), _PREFIXES.sub("", path)))
            found[current[1]] = ""
    return found
